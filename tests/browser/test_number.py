"""Numbers drawn on the wide canvas, read and corrected on the screen."""

import pytest
from playwright.sync_api import expect
from tests.support.canvas import head, mirrored
from tests.support.pen import DIGITS, draw

MIRRORED_6 = mirrored(6)  # it is read as a 2
MIRRORED_7 = mirrored(7)  # taken for no digit
WIDE = 560  # px


def boxes(page):
    return page.locator(".st-key-wide-frame .box")


def row(digits):
    """The strokes of digits side by side on the wide canvas."""
    return [
        [(130 * place - 15 + 0.62 * x, 12 + 0.62 * y) for x, y in stroke]
        for place, digit in enumerate(digits)
        for stroke in digit
    ]


def draw_number(page, digits, name="A number"):
    """Choose to draw a number and draw the digits on the wide canvas, as large as it is shown."""
    page.get_by_role("radio", name=name).click()
    frame = page.locator(".st-key-wide-frame")
    canvas = frame.locator("canvas.upper-canvas")
    canvas.wait_for()
    shown = canvas.bounding_box()["width"] / WIDE
    assert shown == pytest.approx(frame.bounding_box()["width"] / WIDE)
    draw(page, [[(x * shown, y * shown) for x, y in stroke] for stroke in row(digits)])


@pytest.mark.parametrize(("width", "has_touch"), [(320, True), (390, True), (1280, False)])
def test_2026_drawn_on_the_wide_canvas_is_read_and_fits_on_the_screen(
    open_page, page_url, width, has_touch
):
    page = open_page(page_url, viewport={"width": width, "height": 844}, has_touch=has_touch)
    draw_number(page, [DIGITS[digit] for digit in (2, 0, 2, 6)])
    expect(head(page)).to_have_text("This is 2026")
    expect(boxes(page)).to_have_text(["2", "0", "2", "6"])
    main = page.get_by_test_id("stMain")
    wide, room = main.evaluate("main => [main.scrollWidth, main.clientWidth]")
    assert wide <= room


def test_a_number_is_read_in_french_and_stays_when_the_language_changes(open_page, page_url):
    page = open_page(f"{page_url}?language=fr")
    draw_number(page, [DIGITS[2], DIGITS[6]], name="Un nombre")
    expect(head(page)).to_have_text("C\N{RIGHT SINGLE QUOTATION MARK}est 26")
    page.get_by_role("radio", name="EN", exact=True).click()
    expect(head(page)).to_have_text("This is 26")
    expect(page.get_by_role("radio", name="A number")).to_be_checked()
    expect(boxes(page)).to_have_text(["2", "6"])
    page.get_by_role("radio", name="FR", exact=True).click()
    expect(head(page)).to_have_text("C\N{RIGHT SINGLE QUOTATION MARK}est 26")
    expect(page.get_by_role("radio", name="Un nombre")).to_be_checked()


def test_one_digit_of_a_number_is_corrected_by_keyboard(open_page, page_url):
    page = open_page(page_url)
    draw_number(page, [DIGITS[2], MIRRORED_6])
    expect(boxes(page)).to_have_count(2)
    chosen = page.locator(".st-key-digit").get_by_role("radio").nth(1)
    chosen.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="6", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".answer-learnt")).to_have_text("Learnt: 1 example")
    expect(head(page)).to_have_text("This is 26")


def test_what_is_taken_for_no_digit_is_corrected_like_any_other(open_page, page_url):
    page = open_page(page_url)
    draw_number(page, [DIGITS[2], MIRRORED_7])
    expect(head(page)).to_have_text("This is not a number")
    expect(boxes(page)).to_have_text(["2", "?"])
    page.get_by_role("button", name="7", exact=True).click()
    expect(page.locator(".answer-learnt")).to_have_text("Learnt: 1 example")
    expect(head(page)).to_have_text("This is 27")
    expect(page.locator(".st-key-digit").get_by_role("radio", name="7")).to_be_checked()
