"""Measures the page: PYTHONPATH=src .venv/bin/python -m tests.support.page_load WHAT

answer   from mouse-up to the final answer on the screen, in Chromium
frame    from a live frame to changed bars in Chromium, against a plain POST to the API
cost     processor time of page and API for a live frame, against one prediction
class    visitors (20) who draw a stroke a second, with live frames, and the memory that this takes
uploads  memory of the page's server after 300 uploads that no page shows
clear    bytes that Clear sends after 200 drawings, both ways, in Chromium

Each starts an API and a page on this machine. Times hold for a quiet one: ratios count.
"""

import argparse
import asyncio
import http.client
import statistics
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import psutil
from playwright.sync_api import Page
from tests.support.browser import chromium, page_service
from tests.support.drawings import blank, file_of, write
from tests.support.pen import DIGITS, canvas_box, clear, draw, smooth
from tests.support.services import Running, resident_megabytes, running_api
from tests.support.visitor import Visitor, visit

STROKES = 20
FRAMES = 400
UPLOADS, UPLOAD_BYTES = 300, 4_900_000
DRAWINGS = 200
PEN_DOWN = 0.5  # s of each second
EVERY = 0.1  # s between two live frames, as in the page's script
PNG = {"Content-Type": "image/png"}
# Notes the time from the moment a live frame is read off the canvas to that of changed bars.
WATCH_FRAMES = """() => {
    let grabbed = 0, sent = 0;
    window.took = [];
    const read = HTMLCanvasElement.prototype.toDataURL, ask = window.fetch;
    HTMLCanvasElement.prototype.toDataURL = function (...rest) {
        grabbed = performance.now();
        return read.apply(this, rest);
    };
    window.fetch = (url, ...rest) => {
        if (String(url).includes("/live")) sent = grabbed;
        return ask(url, ...rest);
    };
    new MutationObserver(() => {
        if (sent) window.took.push(performance.now() - sent);
        sent = 0;
    }).observe(document.querySelector(".bars"), {subtree: true, attributes: true});
}"""
# Notes the time from mouse-up to the final answer, which screen readers hear.
WATCH_ANSWERS = """() => {
    let up = 0;
    window.took = [];
    window.addEventListener("mouseup", () => { up = performance.now() }, true);
    new MutationObserver(() => {
        if (up) window.took.push(performance.now() - up);
        up = 0;
    }).observe(document.querySelector(".final"), {childList: true});
}"""


