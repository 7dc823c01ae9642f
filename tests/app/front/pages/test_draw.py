import io
import socket

import numpy as np
import pytest
from PIL import Image
from tests.support.drawings import file_of
from tests.support.uploads import png_with_text

from app.front.images import data_url


@pytest.mark.parametrize("digit", [1, 7])
def test_a_drawing_is_read_without_a_button(visitor, digit):
    visitor.draw(digit)
    assert visitor.answer.startswith(f"This is a {digit}. It is ")


def test_before_the_first_stroke_the_page_says_what_to_do(visitor):
    assert "Draw a digit. A small neural network reads it." in visitor.shown
    assert visitor.answer.startswith("Draw here")


def test_the_menu_says_which_model_is_best_for_what_and_leaves_out_the_permuted(
    open_page, full_api_url
):
    visitor = open_page(url=full_api_url)
    menu = visitor.widget("selectbox", "Model")
    assert menu.options == ["CNN: quick and good (default)"]


def test_the_chosen_model_reads_the_current_drawing(visitor):
    visitor.draw(7)
    deep = next(name for name in visitor.widget("selectbox", "Model").options if "Deep" in name)
    visitor.choose("selectbox", "Model", deep)
    assert visitor.session.model == "deep"
    assert visitor.answer.startswith("This is a 7")


def test_a_cleared_canvas_has_no_answer(visitor):
    visitor.draw(7)
    visitor.send({"objects": []}, data_url(b"black"))
    assert visitor.answer.startswith("Draw here")
    assert visitor.session.image is None


@pytest.mark.parametrize("data", [None, 7, "no data URL", "data:image/png;base64,A"])
def test_a_drawing_without_a_picture_is_no_drawing(visitor, data):
    visitor.send({"objects": [{}]}, data)
    assert visitor.answer.startswith("Draw here")


def test_one_tap_corrects_an_answer_and_the_page_claims_nothing_of_it(visitor):
    visitor.draw(7)
    visitor.label(1)
    assert visitor.answer == "You said 1. Learnt: it counts from the next drawing on."
    [digit] = visitor.session.labelled
    assert (digit.label, digit.image) == (1, visitor.given["view"]["image"])


def teach_twice(visitor):
    """Say twice that the 7 of the repository is a 1; return what the browser is told to keep."""
    for turned in (0, 4):
        visitor.draw(7, turned)
        visitor.label(1)
        kept = visitor.given["examples"]
        visitor.send({"objects": []}, None)
    return kept


def test_a_corrected_form_is_read_so_the_next_time(visitor):
    teach_twice(visitor)
    visitor.draw(7)
    assert visitor.answer.startswith("This is a 1")
    assert "It has learnt 2 of your digits" in visitor.answer


def test_the_browser_is_told_to_keep_what_was_learnt_once(visitor):
    visitor.draw(7)
    visitor.label(1)
    assert [example["label"] for example in visitor.given["examples"]] == [1]
    visitor.run()
    assert visitor.given["examples"] is None


def test_a_forgotten_session_takes_over_what_the_browser_kept(visitor, open_page):
    kept = teach_twice(visitor)
    again = open_page()
    assert again.given["fresh"]
    again.tell("restore", examples=kept)
    assert not again.given["fresh"]
    again.draw(7)
    assert again.answer.startswith("This is a 1")


def test_why_lays_a_picture_over_the_drawing_and_says_it_in_words(visitor):
    visitor.draw(7)
    visitor.tell("why")
    view = visitor.given["view"]
    assert view["evidence"].startswith("data:image/png;base64,")
    assert "Red speaks for a 7" in view["legend"]
    visitor.tell("why")
    assert visitor.given["view"]["evidence"] is None


def two_digits(digit):
    """A picture of two digits."""
    picture = Image.new("L", (560, 280))
    for place in (0, 280):
        picture.paste(Image.open(io.BytesIO(digit)).convert("L"), (place, 0))
    return file_of(picture)


def test_several_digits_on_the_same_canvas_are_read_as_a_number(visitor, digit_image):
    visitor.send({"objects": [{}, {}]}, data_url(two_digits(digit_image(7))))
    assert visitor.answer.startswith("This is 77")
    assert len(visitor.given["view"]["digits"]) == 2


def test_a_digit_of_a_number_is_corrected(visitor, digit_image):
    visitor.send({"objects": [{}, {}]}, data_url(two_digits(digit_image(7))))
    image = visitor.given["view"]["digits"][1]["image"]
    visitor.label(1, part=1)
    [digit] = visitor.session.labelled
    assert (digit.label, digit.image) == (1, image)


def test_the_very_same_drawing_can_be_read_as_a_number_and_as_one_digit_again(visitor):
    visitor.draw(4)
    assert visitor.given["view"]["whole"] == "Read as a number"
    visitor.tell("number")
    assert visitor.answer.startswith("This is 4. It is")
    assert "whole number" in visitor.answer
    visitor.tell("number")
    assert visitor.answer.startswith("This is a 4")


def test_an_upload_gives_way_to_the_drawing_that_was_there(visitor, digit_image):
    visitor.upload(digit_image(4))
    visitor.switch("source", "canvas")
    visitor.draw(7)
    assert visitor.answer.startswith("This is a 7")


def test_a_wrong_file_takes_the_place_of_the_picture_before_it_with_a_word(visitor, digit_image):
    visitor.upload(digit_image(4))
    visitor.upload(b"# A text", "md")
    assert "not a picture that can be read" in visitor.shown
    assert visitor.answer.startswith("No picture yet")


@pytest.mark.parametrize("form", ["16 bits", "long text"])
def test_a_picture_of_an_unusual_form_is_read(visitor, digit_image, form):
    digit = Image.open(io.BytesIO(digit_image(4))).convert("L").resize((560, 560))
    levels = Image.fromarray(257 * np.asarray(digit, dtype=np.uint16))
    visitor.upload(file_of(levels) if form == "16 bits" else png_with_text(digit))
    assert visitor.answer.startswith("This is a 4")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "HEIF"])
def test_of_a_truncated_picture_the_page_says_that_it_is_damaged(visitor, kind):
    noise = np.random.default_rng(0).integers(256, size=(400, 1500, 3), dtype=np.uint8)
    file = file_of(Image.fromarray(noise), kind)
    visitor.upload(file[: len(file) // 2])
    assert "The picture is damaged" in visitor.shown


def test_a_photograph_is_read_like_a_drawing(visitor, digit_image):
    visitor.switch("source", "camera")
    photo = file_of(Image.open(io.BytesIO(digit_image(5))).convert("RGB"), "JPEG")
    visitor.choose("camera_input", "camera", ("photo.jpg", photo, "image/jpeg"))
    assert visitor.answer.startswith("This is a 5")


def blank(side):
    return file_of(Image.new("1", (side, side)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (blank(8) + bytes(5_000_000), "at most 5 MB"),
        (blank(6_400), "at most 40"),
        (b"hello", "not a picture"),
        (blank(100), "nothing to read"),
    ],
)
def test_a_picture_that_cannot_be_read_is_refused_in_plain_words(visitor, content, message):
    visitor.upload(content)
    assert message in visitor.shown


def test_where_there_is_no_api_the_page_says_how_to_start_it_and_keeps_the_drawing(open_page):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    visitor = open_page(url=nobody)
    visitor.draw(7)
    assert "bash run.sh api" in visitor.shown
    assert "Your drawing is kept" in visitor.shown
    assert visitor.session.image is not None
