import io
import json
import socket

import numpy as np
import pytest
from PIL import Image
from tests.support.drawings import file_of
from tests.support.services import running_api
from tests.support.uploads import png_with_text


@pytest.mark.parametrize("digit", [1, 7])
def test_a_drawing_is_read_without_a_button(visitor, digit):
    visitor.draw(digit)
    assert f"This is a {digit}" in visitor.shown


def test_before_the_first_stroke_there_is_no_answer(visitor):
    assert "Waiting for a digit" in visitor.shown


def test_the_chosen_model_predicts_the_current_drawing(visitor):
    visitor.draw(7)
    names = visitor.widget("selectbox", "Model").options
    visitor.choose("selectbox", "Model", names[-1])
    assert visitor.session.answer["model"] == names[-1]


def test_undo_takes_the_last_stroke_back(visitor):
    visitor.draw(1)
    visitor.draw(7, strokes=2)
    assert "This is a 7" in visitor.shown
    visitor.press("Undo")
    assert "This is a 1" in visitor.shown


def test_clear_empties_the_canvas_and_keeps_the_drawing_in_the_history(visitor):
    visitor.draw(7)
    visitor.press("Clear")
    assert "Waiting for a digit" in visitor.shown
    assert "read as 7" in visitor.shown


def test_a_drawing_is_kept_on_the_way_to_another_page_and_back(visitor):
    visitor.draw(7)
    visitor.go_to("about")
    visitor.go_to("draw")
    assert "This is a 7" in visitor.shown


def downloaded(visitor):
    visitor.choose("text_input", "Your name or initials in the file", "Ada")
    [download] = visitor.app.download_button
    return download, [json.loads(line) for line in visitor.session.stroke_lines("Ada").splitlines()]


def test_the_drawings_can_be_downloaded_with_its_labels_corrected(visitor):
    for digit in (7, 3):
        visitor.draw(digit)
        visitor.press("Clear")
    visitor.choose("selectbox", "label-2", 8)
    download, lines = downloaded(visitor)
    assert "2" in download.label
    assert [(line["label"], line["writer"]) for line in lines] == [(7, "Ada"), (8, "Ada")]
    assert lines[0]["strokes"] == [[[60, 60], [80, 90], [220, 220]]]


def test_a_drawing_can_be_left_out_of_the_download(visitor):
    visitor.draw(7)
    visitor.press("Clear")
    visitor.choose("selectbox", "label-1", -1)
    download, lines = downloaded(visitor)
    assert lines == []
    assert download.disabled


def test_one_tap_corrects_an_answer_and_the_drawing_is_read_again(visitor, sent_labels):
    visitor.draw(7)
    assert "Not a 7?" in visitor.shown
    visitor.press("1")
    assert "This is a 1" in visitor.shown
    assert "Learnt: 1 example<" in visitor.shown
    assert sent_labels == [[], [1]]


def test_a_corrected_drawing_stands_in_the_history_with_its_label(visitor):
    visitor.draw(7)
    visitor.press("1")
    visitor.press("Clear")
    [label] = [box for box in visitor.app.selectbox if box.label == "What it really is"]
    assert label.value == 1
    assert "read as 7" in visitor.shown  # what it was taken for at first


def test_a_label_that_is_chosen_in_the_history_is_learnt_too(visitor):
    visitor.draw(7)
    visitor.press("Clear")
    visitor.choose("selectbox", "label-1", 1)
    visitor.draw(7)
    assert "This is a 1" in visitor.shown


def test_a_rejected_drawing_can_be_told_what_it_is(visitor, digit_image):
    visitor.switch("input", "upload")
    visitor.upload(two_digits(digit_image(7)))
    assert "More than one digit" in visitor.shown
    assert "Is it a digit?" in visitor.shown
    visitor.press("4")
    assert "This is a 4" in visitor.shown


def two_digits(digit):
    """A picture of two digits, which is rejected."""
    picture = Image.new("L", (560, 280))
    for place in (0, 280):
        picture.paste(Image.open(io.BytesIO(digit)).convert("L"), (place, 0))
    return file_of(picture)


def test_an_uploaded_picture_is_read_like_a_drawing(visitor, digit_image):
    visitor.switch("input", "upload")
    visitor.upload(digit_image(4))
    assert "This is a 4" in visitor.shown
    assert "read as 4" in visitor.shown