def frames_of(digit: int, count: int) -> list[bytes]:
    """A digit as it grows on the canvas, as PNG files."""
    points = [smooth(stroke) for stroke in DIGITS[digit]]
    total = sum(map(len, points))
    frames = []
    for number in range(1, count + 1):
        left = max(2, total * number // count)
        drawn = []
        for stroke in points:
            drawn.append(stroke[:left])
            left -= len(drawn[-1])
            if left < 2:
                break
        picture = write(blank(size=(360, 280)), drawn, 255, 20)
        frames.append(file_of(picture.convert("RGBA")))
    return frames


def summary(seconds: list[float]) -> str:
    slow = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    median = statistics.median(seconds)
    return f"{1000 * median:.1f} ms (95 %: {1000 * slow:.1f} ms, {len(seconds)} times)"


def posts(url: str, frame: bytes, count: int, pause: float) -> list[float]:
    """The seconds that so many POSTs of a frame take, one after the other."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    seconds = []
    for _ in range(count):
        time.sleep(pause)
        begun = time.perf_counter()
        connection.request("POST", f"{parts.path}?{parts.query}", frame, PNG)
        answer = connection.getresponse()
        assert answer.read() and answer.status == 200, answer.status
        seconds.append(time.perf_counter() - begun)
    return seconds


def measure_answer(api: Running, page_server: Running) -> None:
    def strokes(page: Page) -> None:
        for digit in DIGITS.values():
            for stroke in digit:
                before = len(page.evaluate("window.took"))
                draw(page, [stroke])
                page.wait_for_function("before => window.took.length > before", arg=before)
            clear(page)

    seconds = in_chromium(page_server, WATCH_ANSWERS, strokes)
    print(f"from mouse-up to the final answer: {summary(seconds)}")


def measure_frame(api: Running, page_server: Running) -> None:
    def strokes(page: Page) -> None:
        for digit in DIGITS.values():
            draw_slowly(page, digit)
            clear(page)

    seconds = in_chromium(page_server, WATCH_FRAMES, strokes)
    plain = posts(f"{api.url}/api/v1/predict", frames_of(8, 1)[0], 100, EVERY)
    print(f"from a live frame to changed bars: {summary(seconds)}")
    print(f"a plain POST to the API: {summary(plain)}")
    print(f"ratio of the medians: {statistics.median(seconds) / statistics.median(plain):.2f}")


def draw_slowly(page: Page, strokes: list[list[tuple[float, float]]]) -> None:
    """Draw with the speed of a hand."""
    box = canvas_box(page)
    for stroke in strokes:
        page.mouse.move(box["x"] + stroke[0][0], box["y"] + stroke[0][1])
        page.mouse.down()
        for x, y in smooth(stroke):
            page.mouse.move(box["x"] + x, box["y"] + y)
            page.wait_for_timeout(20)
        page.mouse.up()


def in_chromium(page_server: Running, watch: str, act: Callable[[Page], None]) -> list[float]:
    """The seconds that a script in the page noted while somebody drew; a digit comes before."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(60_000)
        page.goto(page_server.url)
        draw(page, DIGITS[7])
        page.get_by_text("This is a 7").first.wait_for()
        clear(page)
        page.evaluate(watch)
        act(page)
        return [took / 1000 for took in page.evaluate("window.took")]


def measure_cost(api: Running, page_server: Running) -> None:
    frame = frames_of(8, 1)[0]

    async def live_url() -> str:
        async with visit(page_server.url) as visitor:
            return page_server.url + visitor.components["reader"][2]["url"]

    live, direct = asyncio.run(live_url()), f"{api.url}/api/v1/predict"
    services = [psutil.Process(service.process.pid) for service in (api, page_server)]

    def cost(url: str) -> list[float]:
        before = [sum(service.cpu_times()[:2]) for service in services]
        posts(url, frame, FRAMES, 0)
        after = [sum(service.cpu_times()[:2]) for service in services]
        return [(b - a) / FRAMES for a, b in zip(before, after, strict=True)]

    cost(live), cost(direct)  # warm
    rounds = [(cost(live), cost(direct)) for _ in range(5)]
    ratios = []
    for (api_live, page_live), (api_direct, _) in rounds:
        ratios.append((api_live + page_live) / api_direct)
        print(
            f"a frame: page {1000 * page_live:.2f} ms, API {1000 * api_live:.2f} ms; "
            f"a prediction: {1000 * api_direct:.2f} ms"
        )
    print(f"ratio: {statistics.median(ratios):.2f}")


def measure_class(api: Running, page_server: Running, visitors: int = 20) -> None:
    growing = {digit: frames_of(digit, 5) for digit in DIGITS}
    finals: list[float] = []
    statuses: list[int] = []
    missing: list[str] = []

    async def draw_all(number: int, visitor: Visitor) -> None:
        await asyncio.sleep(number / visitors)
        for stroke in range(STROKES):
            begun = time.perf_counter()
            frames = growing[(number + stroke) % 10]
            statuses.extend(await visitor.post_frames(frames, PEN_DOWN / len(frames)))
            await asyncio.sleep(begun + PEN_DOWN - time.perf_counter())
            up = time.perf_counter()
            view = await asyncio.wait_for(visitor.draw(frames[-1]), 30)
            finals.append(time.perf_counter() - up)
            if view["kind"] == "waiting":
                missing.append(view["head"])
            await asyncio.sleep(begun + 1 - time.perf_counter())

    async def together() -> None:
        if len(opened) < visitors:
            async with visit(page_server.url) as visitor:
                opened.append(visitor)
                await together()
        else:
            await asyncio.gather(*(draw_all(*each) for each in enumerate(opened)))

    opened: list[Visitor] = []
    services = [psutil.Process(service.process.pid) for service in (api, page_server)]
    alone = resident_megabytes(page_server.process.pid)
    for service in services:
        service.cpu_percent()
    asyncio.run(together())
    cores = [service.cpu_percent() / 100 for service in services]
    answered = statuses.count(200)
    print(f"final answers: {summary(finals)}; missing: {len(missing)}")
    print(f"live frames: {answered} of {len(statuses)} answered")
    print(f"cores: API {cores[0]:.2f}, page {cores[1]:.2f}")
    memory = resident_megabytes(page_server.process.pid)
    print(f"memory of the page's server: {alone:.0f} MB, at the end {memory:.0f} MB")


def measure_uploads(api: Running, page_server: Running) -> None:
    async def upload() -> None:
        async with visit(page_server.url) as visitor:
            for number in range(UPLOADS):
                await visitor.upload(bytes([number % 256]) * UPLOAD_BYTES)

    asyncio.run(upload())
    memory = resident_megabytes(page_server.process.pid)
    print(f"memory of the page's server after {UPLOADS} uploads: {memory:.0f} MB")


def measure_clear(api: Running, page_server: Running) -> None:
    counted = [0]

    def count(payload: str | bytes) -> None:
        counted[0] += len(payload)

    def follow(socket: object) -> None:
        socket.on("framesent", count)
        socket.on("framereceived", count)

    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("websocket", follow)
        page.goto(page_server.url)
        canvas_box(page)
        for number in range(DRAWINGS):
            draw(page, DIGITS[number % 10])
            page.locator(".verdict:not(.waiting)").wait_for()
            page.wait_for_timeout(500)
            counted[0] = 0
            clear(page)
            page.wait_for_timeout(500)
            if number % 50 == 0 or number == DRAWINGS - 1:
                print(f"Clear after {number + 1} drawings: {counted[0] / 1000:.1f} kB", flush=True)


MEASUREMENTS = {
    "answer": measure_answer,
    "frame": measure_frame,
    "cost": measure_cost,
    "class": measure_class,
    "uploads": measure_uploads,
    "clear": measure_clear,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=MEASUREMENTS)
    parser.add_argument("--visitors", type=int, help="how many draw in `class` (20)")
    options = parser.parse_args()
    more = {} if options.visitors is None else {"visitors": options.visitors}
    with running_api() as api, page_service(api.url) as page_server:
        MEASUREMENTS[options.what](api, page_server, **more)


if __name__ == "__main__":
    main()
