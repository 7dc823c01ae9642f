"""From mouse-up to the new answer on the screen, in Chromium.

From the repository: PYTHONPATH=src .venv/bin/python -m tests.support.page_load

API and page run beside the browser on this machine. A digit is drawn stroke by stroke. For each
stroke the browser itself takes the time from its own pointer event to the painted answer. The
canvas alone waits 0.2 s after a stroke, in case another follows.
"""

import argparse
import statistics
import sys

from playwright.sync_api import Page
from tests.support.browser import chromium, running_page
from tests.support.pen import DIGITS, SEEN, Strokes, clear, draw
from tests.support.services import running_api

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


def measure(page: Page, strokes: int) -> list[float]:
    """The seconds that the answers took to so many strokes; a digit comes before, to warm up."""
    page.locator(SEEN).wait_for()
    page.evaluate(WATCH, SEEN)
    draw_digit(page, DIGITS[7])
    seconds: list[float] = []
    while len(seconds) < strokes:
        for digit in DIGITS.values():
            seconds += draw_digit(page, digit)
    return seconds[:strokes]


def draw_digit(page: Page, digit: Strokes) -> list[float]:
    """Clear the canvas and draw a digit; give the seconds from each stroke to its answer."""
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strokes", type=int, default=30, help="how many to measure (30)")
    options = parser.parse_args()
    with running_api() as api, running_page(api.url) as url, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(60_000)
        page.goto(url)
        seconds = measure(page, options.strokes)
    slow = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    median = statistics.median(seconds)
    print(f"median {median:.2f} s, 95 % {slow:.2f} s, slowest {max(seconds):.2f} s")


if __name__ == "__main__":
    main()