def test_an_upload_gives_way_to_the_drawing_that_was_there(visitor, digit_image):
    visitor.draw(7)
    visitor.switch("input", "upload")
    visitor.upload(digit_image(4))
    visitor.switch("input", "canvas")
    assert "This is a 7" in visitor.shown


def test_after_another_page_the_canvas_takes_the_place_of_the_upload(visitor, digit_image):
    visitor.draw(7)
    visitor.switch("input", "upload")
    visitor.upload(digit_image(4))
    visitor.go_to("compare")
    assert visitor.session.image == digit_image(4)
    visitor.go_to("draw")
    assert "This is a 7" in visitor.shown


@pytest.mark.parametrize("form", ["16 bits", "long text"])
def test_a_picture_of_an_unusual_form_is_read(visitor, digit_image, form):
    digit = Image.open(io.BytesIO(digit_image(4))).convert("L").resize((560, 560))
    levels = Image.fromarray(257 * np.asarray(digit, dtype=np.uint16))
    visitor.switch("input", "upload")
    visitor.upload(file_of(levels) if form == "16 bits" else png_with_text(digit))
    assert "This is a 4" in visitor.shown


@pytest.mark.parametrize("reads", ["digit", "number"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "HEIF"])
def test_of_a_truncated_picture_the_page_says_that_it_is_damaged(visitor, kind, reads):
    noise = np.random.default_rng(0).integers(256, size=(400, 1500, 3), dtype=np.uint8)
    file = file_of(Image.fromarray(noise), kind)
    visitor.switch("reads", reads)
    visitor.switch("input", "upload")
    visitor.upload(file[: len(file) // 2])
    assert "The picture is damaged" in visitor.shown


def test_a_photograph_is_read_like_a_drawing(visitor, digit_image):
    visitor.switch("input", "camera")
    photo = file_of(Image.open(io.BytesIO(digit_image(5))).convert("RGB"), "JPEG")
    visitor.choose("camera_input", "photo", ("photo.jpg", photo, "image/jpeg"))
    assert "This is a 5" in visitor.shown


def blank(side):
    return file_of(Image.new("1", (side, side)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (blank(8) + bytes(5_000_000), "at most 5 MB"),
        (blank(6_400), "at most 40"),
        (b"hello", "not an image"),
        (blank(100), "nothing to read"),
    ],
)
def test_a_picture_that_cannot_be_read_is_refused_in_plain_words(visitor, content, message):
    visitor.switch("input", "upload")
    visitor.upload(content)
    assert message in visitor.shown


def test_where_there_is_no_api_the_page_says_how_to_start_it_and_keeps_the_drawing(open_page):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    visitor = open_page(url=nobody)
    visitor.draw(7)
    assert "bash run.sh api" in visitor.shown
    assert "Your drawing is kept" in visitor.shown
    assert visitor.session.canvas.image


@pytest.mark.parametrize(("token", "shown"), [("secret", "This is a 7"), ("", "asks for a token")])
def test_the_page_sends_the_token_of_its_environment(open_page, monkeypatch, token, shown):
    with running_api(API_TOKEN="secret") as api:
        monkeypatch.setenv("API_TOKEN", token)
        visitor = open_page(url=api.url)
        visitor.draw(7)
        assert shown in visitor.shown


def test_an_api_that_never_answers_is_called_slow(open_page, monkeypatch):
    monkeypatch.setenv("API_ANSWER_SECONDS", "0.2")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        visitor = open_page(url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert "takes too long" in visitor.shown


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ("fr", "Dessinez un chiffre ou un nombre"),
        ("FR", "Dessinez un chiffre ou un nombre"),
        ("en", "Draw a digit or a number"),
        ("tlh", "Draw a digit or a number"),
    ],
)
def test_the_address_chooses_the_language(open_page, asked, title):
    visitor = open_page(language=asked)
    assert visitor.app.title[0].value == title


def test_french_is_one_choice_away_and_stays_in_the_address(visitor):
    visitor.draw(7)
    visitor.switch("language", "fr")
    assert "C\N{RIGHT SINGLE QUOTATION MARK}est un 7" in visitor.shown
    assert "Dessinez un chiffre ou un nombre" in visitor.shown
    assert visitor.app.query_params["language"] == "fr"
