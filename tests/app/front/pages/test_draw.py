import io
import json
import socket

import pytest
from PIL import Image

from bench.services import running_api


@pytest.mark.parametrize("digit", [1, 7])
def test_a_drawing_is_read_without_a_button(open_page, digit):
    visitor = open_page()
    visitor.draw(digit)
    assert f"This is a {digit}" in visitor.shown


def test_before_the_first_stroke_there_is_no_answer(open_page):
    assert "Waiting for a digit" in open_page().shown


def test_the_chosen_model_predicts_the_current_drawing(open_page):
    visitor = open_page()
    visitor.draw(7)
    names = visitor.widget("selectbox", "Model").options
    visitor.choose("selectbox", "Model", names[-1])
    assert visitor.app.session_state["session"].answer["model"] == names[-1]


def test_undo_takes_the_last_stroke_back(open_page):
    visitor = open_page()
    visitor.draw(1)
    visitor.draw(7, strokes=2)
    assert "This is a 7" in visitor.shown
    visitor.press("Undo")
    assert "This is a 1" in visitor.shown


def test_clear_empties_the_canvas_and_keeps_the_drawing_in_the_history(open_page):
    visitor = open_page()
    visitor.draw(7)
    visitor.press("Clear")
    assert "Waiting for a digit" in visitor.shown
    assert "read as 7" in visitor.shown


def test_a_drawing_is_kept_on_the_way_to_another_page_and_back(open_page):
    visitor = open_page()
    visitor.draw(7)
    visitor.go_to("about")
    visitor.go_to("draw")
    assert "This is a 7" in visitor.shown


def downloaded(visitor):
    visitor.widget("text_input", "Your name or initials in the file").set_value("Ada")
    visitor.run()
    [download] = visitor.app.download_button
    session = visitor.app.session_state["session"]
    return download, [json.loads(line) for line in session.stroke_lines("Ada").splitlines()]


def test_the_drawings_can_be_downloaded_with_its_labels_corrected(open_page):
    visitor = open_page()
    for digit in (7, 3):
        visitor.draw(digit)
        visitor.press("Clear")
    visitor.app.selectbox(key="label-2").set_value(8)
    visitor.run()
    download, lines = downloaded(visitor)
    assert "2" in download.label
    assert [(line["label"], line["writer"]) for line in lines] == [(7, "Ada"), (8, "Ada")]
    assert lines[0]["strokes"] == [[[60, 60], [80, 90], [220, 220]]]


def test_a_drawing_can_be_left_out_of_the_download(open_page):
    visitor = open_page()
    visitor.draw(7)
    visitor.press("Clear")
    visitor.app.selectbox(key="label-1").set_value(-1)
    visitor.run()
    download, lines = downloaded(visitor)
    assert lines == []
    assert download.disabled


def test_one_tap_corrects_an_answer_and_the_drawing_is_read_again(open_page, sent_labels):
    visitor = open_page()
    visitor.draw(7)
    assert "Not a 7?" in visitor.shown
    visitor.press("1")
    assert "This is a 1" in visitor.shown
    assert "Learnt: 1 example<" in visitor.shown
    assert sent_labels == [[], [1]]


def test_a_corrected_drawing_stands_in_the_history_with_its_label(open_page):
    visitor = open_page()
    visitor.draw(7)
    visitor.press("1")
    visitor.press("Clear")
    [label] = [box for box in visitor.app.selectbox if box.label == "What it really is"]
    assert label.value == 1
    assert "read as 7" in visitor.shown  # what it was taken for at first


def test_a_label_that_is_chosen_in_the_history_is_learnt_too(open_page):
    visitor = open_page()
    visitor.draw(7)
    visitor.press("Clear")
    visitor.app.selectbox(key="label-1").set_value(1)
    visitor.run()
    visitor.draw(7)
    assert "This is a 1" in visitor.shown


def test_a_rejected_drawing_can_be_told_what_it_is(open_page, digit_image):
    visitor = open_page()
    upload(visitor, "seventy-seven.png", two_digits(digit_image(7)))
    assert "More than one digit" in visitor.shown
    assert "Is it a digit?" in visitor.shown
    visitor.press("4")
    assert "This is a 4" in visitor.shown


def two_digits(digit):
    """A picture of two digits, which is rejected."""
    picture = Image.new("L", (560, 280))
    for place in (0, 280):
        picture.paste(Image.open(io.BytesIO(digit)).convert("L"), (place, 0))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def upload(visitor, name, content):
    visitor.app.segmented_control(key="input").set_value("upload")
    visitor.run()
    visitor.app.file_uploader[0].upload(name, content, "image/png")
    visitor.run()


def test_an_uploaded_picture_is_read_like_a_drawing(open_page, digit_image):
    visitor = open_page()
    upload(visitor, "four.png", digit_image(4))
    assert "This is a 4" in visitor.shown
    assert "read as 4" in visitor.shown


def test_an_upload_gives_way_to_the_drawing_that_was_there(open_page, digit_image):
    visitor = open_page()
    visitor.draw(7)
    upload(visitor, "four.png", digit_image(4))
    visitor.app.segmented_control(key="input").set_value("canvas")
    visitor.run()
    assert "This is a 7" in visitor.shown


def test_a_photograph_is_read_like_a_drawing(open_page, digit_image):
    visitor = open_page()
    visitor.app.segmented_control(key="input").set_value("camera")
    visitor.run()
    photo = io.BytesIO()
    Image.open(io.BytesIO(digit_image(5))).convert("RGB").save(photo, "JPEG")
    visitor.app.camera_input[0].set_value(("photo.jpg", photo.getvalue(), "image/jpeg"))
    visitor.run()
    assert "This is a 5" in visitor.shown


def blank(side):
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (blank(8) + bytes(5_000_000), "at most 5 MB"),
        (blank(6_400), "at most 40"),
        (b"hello", "not an image"),
        (blank(100), "nothing to read"),
    ],
)
def test_a_picture_that_cannot_be_read_is_refused_in_plain_words(open_page, content, message):
    visitor = open_page()
    upload(visitor, "picture.png", content)
    assert message in visitor.shown


def test_where_there_is_no_api_the_page_says_how_to_start_it_and_keeps_the_drawing(open_page):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    visitor = open_page(url=nobody)
    visitor.draw(7)
    assert "bash run.sh api" in visitor.shown
    assert "Your drawing is kept" in visitor.shown
    assert visitor.app.session_state["session"].canvas.image


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


def test_french_is_one_choice_away_and_stays_in_the_address(open_page):
    visitor = open_page()
    visitor.draw(7)
    visitor.app.segmented_control(key="language").set_value("fr")
    visitor.run()
    assert "C\N{RIGHT SINGLE QUOTATION MARK}est un 7" in visitor.shown
    assert "Dessinez un chiffre ou un nombre" in visitor.shown
    assert visitor.app.query_params["language"] == "fr"
