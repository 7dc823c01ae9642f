"""Uploads on the screen: shown as they were taken, and gone where the canvas is back."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from tests.browser.test_pages import go_to
from tests.support.canvas import head
from tests.support.pen import DIGITS, draw
from tests.support.pictures import printed
from tests.support.uploads import turned_right

from app.front.images import as_shown
from model.config import REPOSITORY

FOUR = REPOSITORY / "data" / "digits" / "4.png"


def upload(page, file, name="picture"):
    """Choose to upload, and give a file: a path, or bytes with the name's ending as their kind."""
    page.get_by_role("radio", name="Upload").click()
    if isinstance(file, bytes):
        file = {"name": name, "mimeType": "application/octet-stream", "buffer": file}
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)


def test_after_an_upload_and_another_page_the_canvas_is_read_again(open_page, page_url):
    page = open_page(page_url)
    upload(page, FOUR)
    expect(head(page)).to_have_text("This is a 4")
    go_to(page, "Compare")
    expect(page.locator(".card-digit").first).to_have_text("4")
    page.get_by_role("link", name="Draw", exact=True).click()
    expect(head(page)).to_have_text("Waiting for a digit")
    draw(page, DIGITS[7])
    expect(head(page)).to_have_text("This is a 7")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "HEIF"])
def test_the_boxes_lie_on_the_digits_of_a_photograph_that_was_taken_upright(
    open_page, page_url, kind
):
    ink = cv2.resize(printed("407"), None, fx=9, fy=9)  # Streamlit would turn what is this wide
    lying = Image.fromarray(255 - ink).convert("RGB").transpose(Image.Transpose.ROTATE_90)
    page = open_page(page_url)
    page.get_by_role("radio", name="A number").click()
    upload(page, turned_right(lying, kind), f"407.{kind.lower().replace('heif', 'heic')}")
    expect(head(page)).to_have_text("This is 407")
    boxes = page.locator(".st-key-picture-frame .box")
    expect(boxes).to_have_text(["4", "0", "7"])
    picture = page.get_by_alt_text("Your picture")
    picture.evaluate("image => image.decode()")
    left, top, width, height = rectangle(picture)
    assert width / height == pytest.approx(ink.shape[1] / ink.shape[0], rel=0.01)
    scale = ink.shape[1] / width
    found = [(x - left, y - top, w, h) for x, y, w, h in map(rectangle, boxes.all())]
    _, _, stats, _ = cv2.connectedComponentsWithStats((ink > 128).astype(np.uint8))
    digits = sorted(stats[1:, :4].tolist())
    assert scale * np.array(found) == pytest.approx(np.array(digits), abs=4 * scale)


def rectangle(locator):
    """Left, top, width and height on the screen."""
    box = locator.bounding_box()
    return box["x"], box["y"], box["width"], box["height"]


def test_what_is_shown_is_small_and_not_decoded_again_by_streamlit(open_page, page_url):
    photograph = Image.open(FOUR).convert("RGB").resize((3000, 3000))
    file = io.BytesIO()
    photograph.save(file, "JPEG")
    page = open_page(page_url)
    upload(page, file.getvalue(), "4.jpg")
    expect(head(page)).to_have_text("This is a 4")
    picture = page.get_by_alt_text("Your picture")
    picture.evaluate("image => image.decode()")  # until then it has no height
    assert rectangle(picture)[2:] == (280, 280)
    sent = page.request.get(picture.evaluate("image => image.src")).body()
    assert sent == as_shown(file.getvalue()).file
