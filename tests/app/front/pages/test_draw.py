import io
import socket

import numpy as np
import pytest
from PIL import Image
from tests.support.drawings import file_of

FIRST = "The network is surprised"
LEARNT = "It helps from your next drawing"


@pytest.fixture
def drawn(visitor):
    """Somebody who has drawn a 7."""
    visitor.draw(7)
    return visitor


@pytest.fixture
def two_digits(visitor, digit_image):
    """Somebody who has drawn two 7s side by side."""
    picture = Image.new("L", (560, 280))
    for place in (0, 280):
        picture.paste(Image.open(io.BytesIO(digit_image(7))), (place, 0))
    visitor.send(2, file_of(picture))
    return visitor


@pytest.fixture
def taught(visitor):
    """Somebody who has said twice that the 7 of the repository is a 1, and then cleared."""
    for turned in (0, 4):
        visitor.draw(7, turned)
        visitor.label(1)
    visitor.kept = visitor.given["examples"]
    visitor.send(0)
    return visitor


def test_a_drawing_is_read_without_a_button_and_cleared(visitor):
    assert "Draw a digit. A small neural network reads it." in visitor.shown
    assert visitor.answer.startswith("Draw here")
    visitor.draw(7)
    assert visitor.answer.startswith("This is a 7. It is ")
    visitor.send(0)
    assert visitor.answer.startswith("Draw here")


def test_the_chosen_model_none_for_permuted_pixels_reads_the_drawing(drawn):
    cnn, deep, mlp = drawn.widget("selectbox", "Network").options
    assert [name.partition(":")[0] for name in (cnn, deep, mlp)] == ["CNN", "Deep CNN", "MLP"]
    drawn.choose("selectbox", "Network", deep)
    assert drawn.session.model == "deep"
    assert drawn.answer.startswith("This is a 7")


def test_one_tap_corrects_an_answer_and_the_page_claims_nothing_of_it(visitor, digit_image):
    visitor.draw(4)
    visitor.label(4)
    assert visitor.answer.startswith("You said 4. ") and LEARNT in visitor.answer
    [digit] = visitor.session.labelled
    assert (digit.label, digit.image) == (4, visitor.given["view"]["image"])


def test_a_correction_that_the_network_doubts_is_called_so_and_counts_the_second_time(taught):
    taught.draw(7)
    assert taught.answer.startswith("This is a 1")
    assert "It has learnt 2 of your digits" in taught.answer
    taught.label(1)
    assert LEARNT in taught.answer
    taught.draw(4)
    taught.label(0)
    assert FIRST in taught.answer


def test_a_forgotten_session_takes_over_what_the_browser_kept(taught, open_page):
    assert [example["label"] for example in taught.kept] == [1, 1]
    assert taught.given["examples"] is None  # it is told once
    again = open_page()
    assert again.given["fresh"]
    again.tell("restore", examples=taught.kept)
    assert not again.given["fresh"]
    again.draw(7)
    assert again.answer.startswith("This is a 1")


def test_why_lays_a_picture_over_the_drawing_and_says_it_in_words(drawn):
    drawn.tell("why")
    view = drawn.given["view"]
    assert view["evidence"].startswith("data:image/png;base64,")
    assert "Red speaks for a 7" in view["legend"]
    drawn.tell("why")
    assert drawn.given["view"]["evidence"] is None


def test_several_digits_are_read_as_a_number_whose_digits_are_corrected(two_digits):
    assert two_digits.answer.startswith("This is 77")
    _, second = two_digits.given["view"]["digits"]
    two_digits.label(1, part=1)
    [digit] = two_digits.session.labelled
    assert (digit.label, digit.image) == (1, second["image"])


def test_the_very_same_drawing_can_be_read_as_a_number_and_as_one_digit_again(drawn):
    assert drawn.given["view"]["whole"] == "Read as a number"
    drawn.tell("number")
    assert drawn.answer.startswith("This is 7. It is") and "whole number" in drawn.answer
    drawn.tell("number")
    assert drawn.answer.startswith("This is a 7")


def test_an_upload_is_shown_and_gives_way_to_the_drawing_that_was_there(drawn, digit_image):
    drawn.switch("source", "upload")
    drawn.upload(digit_image(4))
    assert drawn.answer.startswith("This is a 4")
    assert [image.proto.imgs[0].alt for image in drawn.app.image] == ["Your picture"]
    drawn.switch("source", "canvas")
    drawn.draw(7)
    assert drawn.answer.startswith("This is a 7")


def test_a_photograph_is_read_like_a_drawing(visitor, digit_image):
    visitor.switch("source", "camera")
    photo = file_of(Image.open(io.BytesIO(digit_image(5))).convert("RGB"), "JPEG")
    visitor.choose("camera_input", "camera", ("photo.jpg", photo, "image/jpeg"))
    assert visitor.answer.startswith("This is a 5")


def blank(side):
    return file_of(Image.new("1", (side, side)))


NOISE = np.random.default_rng(0).integers(256, size=(400, 1500, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (blank(8) + bytes(5_000_000), "at most 5 MB"),
        (blank(6_400), "at most 40"),
        (b"# A text", "not a picture that can be read"),
        (blank(100), "nothing to read"),
        (file_of(Image.fromarray(NOISE))[:400_000], "The picture is damaged"),
    ],
)
def test_a_file_that_cannot_be_read_takes_the_place_of_the_picture_before_it_with_a_word(
    visitor, digit_image, content, message
):
    visitor.switch("source", "upload")
    visitor.upload(digit_image(4))
    visitor.upload(content)
    assert message in visitor.shown
    assert visitor.answer.startswith("No picture yet")
    assert not visitor.app.image


def test_where_there_is_no_api_the_page_says_how_to_start_it_and_keeps_the_drawing(open_page):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    visitor = open_page(url=nobody)
    visitor.draw(7)
    assert "bash run.sh api" in visitor.shown
    assert "Your drawing is kept" in visitor.shown
    assert visitor.session.image is not None
