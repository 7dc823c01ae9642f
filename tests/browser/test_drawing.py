"""Digits drawn with the mouse and the finger, read on the screen."""

import pytest
from PIL import Image
from playwright.sync_api import expect
from tests.support.canvas import draw_and_read, head
from tests.support.pen import DIGITS, SEEN, clear, draw
from tests.support.touch import draw_with_a_finger

from model.config import REPOSITORY
from model.data.strokes import read_strokes


@pytest.mark.parametrize("digit", DIGITS)
def test_a_digit_drawn_with_the_mouse_is_read(open_page, page_url, digit):
    page = open_page(page_url)
    draw(page, DIGITS[digit])
    expect(head(page)).to_have_text(f"This is a {digit}")


def test_a_digit_drawn_with_a_finger_on_a_phone_is_read(open_page, page_url):
    page = open_page(page_url, viewport={"width": 390, "height": 844}, has_touch=True)
    draw_with_a_finger(page, DIGITS[7])
    expect(head(page)).to_have_text("This is a 7")
    expect(head(page)).to_be_in_viewport()


def test_undo_and_clear_act_on_the_canvas_itself(open_page, page_url):
    page = open_page(page_url)
    draw_and_read(page, DIGITS[7])
    answered = page.locator(SEEN).get_attribute("src")
    page.get_by_test_id("stButton").get_by_role("button", name="Undo").click()
    expect(page.locator(SEEN)).not_to_have_attribute("src", answered)
    expect(page.locator("canvas.upper-canvas")).to_have_count(1)  # the old one stays for a moment
    clear(page)
    expect(head(page)).to_have_text("Waiting for a digit")
    draw(page, DIGITS[3])
    expect(head(page)).to_have_text("This is a 3")


def test_a_picture_can_be_read_by_keyboard_alone(open_page, page_url):
    page = open_page(page_url)
    page.locator(".answer").wait_for()
    page.get_by_role("radio", name="Upload").focus()
    page.keyboard.press("Space")
    with page.expect_file_chooser() as chooser:
        page.get_by_test_id("stFileUploader").locator("button").focus()
        page.keyboard.press("Enter")
    chooser.value.set_files(REPOSITORY / "data" / "digits" / "5.png")
    expect(head(page)).to_have_text("This is a 5")


def test_the_drawings_are_downloaded_as_the_strokes_that_are_evaluated(
    open_page, page_url, tmp_path
):
    page = open_page(page_url)
    draw_and_read(page, DIGITS[4])
    page.get_by_role("button", name="Clear").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    file = tmp_path / "drawings.jsonl"
    download.value.save_as(file)
    [recording] = read_strokes(file)
    assert (recording.label, recording.writer, len(recording.strokes)) == (4, "me", 3)
    for drawn, recorded in zip(DIGITS[4], recording.strokes, strict=True):
        assert recorded[0] == pytest.approx(drawn[0], abs=1.5)
        assert recorded[-1] == pytest.approx(drawn[-1], abs=1.5)


def test_a_photograph_in_apple_s_format_is_shown_and_read(open_page, page_url, tmp_path):
    photograph = tmp_path / "5.heic"
    Image.open(REPOSITORY / "data" / "digits" / "5.png").convert("RGB").save(photograph, "HEIF")
    page = open_page(page_url)
    page.get_by_role("radio", name="Upload").click()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(photograph)
    expect(head(page)).to_have_text("This is a 5")
    shown = page.get_by_alt_text("Your picture")
    assert shown.evaluate("image => image.complete && image.naturalWidth") > 0
