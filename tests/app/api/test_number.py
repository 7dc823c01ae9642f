"""Whole numbers by the API, against the same road without it."""

import cv2
import numpy as np
import pytest
import requests
from PIL import Image
from tests.support.api import example, pixels, post
from tests.support.pictures import printed

from model.card import find_model
from model.classifier import Classifier
from model.config import REPOSITORY
from model.numbers.read import read_numbers
from model.preprocessing.normalize import preprocess

PATH = "predict/number"
MEMBERS = {"number", "confidence", "digits", "is_number", "reason"}


@pytest.fixture(scope="module")
def picture(encode):
    """Return the bytes of a picture of ink."""
    return lambda ink, *form, **options: encode(Image.fromarray(ink), *form, **options)


@pytest.fixture
def read(api_url):
    """Return what the API with the repository's models answers of a picture."""
    return lambda data, **options: post(api_url, data, PATH, **options).json()


def test_a_number_comes_as_text_with_what_was_read_of_each_digit(read, picture):
    data = picture(printed("0042"))
    answer = read(data)

    (line,) = read_numbers(Classifier.load(find_model("cnn")), preprocess(data))
    assert answer.keys() == MEMBERS | {"lines", "model", "version", "milliseconds"}
    assert (answer["number"], answer["is_number"], answer["reason"]) == ("0042", True, None)
    assert answer["confidence"] == pytest.approx(line.confidence, abs=1e-4)
    assert answer["lines"] == [{name: answer[name] for name in MEMBERS}]
    assert answer["model"] == "cnn"
    for digit, expected in zip(answer["digits"], line.digits, strict=True):
        assert digit.keys() == {"prediction", "confidence", "is_digit", "box", "image"}
        assert (digit["prediction"], digit["is_digit"]) == (expected.digit, True)
        assert digit["confidence"] == pytest.approx(expected.confidence, abs=1e-4)
        assert digit["box"] == list(expected.box)
        assert (pixels(digit["image"]) == expected.image).all()


def test_boxes_are_those_of_the_upright_picture_of_the_size_that_was_sent(read, picture):
    ink = cv2.resize(printed("61"), None, fx=14, fy=14)  # reduced while it is decoded
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    turned = np.ascontiguousarray(np.rot90(ink))
    digits = read(picture(turned, "JPEG", exif=exif))["digits"]
    columns = np.flatnonzero(np.diff(ink.max(axis=0) > 96, prepend=False, append=False))
    assert ink.size > 4_000_000
    for digit, left, right in zip(digits, columns[::2], columns[1::2], strict=True):
        x, _, width, _ = digit["box"]
        assert (x, x + width) == pytest.approx((left, right), abs=60)


def test_boxes_end_where_the_picture_does(read, picture):
    ink = printed("24")
    x, y, width, height = cv2.boundingRect(ink)
    for digit in read(picture(ink[y : y + height, x : x + width]))["digits"]:
        left, top, own_width, own_height = digit["box"]
        assert min(left, top) >= 0
        assert left + own_width <= width and top + own_height <= height


@pytest.mark.parametrize("digit", [1, 4, 7])
def test_a_single_digit_gives_what_predict_gives(api_url, read, digit):
    data = (REPOSITORY / "data" / "digits" / f"{digit}.png").read_bytes()
    answer, predicted = read(data), post(api_url, data).json()
    (only,) = answer["digits"]
    assert answer["number"] == str(predicted["prediction"]) == str(digit)
    assert answer["confidence"] == only["confidence"] == predicted["confidence"]
    assert only["image"] == predicted["image"]


def test_every_line_is_listed_and_the_first_one_counts(read, picture):
    answer = read(picture(np.concatenate([printed("204"), printed("753")])))
    assert [line["number"] for line in answer["lines"]] == ["204", "753"]
    assert answer["number"] == "204"


def test_what_is_no_number_is_an_answer_that_says_why(read, picture):
    cases = {"HKMWXN": "not_a_number", "-35": "sign_or_separator", "3.5": "sign_or_separator"}
    for text, reason in cases.items():
        answer = read(picture(printed(text)))
        assert (answer["number"], answer["is_number"], answer["reason"]) == (None, False, reason)


def test_a_pattern_of_a_thousand_things_holds_no_digits(read, picture):
    ink = np.zeros((1600, 1600), dtype=np.uint8)
    for top in range(5, 1600, 50):
        ink[top : top + 35].reshape(35, 32, 50)[:, :, 10:40] = 255
    answer = read(picture(ink))
    assert (answer["reason"], answer["digits"], answer["lines"]) == ("no_digits", [], [])


def test_the_chosen_model_answers_and_other_parameters_are_refused(predict, png):
    assert predict(png, PATH, model="mlp").json()["model"] == "mlp"
    assert predict(png, PATH, top_k=3).json()["code"] == "invalid-parameter"


def test_a_bad_picture_is_the_problem_that_predict_has(predict):
    number, digit = predict(b"hello", PATH).json(), predict(b"hello").json()
    assert number == {**digit, "instance": f"/api/v1/{PATH}"}


def test_pictures_are_counted_by_why_they_hold_no_number(api_url, read, picture):
    def counted(reason: str) -> float:
        text = requests.get(f"{api_url}/metrics", timeout=30).text
        name = f'digits_numbers_total{{model="cnn",reason="{reason}"}} '
        return sum(float(row[len(name) :]) for row in text.splitlines() if row.startswith(name))

    for text, reason in (("61", ""), ("3.5", "sign_or_separator")):
        before = counted(reason)
        read(picture(printed(text)))
        assert counted(reason) == before + 1


def test_several_digits_sent_to_predict_are_pointed_here(api):
    schema = requests.get(f"{api.url}/openapi.json", timeout=30).json()["components"]["schemas"]
    assert f"/api/v1/{PATH}" in schema["PredictionResponse"]["properties"]["reason"]["description"]


def test_a_hand_that_examples_show_is_read_in_numbers_too(read, picture):
    with Image.open(REPOSITORY / "data" / "digits" / "7.png") as seven:
        mirrored = np.asarray(seven.convert("L"))[:, ::-1]
    data = picture(np.hstack([mirrored, mirrored]))
    first = read(data)
    assert first["number"] != "77" and "examples" not in first

    learnt = read(data, examples=[example(7, picture(mirrored))])

    assert (learnt["number"], learnt["examples"]) == ("77", 1)
