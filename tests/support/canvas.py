"""Drawing on the page's canvas as a visitor does: stroke by stroke, with an answer after each."""

from playwright.sync_api import Locator, Page
from tests.support.pen import DIGITS, SEEN, Strokes, draw


def draw_and_read(page: Page, strokes: Strokes) -> None:
    """Draw the strokes one by one, waiting after each until the page shows the new answer."""
    for stroke in strokes:
        before = page.locator(SEEN).get_attribute("src")
        draw(page, [stroke])
        page.wait_for_function(
            "([selector, before]) => document.querySelector(selector)?.src !== before",
            arg=[SEEN, before],
        )


def head(page: Page) -> Locator:
    """The line in which the page says what it has read."""
    return page.locator(".answer-head")


def mirrored(digit: int) -> Strokes:
    """The strokes of a digit as in a mirror."""
    return [[(280 - x, y) for x, y in stroke] for stroke in DIGITS[digit]]
