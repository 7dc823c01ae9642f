"""Numbers on the drawing page, at the seam of the API's client."""

import base64
import io

import pytest
from PIL import Image

from app.client import DigitsClient


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
                "image": picture_url(28, shade=index),
            }
            for index, (digit, confidence) in enumerate(zip(number, digits, strict=True))
        ],
        "is_number": reason is None,
        "reason": reason,
    }
    learnt = {"examples": len(examples)} if examples else {}
    return {**line, "lines": [line], "model": "cnn", "version": "0.0.1", **learnt}


def picture_url(side, shade=0):
    file = io.BytesIO()
    Image.new("L", (side, side), shade).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


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


def rejecting_api(monkeypatch, reason):
    monkeypatch.setattr(
        DigitsClient, "number", lambda *_, **__: answer_of("1", [0.5], reason=reason)
    )


@pytest.fixture
def open_number(open_page):
    def open_(**query):
        visitor = open_page(**query)
        visitor.app.segmented_control(key="reads").set_value("number")
        visitor.run()
        return visitor

    return open_


def test_a_number_drawn_on_the_wide_canvas_is_read(open_number, number_api):
    visitor = open_number()
    assert "Waiting for a number" in visitor.shown
    visitor.draw(7, canvas="wide")
    assert "This is 2028" in visitor.shown
    assert "90.0\N{NO-BREAK SPACE}% sure" in visitor.shown
    assert visitor.shown.count('<span class="box') == 4


def test_the_least_sure_digit_is_chosen_and_one_tap_corrects_it(open_number, number_api):
    visitor = open_number()
    visitor.draw(7, canvas="wide")
    assert "Not a 8?" in visitor.shown
    visitor.press("6")
    assert "This is 2026" in visitor.shown
    assert "Learnt: 1 example<" in visitor.shown
    assert number_api[-1] == [{"label": 6, "image": picture_url(28, shade=3)}]
    assert visitor.app.session_state["session"].counts[6] == 1


def test_each_further_stroke_chooses_anew_which_digit_is_corrected(open_number, monkeypatch):
    confidences = iter([[0.6, 0.9], [0.9, 0.6]])
    monkeypatch.setattr(DigitsClient, "number", lambda *_, **__: answer_of("23", next(confidences)))
    visitor = open_number()
    visitor.draw(7, canvas="wide")
    assert "Not a 2?" in visitor.shown
    visitor.draw(3, strokes=2, canvas="wide")
    assert "Not a 3?" in visitor.shown


def test_what_is_no_digit_of_the_number_is_chosen_and_can_be_corrected(open_number, monkeypatch):
    sent = []

    def number(client, picture, model=None, examples=()):
        sent.extend(examples)
        if examples:
            return answer_of("27", [0.6, 0.9])
        return answer_of("23", [0.6, 0.9], reason="not_a_number", outlier=1)

    monkeypatch.setattr(DigitsClient, "number", number)
    visitor = open_number()
    visitor.draw(7, canvas="wide")
    assert "not a number" in visitor.shown and "Is it a digit?" in visitor.shown
    assert "<b>2</b>" in visitor.shown and "<b>?</b>" in visitor.shown
    visitor.press("7")
    assert sent == [{"label": 7, "image": picture_url(28, shade=1)}]
    assert "This is 27" in visitor.shown


@pytest.mark.parametrize(("index", "digit"), [(1, 0), (2, 2)])
def test_another_digit_can_be_chosen_even_one_of_two_equal_ones(
    open_number, number_api, index, digit
):
    visitor = open_number()
    visitor.draw(7, canvas="wide")
    visitor.app.segmented_control(key="digit").set_value(index)
    visitor.run()
    assert f"Not a {digit}?" in visitor.shown
    visitor.press("6")
    assert number_api[-1] == [{"label": 6, "image": picture_url(28, shade=index)}]


def test_a_digit_is_corrected_that_was_chosen_a_moment_before(open_number, number_api):
    visitor = open_number()
    visitor.draw(7, canvas="wide")
    visitor.app.segmented_control(key="digit").set_value(0)
    visitor.press("6")  # before the page has run again
    assert number_api[-1] == [{"label": 6, "image": picture_url(28, shade=0)}]


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
def test_a_picture_of_no_number_gets_the_reason_in_words(open_number, monkeypatch, reason, words):
    rejecting_api(monkeypatch, reason)
    visitor = open_number()
    visitor.draw(7, canvas="wide")
    assert words in visitor.shown
    assert "This is" not in visitor.shown.replace("This is not", "")


def test_an_uploaded_number_is_read_with_boxes_on_it(open_number, number_api, digit_image):
    visitor = open_number()
    visitor.app.segmented_control(key="input").set_value("upload")
    visitor.run()
    visitor.app.file_uploader[0].upload("number.png", digit_image(4), "image/png")
    visitor.run()
    assert "This is 2028" in visitor.shown
    assert "left:7.14%" in visitor.shown  # 20 of 280 pixels


def test_the_drawings_of_both_canvases_are_kept_when_the_switch_is_moved(open_number, number_api):
    visitor = open_number()
    visitor.draw(7, canvas="wide")
    visitor.app.segmented_control(key="reads").set_value("digit")
    visitor.run()
    visitor.draw(3)
    assert "This is a 3" in visitor.shown
    visitor.app.segmented_control(key="reads").set_value("number")
    visitor.run()
    assert "This is 2028" in visitor.shown


def test_a_number_stays_when_the_language_changes(open_number, number_api):
    visitor = open_number()
    visitor.draw(7, canvas="wide")
    visitor.app.segmented_control(key="language").set_value("fr")
    visitor.run()
    assert "C\N{RIGHT SINGLE QUOTATION MARK}est 2028" in visitor.shown
