"""The ten digits as mouse strokes, and a hand that draws them on the page's canvas in a browser.

Points are (x, y) in canvas pixels, x right, y down, on the left 280x280 of the canvas. Each stroke
is drawn along a smooth curve through its points. Regional forms are among them: a 1 with flag and
foot, a crossed 7, a 9 with a curled tail, an open 4.
"""

from typing import TYPE_CHECKING

import numpy as np

from app.front.settings import CANVAS_SIZE

if TYPE_CHECKING:
    from playwright.sync_api import Page

WAIT = 60_000  # ms
FINISHED = "canvas.dc-canvas.lower-canvas"  # where the component keeps the finished strokes
# The last stroke is painted in the next animation frame.
AS_PAINTED = """canvas => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(
    () => done(canvas.toDataURL()))))"""
Strokes = list[list[tuple[float, float]]]

DIGITS: dict[int, Strokes] = {
    0: [[(158, 52), (112, 60), (86, 110), (86, 175), (116, 226), (160, 226), (192, 175),
         (194, 110), (172, 62), (148, 50)]],
    1: [[(95, 110), (125, 80), (150, 45)], [(150, 45), (148, 140), (147, 232)],
        [(108, 232), (147, 232), (188, 231)]],
    2: [[(88, 95), (105, 58), (145, 46), (185, 66), (185, 110), (150, 160), (90, 228)],
        [(90, 228), (140, 228), (200, 224)]],
    3: [[(92, 66), (130, 46), (175, 60), (178, 100), (130, 132)],
        [(130, 132), (180, 142), (195, 185), (160, 228), (115, 232), (85, 210)]],
    4: [[(130, 48), (112, 100), (88, 158)], [(88, 158), (140, 160), (210, 156)],
        [(172, 105), (168, 160), (164, 236)]],
    5: [[(188, 52), (145, 54), (108, 56)], [(108, 56), (102, 95), (98, 128)],
        [(98, 128), (145, 115), (188, 140), (190, 190), (150, 230), (95, 218)]],
    6: [[(172, 48), (125, 90), (98, 155), (105, 212), (145, 232), (182, 205), (178, 165),
         (142, 148), (104, 175)]],
    7: [[(85, 58), (140, 58), (200, 56)], [(200, 56), (165, 130), (128, 235)],
        [(112, 142), (150, 140), (190, 138)]],
    8: [[(178, 74), (144, 48), (104, 70), (110, 110), (148, 138), (186, 172), (180, 214),
         (140, 234), (100, 212), (100, 174), (138, 140), (176, 112), (184, 86), (170, 62)]],
    9: [[(182, 84), (150, 52), (108, 64), (98, 104), (124, 136), (164, 128), (186, 88)],
        [(186, 78), (187, 150), (178, 205), (142, 235), (106, 228), (96, 206)]],
}  # fmt: skip


def smooth(points: list[tuple[float, float]], steps: int = 6) -> list[tuple[float, float]]:
    """Return a Catmull-Rom curve through the points, `steps` points per piece."""
    p = np.array([points[0], *points, points[-1]], dtype=float)
    t = np.arange(steps)[:, None] / steps
    pieces = [
        a + t * (b - before) / 2 + t**2 * (before - 2.5 * a + 2 * b - after / 2)
        + t**3 * (1.5 * (a - b) + (after - before) / 2)
        for before, a, b, after in zip(p, p[1:], p[2:], p[3:], strict=False)
    ]  # fmt: skip
    return [(round(x, 1), round(y, 1)) for x, y in np.concatenate([*pieces, p[-1:]]).tolist()]


def draw(page: "Page", strokes: Strokes) -> None:
    """Draw the strokes with the mouse, each as one press, drag and release."""
    for points in on_screen(page, strokes):
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def draw_with_a_finger(page: "Page", strokes: Strokes) -> None:
    """Draw the strokes by Chromium's own touch events, each as one touch."""
    chrome = page.context.new_cdp_session(page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y} for x, y in points]
        chrome.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    for points in on_screen(page, strokes):
        send("touchStart", points[0])
        for point in points[1:]:
            send("touchMove", point)
        send("touchEnd")


def on_screen(page: "Page", strokes: Strokes) -> Strokes:
    """The curves through the strokes' points, in pixels of the window; waits for the canvas."""
    # the script that follows the pen has found the canvas as soon as the tools are there
    page.wait_for_function("document.querySelector('.tools .clear')?.textContent", timeout=WAIT)
    canvas = page.locator("canvas.upper-canvas")
    canvas.scroll_into_view_if_needed(timeout=WAIT)
    box = canvas.bounding_box()
    scale = box["width"] / CANVAS_SIZE[0]
    return [
        [(box["x"] + scale * x, box["y"] + scale * y) for x, y in smooth(stroke)]
        for stroke in strokes
    ]


def ink(page: "Page") -> str:
    """The finished strokes on the canvas, as data URL."""
    return page.locator(FINISHED).evaluate(AS_PAINTED)
