"""Take the pictures of the page in notebooks/figures/ anew, in the light and the dark theme.

From the repository: PYTHONPATH=src .venv/bin/python -m tests.support.screenshots
"""

from io import BytesIO

from PIL import Image
from playwright.sync_api import Page
from tests.support.browser import chromium, find_chromium, page_service
from tests.support.pen import DIGITS, WAIT, draw
from tests.support.services import running_api

from model.config import REPOSITORY

FOLDER = REPOSITORY / "notebooks" / "figures"
COMPLETE = """document.querySelector("[data-test-script-state=notRunning]") &&
    [...document.images].every(one => one.hidden || one.complete)"""


def draw_in_the_middle(page: Page, digit: int) -> None:
    """Draw a digit and wait until it is read."""
    draw(page, [[(x + 35, y) for x, y in stroke] for stroke in DIGITS[digit]])
    page.locator(".final", has_text=f" {digit}.").wait_for(state="attached")


def save(page: Page, name: str, height: int) -> None:
    """Save what the window shows at a height, once all of it is there."""
    page.mouse.move(0, 0)  # no button is pointed at
    page.set_viewport_size({"width": 1120, "height": height})
    page.wait_for_function(COMPLETE)
    shot = Image.open(BytesIO(page.screenshot(animations="disabled")))
    shot.convert("RGB").save(FOLDER / f"{name}.png", optimize=True)
    print(f"notebooks/figures/{name}.png")


def main() -> None:
    """A 7 that is explained, the network at work on it, and an 8 pushed aside for every network."""
    with chromium(find_chromium()) as browser, running_api() as api, page_service(api.url) as site:
        for theme, suffix in (("light", ""), ("dark", "-dark")):
            page = browser.new_page(color_scheme=theme, viewport={"width": 1120, "height": 700})
            page.set_default_timeout(WAIT)
            page.goto(site.url)
            draw_in_the_middle(page, 7)
            page.get_by_role("button", name="Why?").click()
            page.locator(".evidence").wait_for()
            save(page, f"draw{suffix}", 700)
            page.get_by_role("button", name="Look inside").click()
            page.locator(".maps").last.wait_for()
            save(page, f"look-inside{suffix}", 1010)
            page.get_by_role("button", name="Clear").click()
            draw_in_the_middle(page, 8)
            page.get_by_role("link", name="Compare").click()
            page.get_by_role("radio", name="Push it aside").click()
            page.get_by_text("six pixels to the right").wait_for()  # comes before the cards
            save(page, f"compare{suffix}", 480)


if __name__ == "__main__":
    main()
