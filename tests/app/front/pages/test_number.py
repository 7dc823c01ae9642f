"""Numbers on the drawing page, at the seam of the API's client."""

import numpy as np
import pytest

from app.client import DigitsClient
from app.front.images import data_url, encode_png


def answer_of(number, digits, reason=None, examples=(), outlier=None):
    """What the API answers; `digits` has a confidence for each of `number`, `outlier` is none."""
    line = {
        "number": None if reason else number,
        "confidence": 0.9,
        "digits": [
            {
                "prediction": int(digit),
                "confidence": confidence,
                "is_digit": index != outlier,
                "box": [20 + 100 * index, 40, 50, 120],
                "image": picture_url(index),
            }
            for index, (digit, confidence) in enumerate(zip(number, digits, strict=True))
        ],
        "is_number": reason is None,
        "reason": reason,
    }
    learnt = {"examples": len(examples)} if examples else {}
    return {**line, "lines": [line], "model": "cnn", "version": "0.0.1", **learnt}


def picture_url(shade):
    return data_url(encode_png(np.full((28, 28), shade / 10)))


@pytest.fixture
def number_api(monkeypatch):
    """Lets the API read 2028 until the last digit is an example; gives all examples sent."""
    sent = []

    def number(client, picture, model=None, examples=()):
        sent.append(list(examples))
        last = str(examples[-1]["label"]) if examples else "8"
        return answer_of("202" + last, [0.99, 0.98, 0.97, 0.6], examples=examples)

    monkeypatch.setattr(DigitsClient, "number", number)
    return sent


@pytest.fixture
def visitor(visitor):
    """Somebody who has chosen to draw a number."""
    visitor.switch("reads", "number")
    return visitor


def test_a_number_drawn_on_the_wide_canvas_is_read(visitor, number_api):
    assert "Waiting for a number" in visitor.shown
    visitor.draw(7, canvas="wide")
    assert "This is 2028" in visitor.shown
    assert "90.0\N{NO-BREAK SPACE}% sure" in visitor.shown
    assert visitor.shown.count('<span class="box') == 4


def test_the_least_sure_digit_is_chosen_and_one_tap_corrects_it(visitor, number_api):
    visitor.draw(7, canvas="wide")
    assert "Not a 8?" in visitor.shown
    visitor.press("6")
    assert "This is 2026" in visitor.shown
    assert "Learnt: 1 example<" in visitor.shown
    assert number_api[-1] == [{"label": 6, "image": picture_url(3)}]
    assert visitor.session.counts[6] == 1


def test_each_further_stroke_chooses_anew_which_digit_is_corrected(visitor, monkeypatch):
    confidences = iter([[0.6, 0.9], [0.9, 0.6]])
    monkeypatch.setattr(DigitsClient, "number", lambda *_, **__: answer_of("23", next(confidences)))
    visitor.draw(7, canvas="wide")
    assert "Not a 2?" in visitor.shown
    visitor.draw(3, strokes=2, canvas="wide")
    assert "Not a 3?" in visitor.shown


def test_what_is_no_digit_of_the_number_is_chosen_and_can_be_corrected(visitor, monkeypatch):
    sent = []

    def number(client, picture, model=None, examples=()):
        sent.extend(examples)
        if examples:
            return answer_of("27", [0.6, 0.9])
        return answer_of("23", [0.6, 0.9], reason="not_a_number", outlier=1)

    monkeypatch.setattr(DigitsClient, "number", number)
    visitor.draw(7, canvas="wide")
    assert "not a number" in visitor.shown and "Is it a digit?" in visitor.shown
    assert "<b>2</b>" in visitor.shown and "<b>?</b>" in visitor.shown
    visitor.press("7")
    assert sent == [{"label": 7, "image": picture_url(1)}]
    assert "This is 27" in visitor.shown


@pytest.mark.parametrize(("index", "digit"), [(1, 0), (2, 2)])
def test_another_digit_can_be_chosen_even_one_of_two_equal_ones(visitor, number_api, index, digit):
    visitor.draw(7, canvas="wide")
    visitor.switch("digit", index)
    assert f"Not a {digit}?" in visitor.shown
    visitor.press("6")
    assert number_api[-1] == [{"label": 6, "image": picture_url(index)}]


def test_a_digit_is_corrected_that_was_chosen_a_moment_before(visitor, number_api):
    visitor.draw(7, canvas="wide")
    visitor.widget("segmented_control", "digit").set_value(0)
    visitor.press("6")  # before the page has run again
    assert number_api[-1] == [{"label": 6, "image": picture_url(0)}]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("no_digits", "no digit here"),
        ("not_a_number", "not a number"),
        ("sign_or_separator", "a sign or a separator"),
        ("ambiguous", "cannot tell which number"),
        ("a_cat", "not a number"),
    ],
)
def test_a_picture_of_no_number_gets_the_reason_in_words(visitor, monkeypatch, reason, words):
    answer = answer_of("1", [0.5], reason=reason)
    monkeypatch.setattr(DigitsClient, "number", lambda *_, **__: answer)
    visitor.draw(7, canvas="wide")
    assert words in visitor.shown
    assert "This is" not in visitor.shown.replace("This is not", "")


def test_an_uploaded_number_is_read_with_boxes_on_it(visitor, number_api, digit_image):
    visitor.switch("input", "upload")
    visitor.upload(digit_image(4))
    assert "This is 2028" in visitor.shown
    assert "left:7.14%" in visitor.shown  # 20 of 280 pixels


def test_an_uploaded_number_gives_way_to_the_canvas(visitor, number_api, digit_image):
    visitor.switch("input", "upload")
    visitor.upload(digit_image(4))
    visitor.switch("input", "canvas")
    assert "Waiting for a number" in visitor.shown


def test_the_drawings_of_both_canvases_are_kept_when_the_switch_is_moved(visitor, number_api):
    visitor.draw(7, canvas="wide")
    visitor.switch("reads", "digit")
    visitor.draw(3)
    assert "This is a 3" in visitor.shown
    visitor.switch("reads", "number")
    assert "This is 2028" in visitor.shown
