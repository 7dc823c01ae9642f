"""From mouse-up to the new answer on the screen, in Chromium: ``bash run.sh bench page``.

API and page run beside the browser on this machine. A digit is drawn stroke by stroke, and for each
stroke the browser itself takes the time from its own pointer event to the painted answer. The
canvas alone waits 0.2 s after a stroke, in case another follows.
"""

import argparse
import os
import platform
import statistics
import sys
from typing import TYPE_CHECKING, TypedDict

from tests.support.browser import chromium, running_page
from tests.support.pen import DIGITS, SEEN, Strokes, clear, draw
from tests.support.services import running_api

from errors import DigitsError
from evaluation.results import markdown_table, write_results
from model.config import MODELS_DIR

if TYPE_CHECKING:
    from playwright.sync_api import Page

AIM = 0.45  # seconds, median
# Notes when the mouse was released last, and when the image of a new answer was painted.
WATCH = """selector => {
    window.addEventListener("mouseup", () => { window.released = performance.now() }, true);
    let seen = document.querySelector(selector)?.src;
    const look = () => {
        const now = document.querySelector(selector)?.src;
        if (now && now !== seen) { seen = now; window.answered = performance.now() }
        requestAnimationFrame(look);
    };
    look();
}"""
NEW_ANSWER = "() => window.answered > window.released"
SECONDS = "() => (window.answered - window.released) / 1000"


def measure(page: "Page", strokes: int) -> list[float]:
    """Draw digits stroke by stroke; return the seconds that each answer took.

    Args:
        page: with the canvas of the drawing page.
        strokes: how many to measure; the first digit comes on top, to warm up.
    """
    page.locator(SEEN).wait_for()
    page.evaluate(WATCH, SEEN)
    draw_digit(page, DIGITS[7])
    seconds: list[float] = []
    while len(seconds) < strokes:
        for digit in DIGITS.values():
            seconds += draw_digit(page, digit)
    return seconds[:strokes]


def draw_digit(page: "Page", digit: Strokes) -> list[float]:
    """Clear the canvas, draw a digit, and return the seconds from each stroke to its answer."""
    if page.get_by_role("button", name="Clear").is_enabled():
        clear(page)
        page.locator(".answer.waiting").wait_for()
    seconds = []
    for stroke in digit:
        page.evaluate("window.answered = 0")
        draw(page, [stroke])
        page.wait_for_function(NEW_ANSWER)
        seconds.append(page.evaluate(SECONDS))
        print(f"stroke {len(seconds)}: {seconds[-1]:.3f} s", file=sys.stderr, flush=True)
    return seconds


class PageResult(TypedDict):
    """Seconds from mouse-up to the new answer, and the machine."""

    strokes: int
    median_seconds: float
    p95_seconds: float
    slowest_seconds: float
    aim_seconds: float
    hardware: str


def summary(seconds: list[float]) -> PageResult:
    """Return median, 95th percentile and what they were measured on."""
    ordered = sorted(seconds)
    return {
        "strokes": len(seconds),
        "median_seconds": round(statistics.median(ordered), 3),
        "p95_seconds": round(statistics.quantiles(ordered, n=20, method="inclusive")[-1], 3),
        "slowest_seconds": round(ordered[-1], 3),
        "aim_seconds": AIM,
        "hardware": f"{platform.machine()}, {os.cpu_count()} cores",
    }


def table(result: PageResult) -> str:
    """Return the result as a Markdown table."""
    times = (result["median_seconds"], result["p95_seconds"], result["slowest_seconds"])
    header = [f"mouse-up to the new answer, {result['hardware']}", "median", "95 %", "slowest"]
    row = [f"{result['strokes']} strokes", *(f"{seconds:.2f} s" for seconds in times)]
    return markdown_table(header, [row])


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, write it to `models/bench-page.json` and `.md`."""
    parser = argparse.ArgumentParser(prog="bash run.sh bench page", description=__doc__)
    parser.add_argument("--strokes", type=int, default=30, help="how many to measure (30)")
    options = parser.parse_args(arguments)
    if options.strokes < 2:
        parser.error("at least 2 strokes make a median and a spread")
    try:
        with running_api() as api, running_page(api.url) as url, chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(60_000)
            page.goto(url)
            result = summary(measure(page, options.strokes))
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    page_text = f"# How quick the page is\n\n{table(result)}"
    write_results(MODELS_DIR / "bench-page.json", result, page_text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
