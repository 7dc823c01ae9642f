"""The page learns a visitor's handwriting: given on a phone, saved and loaded by keyboard."""

import json

import pytest
from playwright.sync_api import expect
from tests.support.pen import DIGITS, draw, draw_with_a_finger

from model.data.strokes import read_strokes

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


@pytest.mark.parametrize("delay", [0, 400])
def test_no_stroke_after_next_is_lost_on_a_phone(open_page, page_url, delay, tmp_path):
    page = open_page(f"{page_url}/handwriting", **PHONE)
    for digit in (0, 1, 4):
        draw_with_a_finger(page, DIGITS[digit])
        button(page, "Next").tap()
        page.wait_for_timeout(delay)
    expect(page.locator(".pictures li")).to_have_text(["0", "1", "2"])
    expect(page.locator(".head")).to_have_text("Draw a 3")
    page.get_by_text("Save and load").tap()
    with page.expect_download() as download:
        page.get_by_role("button", name="stroke by stroke").tap()
    file = tmp_path / "drawings.jsonl"
    download.value.save_as(file)
    recordings = read_strokes(file)
    assert [len(recording.strokes) for recording in recordings] == [1, 3, 3]
    for drawn, recorded in zip(DIGITS[4], recordings[2].strokes, strict=True):
        assert recorded[0] == pytest.approx(drawn[0], abs=1.5)
        assert recorded[-1] == pytest.approx(drawn[-1], abs=1.5)


def test_the_examples_are_saved_and_loaded_by_keyboard(open_page, page_url, tmp_path):
    page = open_page(page_url)
    draw(page, DIGITS[3])
    expect(page.locator(".final")).to_contain_text("This is a 3")
    page.get_by_role("button", name="3: this is what I drew").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".head")).to_have_text("You said 3")
    page.get_by_role("link", name="Your handwriting").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".pictures li")).to_have_text(["3"])
    page.locator("summary", has_text="Save and load").focus()
    page.keyboard.press("Enter")
    button(page, "Save the examples").focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    file = tmp_path / "me.json"
    download.value.save_as(file)
    assert [example["label"] for example in json.loads(file.read_text())] == [3]

    page = open_page(f"{page_url}/handwriting")
    page.get_by_text("Save and load").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_test_id("stFileUploader").locator("button").focus()
        page.keyboard.press("Enter")
    chooser.value.set_files(file)
    expect(page.locator(".pictures li")).to_have_text(["3"])
