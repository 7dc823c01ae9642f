"""A class that draws: PYTHONPATH=src .venv/bin/python -m tests.support.page_load [--visitors 20]

Starts an API and a page on this machine. Each visitor draws a stroke a second for 20 seconds, with
live frames. Prints how long the answers after a stroke take and how many frames are answered.
"""

import argparse
import asyncio
import statistics
import time
from contextlib import AsyncExitStack

from tests.support.browser import page_service
from tests.support.drawings import blank, file_of, write
from tests.support.pen import DIGITS, smooth
from tests.support.services import running_api
from tests.support.visitor import Visitor, visit

SECONDS = 20
PEN_DOWN = 0.5  # s of each second
EVERY = 0.1  # s between two live frames, as in the page's script


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


def measure(url: str, visitors: int) -> None:
    growing = {digit: frames_of(digit, round(PEN_DOWN / EVERY)) for digit in DIGITS}
    finals: list[float] = []
    statuses: list[int] = []
    views: list[str] = []

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
        async with AsyncExitStack() as stack:
            opened = [await stack.enter_async_context(visit(url)) for _ in range(visitors)]
            await asyncio.gather(*(draw_all(*each) for each in enumerate(opened)))

    asyncio.run(open_all())
    slow = statistics.quantiles(finals, n=20)[-1]
    print(f"answers after a stroke: {statistics.median(finals):.3f} s (95 %: {slow:.3f} s)")
    print(f"missing: {views.count('waiting')} of {len(views)}")
    print(f"live frames: {statuses.count(200)} of {len(statuses)} answered")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--visitors", type=int, default=20, help="how many draw (20)")
    options = parser.parse_args()
    with running_api() as api, page_service(api.url) as server:
        measure(server.url, options.visitors)
