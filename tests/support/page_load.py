"""Measures the page: PYTHONPATH=src .venv/bin/python -m tests.support.page_load WHAT

browser  in Chromium: from a live frame to changed bars, against a plain POST to the API; from
         mouse-up to the final answer
cost     processor time of page and API for a live frame, against one prediction
class    visitors (20) who draw a stroke a second, with live frames, and the memory that this takes
uploads  memory of the page's server after 300 uploads that no page shows
clear    bytes that Clear sends after 200 drawings, both ways

Each starts an API and a page on this machine. Times hold for a quiet one: ratios count.
"""

import argparse
import asyncio
import http.client
import statistics
import time
from urllib.parse import urlsplit

import psutil
from tests.support.browser import chromium, page_service
from tests.support.drawings import blank, file_of, write
from tests.support.pen import DIGITS, clear, draw, smooth
from tests.support.services import Running, resident_megabytes, running_api
from tests.support.visitor import Visitor, visit

SECONDS = 20  # that the class draws
FRAMES = 400  # for one value of the cost
UPLOADS, UPLOAD_BYTES = 300, 4_900_000
DRAWINGS = 200
PEN_DOWN = 0.5  # s of each second
EVERY = 0.1  # s between two live frames, as in the page's script
PEN_PAUSE = 15  # ms between two points, as a hand draws
# Notes the time from reading a live frame off the canvas to changed bars, and from mouse-up to the
# final answer, which screen readers hear.
WATCH = """() => {
    let grabbed = 0, sent = 0, up = 0;
    window.live = [];
    window.final = [];
    const read = HTMLCanvasElement.prototype.toDataURL, ask = window.fetch;
    HTMLCanvasElement.prototype.toDataURL = function (...rest) {
        grabbed = performance.now();
        return read.apply(this, rest);
    };
    window.fetch = (url, ...rest) => {
        if (String(url).includes("/live")) sent = grabbed;
        return ask(url, ...rest);
    };
    window.addEventListener("mouseup", event => {
        if (event.composedPath()[0].matches("canvas")) up = performance.now();
    }, true);
    const note = (list, begun) => { if (begun) list.push((performance.now() - begun) / 1000) };
    new MutationObserver(() => { note(window.live, sent); sent = 0 })
        .observe(document.querySelector(".bars"), {subtree: true, attributes: true});
    new MutationObserver(() => { note(window.final, up); up = 0 })
        .observe(document.querySelector(".final"), {childList: true});
}"""


