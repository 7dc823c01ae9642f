"""A finger on a screen, by Chromium's own touch events."""

from playwright.sync_api import Page
from tests.support.pen import Strokes, canvas_box, smooth


def draw_with_a_finger(page: Page, strokes: Strokes) -> None:
    """Draw the strokes on the page's canvas, each as one touch."""
    box = canvas_box(page)
    chrome = page.context.new_cdp_session(page)

    def send(kind: str, points: list[tuple[float, float]]) -> None:
        touches = [{"x": box["x"] + x, "y": box["y"] + y} for x, y in points]
        chrome.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    for stroke in strokes:
        points = smooth(stroke)
        send("touchStart", points[:1])
        for point in points[1:]:
            send("touchMove", [point])
        send("touchEnd", [])
