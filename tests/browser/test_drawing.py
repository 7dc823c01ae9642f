"""Digits drawn with the mouse and the finger, read on the screen while they are drawn."""

import pytest
from PIL import Image
from pillow_heif import register_heif_opener
from playwright.sync_api import expect
from tests.support.pen import DIGITS, FINISHED, draw, draw_with_a_finger, ink, on_screen

from model.config import REPOSITORY

register_heif_opener()
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
ONE_STROKE = [DIGITS[3][0] + DIGITS[3][1]]  # 0, 7, 2, 3 on the way
# Notes each answer that is shown, and what a screen reader is told.
WATCH = """() => {
    window.shown = [], window.spoken = [];
    const note = (list, selector) => {
        const text = document.querySelector(selector)?.textContent;
        if (text && text !== list.at(-1)) list.push(text);
    };
    const look = () => {
        note(window.shown, ".verdict"), note(window.spoken, ".final");
        requestAnimationFrame(look);
    };
    look();
}"""


def head(page):
    """The line in which the page says what it has read."""
    return page.locator(".head")


def clear(page):
    """Clear the canvas, which happens in the browser at once."""
    page.get_by_role("button", name="Clear").click()


def draw_slowly(page, strokes):
    """Draw, waiting at every point until the frame with it is answered."""
    for points in on_screen(page, strokes):
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1::2]:
            with page.expect_response("**/live?*"):
                page.mouse.move(*point)


def test_every_digit_drawn_with_the_mouse_is_read(open_page, page_url):
    page = open_page(page_url)
    for digit, strokes in DIGITS.items():
        draw(page, strokes)
        expect(head(page)).to_have_text(f"This is {'an' if digit == 8 else 'a'} {digit}")
        clear(page)
        expect(head(page)).to_have_text("Draw here")


def test_the_answer_changes_while_the_pen_moves_and_is_spoken_at_the_end_alone(open_page, page_url):
    page = open_page(page_url)
    expect(head(page)).to_have_text("Draw here")
    page.evaluate(WATCH)
    draw_slowly(page, ONE_STROKE)
    assert len(page.evaluate("window.shown")) > 5  # the first says what to do
    assert page.evaluate("window.spoken") == []
    page.mouse.up()
    expect(page.locator(".final")).to_contain_text("This is a 3")
    assert [text.partition(".")[0] for text in page.evaluate("window.spoken")] == ["This is a 3"]
    assert "Draw here" not in page.evaluate("window.shown.slice(1).join()")


def test_reading_meanwhile_leaves_the_drawing_as_it_is(open_page, page_url):
    pages = [open_page(page_url), open_page(page_url)]
    pages[1].route("**/live?*", lambda route: route.abort())
    for page in pages:
        draw(page, ONE_STROKE)
        expect(page.locator(".final")).to_contain_text("This is a 3")  # also where it is blocked
    assert ink(pages[0]) == ink(pages[1])


def test_frames_carry_what_was_learnt(open_page, page_url):
    page = open_page(page_url)
    draw(page, DIGITS[7])
    expect(page.locator(".final")).to_contain_text("This is a 7")
    page.get_by_role("button", name="1: this is what I drew").click()
    expect(page.locator(".final")).to_contain_text("You said 1")
    clear(page)
    with page.expect_response(
        lambda answer: "/live?" in answer.url and answer.status == 200
    ) as frame:
        draw(page, DIGITS[7])
    assert frame.value.json()["examples"] == 1
    expect(page.locator(".final")).to_contain_text("It has learnt one of your digits")


@pytest.mark.parametrize("delay", [0, 400])
@pytest.mark.parametrize("press", ["Clear", "Undo"])
def test_no_stroke_after_clear_or_undo_is_lost(open_page, page_url, press, delay):
    page = open_page(page_url)
    draw(page, [[(60, 60), (240, 220)]])
    page.get_by_role("button", name=press).click()
    page.wait_for_timeout(delay)
    draw(page, DIGITS[4])
    expect(page.locator(".final")).to_contain_text("This is a 4")
    fresh = open_page(page_url)
    draw(fresh, DIGITS[4])
    assert ink(page) == ink(fresh)