def frames_of(digit: int, count: int) -> list[bytes]:
    """A digit as it grows on the canvas, as PNG files."""
    points = [(number, point) for number, s in enumerate(DIGITS[digit]) for point in smooth(s)]
    frames = []
    for step in range(1, count + 1):
        seen = points[: max(2, len(points) * step // count)]
        strokes = [[p for of, p in seen if of == number] for number in range(len(DIGITS[digit]))]
        picture = write(blank(size=(360, 280)), [s for s in strokes if len(s) > 1], 255, 20)
        frames.append(file_of(picture.convert("RGBA")))
    return frames


def summary(seconds: list[float]) -> str:
    slow = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    median = statistics.median(seconds)
    return f"{1000 * median:.1f} ms (95 %: {1000 * slow:.1f} ms, {len(seconds)} times)"


def posts(url: str, frame: bytes, count: int, pause: float = 0) -> list[float]:
    """The seconds that so many POSTs of a frame take, one after the other."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    path, headers = f"{parts.path}?{parts.query}", {"Content-Type": "image/png"}
    seconds = []
    for _ in range(count):
        time.sleep(pause)
        begun = time.perf_counter()
        connection.request("POST", path, frame, headers)
        answer = connection.getresponse()
        assert answer.read() and answer.status == 200, answer.status
        seconds.append(time.perf_counter() - begun)
    return seconds


def measure_browser(api: Running, server: Running) -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(60_000)
        page.goto(server.url)
        draw(page, DIGITS[7])
        page.get_by_text("This is a 7").first.wait_for()
        clear(page)
        page.evaluate(WATCH)
        for digit in DIGITS.values():
            for stroke in digit:
                answers = len(page.evaluate("window.final"))
                draw(page, [stroke], PEN_PAUSE)
                page.wait_for_function("before => window.final.length > before", arg=answers)
            clear(page)
        live, final = page.evaluate("window.live"), page.evaluate("window.final")
    plain = posts(f"{api.url}/api/v1/predict", frames_of(8, 1)[0], 100, EVERY)
    print(f"from a live frame to changed bars: {summary(live)}")
    print(f"a plain POST to the API: {summary(plain)}")
    print(f"ratio of the medians: {statistics.median(live) / statistics.median(plain):.2f}")
    print(f"from mouse-up to the final answer: {summary(final)}")


def measure_cost(api: Running, server: Running) -> None:
    async def live_url() -> str:
        async with visit(server.url) as visitor:
            return server.url + visitor.live

    live, direct = asyncio.run(live_url()), f"{api.url}/api/v1/predict"
    frame = frames_of(8, 1)[0]
    services = [psutil.Process(service.process.pid) for service in (api, server)]

    def cost(url: str) -> float:
        """The milliseconds of both services for one frame."""
        before = sum(sum(service.cpu_times()[:2]) for service in services)
        posts(url, frame, FRAMES)
        return 1000 * (sum(sum(service.cpu_times()[:2]) for service in services) - before) / FRAMES

    cost(live), cost(direct)  # warm
    rounds = [(cost(live), cost(direct)) for _ in range(5)]
    for of_frame, of_prediction in rounds:
        print(f"a live frame {of_frame:.2f} ms, a prediction {of_prediction:.2f} ms")
    print(f"ratio: {statistics.median(a / b for a, b in rounds):.2f}")


def measure_class(api: Running, server: Running, visitors: int = 20) -> None:
    growing = {digit: frames_of(digit, round(PEN_DOWN / EVERY)) for digit in DIGITS}
    finals: list[float] = []
    statuses: list[int] = []
    views: list[str] = []
    opened: list[Visitor] = []

    async def draw_all(number: int, visitor: Visitor) -> None:
        await asyncio.sleep(number / visitors)
        for second in range(SECONDS):
            begun = time.perf_counter()
            frames = growing[(number + second) % 10]
            statuses.extend(await visitor.post_frames(frames, EVERY))
            await asyncio.sleep(begun + PEN_DOWN - time.perf_counter())
            up = time.perf_counter()
            views.append((await visitor.draw(frames[-1]))["kind"])
            finals.append(time.perf_counter() - up)
            await asyncio.sleep(begun + 1 - time.perf_counter())

    async def open_all() -> None:
        if len(opened) == visitors:
            await asyncio.gather(*(draw_all(*each) for each in enumerate(opened)))
            return
        async with visit(server.url) as visitor:
            opened.append(visitor)
            await open_all()

    services = [psutil.Process(service.process.pid) for service in (api, server)]
    before = resident_megabytes(server.process.pid)
    spent = [sum(service.cpu_times()[:2]) for service in services]
    asyncio.run(open_all())
    after = resident_megabytes(server.process.pid)
    of_api, of_page = (
        1000 * (sum(service.cpu_times()[:2]) - earlier) / len(finals)
        for service, earlier in zip(services, spent, strict=True)
    )
    print(f"final answers: {summary(finals)}; missing: {views.count('waiting')}")
    print(f"live frames: {statuses.count(200)} of {len(statuses)} answered")
    print(f"processor time a stroke: API {of_api:.1f} ms, page {of_page:.1f} ms")
    print(f"memory of the page's server: {before:.0f} MB, at the end {after:.0f} MB")


def measure_uploads(api: Running, server: Running) -> None:
    async def upload() -> None:
        async with visit(server.url) as visitor:
            for number in range(UPLOADS):
                await visitor.upload(bytes([number % 256]) * UPLOAD_BYTES)

    asyncio.run(upload())
    memory = resident_megabytes(server.process.pid)
    print(f"memory of the page's server after {UPLOADS} uploads: {memory:.0f} MB")


def measure_clear(api: Running, server: Running) -> None:
    async def draw_and_clear() -> None:
        frames = [frames_of(digit, 1)[0] for digit in DIGITS]
        async with visit(server.url) as visitor:
            for number in range(DRAWINGS):
                await visitor.draw(frames[number % 10])
                before = visitor.transferred
                await visitor.draw(file_of(blank(size=(360, 280)).convert("RGBA")), strokes=0)
            kilobytes = (visitor.transferred - before) / 1000
            print(f"Clear after {DRAWINGS} drawings: {kilobytes:.1f} kB, both ways")

    asyncio.run(draw_and_clear())


MEASUREMENTS = {
    "browser": measure_browser,
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
    parser.add_argument("--visitors", type=int, default=20, help="how many draw in `class` (20)")
    options = parser.parse_args()
    more = {"visitors": options.visitors} if options.what == "class" else {}
    with running_api() as api, page_service(api.url) as server:
        MEASUREMENTS[options.what](api, server, **more)


if __name__ == "__main__":
    main()
