"""The models learn a visitor's hand: corrected by one tap, given on a phone, saved by keyboard."""

import json

from playwright.sync_api import expect
from tests.support.canvas import draw_and_read, head, mirrored
from tests.support.pen import DIGITS, clear, draw
from tests.support.touch import draw_with_a_finger

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
MIRRORED_7 = mirrored(7)
WIDER_MIRRORED_7 = [[(140 + 1.1 * (x - 140), y + 5) for x, y in stroke] for stroke in MIRRORED_7]


def counts(page):
    return page.locator(".count-number")


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def test_a_form_that_no_model_knows_is_corrected_by_one_tap_and_read_the_next_time(
    open_page, page_url
):
    page = open_page(page_url)
    draw_and_read(page, MIRRORED_7)
    expect(head(page)).not_to_have_text("This is a 7")
    button(page, "7").click()
    expect(page.locator(".answer-learnt")).to_have_text("Learnt: 1 example")
    history = page.locator(".st-key-history-cards figure")
    expect(history).to_have_count(1)
    draw(page, [[(20, 20), (24, 24)]])  # the drawing goes on: it was no example yet
    expect(history).to_have_count(0)
    button(page, "7").click()
    expect(history).to_have_count(1)
    clear(page)
    expect(head(page)).to_have_text("Waiting for a digit")
    draw(page, WIDER_MIRRORED_7)
    expect(head(page)).to_have_text("This is a 7")


def test_examples_are_given_on_a_phone(open_page, page_url):
    page = open_page(f"{page_url}/hand?language=fr", **PHONE)
    for digit in (0, 1):
        expect(page.get_by_role("heading", name=f"Dessinez un {digit}")).to_be_visible()
        draw_with_a_finger(page, DIGITS[digit])
        button(page, "Suivant").tap()
        expect(counts(page).nth(digit)).to_have_text("1")
    expect(page.get_by_role("heading", name="Dessinez un 2")).to_be_visible()


def test_an_answer_is_corrected_and_the_examples_are_saved_and_loaded_by_keyboard(
    open_page, page_url, tmp_path
):
    page = open_page(page_url)
    draw(page, DIGITS[3])
    expect(head(page)).to_have_text("This is a 3")
    button(page, "3").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-history-cards figure")).to_have_count(1)
    page.get_by_role("link", name="Your hand").focus()
    page.keyboard.press("Enter")
    expect(counts(page).nth(3)).to_have_text("1")
    button(page, "Save").focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    file = tmp_path / "me.json"
    download.value.save_as(file)
    [example] = json.loads(file.read_text())
    assert example["label"] == 3
    assert example["image"].startswith("data:image/png;base64,")

    page = open_page(f"{page_url}/hand")
    expect(counts(page).nth(3)).to_have_text("0")
    with page.expect_file_chooser() as chooser:
        page.get_by_test_id("stFileUploader").locator("button").focus()
        page.keyboard.press("Enter")
    chooser.value.set_files(file)
    expect(counts(page).nth(3)).to_have_text("1")