def test_strokes_that_begin_in_a_corner_are_drawn_with_a_finger(open_page, page_url):
    page = open_page(page_url, **PHONE)
    corners = [(8, 8), (352, 8), (8, 272), (352, 272)]
    draw_with_a_finger(page, [[corner, (180, 140)] for corner in corners])
    ink(page)  # all is painted
    for x, y in corners:
        inked = f"canvas => canvas.getContext('2d').getImageData({x}, {y}, 1, 1).data[0]"
        assert page.locator(FINISHED).evaluate(inked) == 255
    draw_with_a_finger(page, [[(340, 6), (341, 6)]])  # where the component's toolbar was
    expect(page.get_by_role("button", name="Clear")).to_be_enabled()


def test_on_a_phone_canvas_answer_and_ten_values_are_on_one_screen(open_page, page_url):
    page = open_page(page_url, **PHONE)
    draw_with_a_finger(page, DIGITS[7])
    expect(head(page)).to_have_text("This is a 7")
    for part in (".st-key-canvas-frame", ".head", ".bars", ".tools"):
        expect(page.locator(part)).to_be_in_viewport(ratio=1)


def test_another_page_and_a_reload_keep_the_drawing_and_what_was_learnt(open_page, page_url):
    page = open_page(page_url)
    draw(page, DIGITS[4])
    page.get_by_role("button", name="4: this is what I drew").click()
    expect(head(page)).to_have_text("You said 4")
    drawn = ink(page)
    page.get_by_role("link", name="About").click()
    expect(page.locator("h1")).to_have_text("About Digits")
    page.get_by_role("link", name="Draw", exact=True).click()
    expect(page.locator(".final")).to_contain_text("4")
    page.reload()
    expect(page.locator(".final")).to_contain_text("This is a 4")
    expect(page.locator(".final")).to_contain_text("learnt one of your digits")
    assert ink(page) == drawn


def test_two_digits_are_read_as_a_number_on_the_same_canvas(open_page, page_url):
    page = open_page(page_url)
    for digit, left in ((4, -40), (2, 110)):
        draw(page, [[(0.6 * x + left, y) for x, y in stroke] for stroke in DIGITS[digit]])
    expect(page.locator(".final")).to_contain_text("This is 42")
    expect(page.locator(".digits button")).to_have_count(2)


def test_why_and_the_network_at_work_are_on_the_same_screen(open_page, page_url):
    page = open_page(page_url)
    draw(page, ONE_STROKE)
    expect(page.locator(".final")).to_contain_text("This is a 3")
    page.get_by_role("button", name="Why?").click()
    expect(page.locator(".legend")).to_contain_text("Red speaks for a 3")
    expect(page.locator(".evidence")).to_be_visible()
    expect(page.locator(".way figure")).to_have_count(3)
    page.get_by_role("button", name="Look inside").click()
    expect(page.locator(".maps")).to_have_count(2)
    expect(page.locator(".maps button")).to_have_count(16)
    page.locator(".maps button").nth(9).focus()
    expect(page.locator(".pointed p")).to_contain_text("layer 2")


def test_a_picture_is_chosen_by_keyboard_and_apple_s_format_is_shown_and_read(
    open_page, page_url, tmp_path
):
    photograph = tmp_path / "5.heic"
    Image.open(REPOSITORY / "data" / "digits" / "5.png").convert("RGB").save(photograph, "HEIF")
    page = open_page(page_url)
    draw(page, DIGITS[4])
    expect(head(page)).to_have_text("This is a 4")
    page.get_by_role("radio", name="Upload").focus()
    page.keyboard.press("Space")
    expect(head(page)).to_have_text("No picture yet")  # nothing is left of the drawing's answer
    with page.expect_file_chooser() as chooser:
        page.get_by_test_id("stFileUploader").locator("button").focus()
        page.keyboard.press("Enter")
    chooser.value.set_files(photograph)
    expect(head(page)).to_have_text("This is a 5")
    shown = page.get_by_alt_text("Your picture")
    assert shown.evaluate("image => image.complete && image.naturalWidth") > 0
    page.get_by_role("radio", name="Draw").click()
    expect(head(page)).to_have_text("This is a 4")
