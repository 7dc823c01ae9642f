"""Whole numbers by the API, against the same road without it."""

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.support.api import example, pixels, post
from tests.support.drawings import file_of
from tests.support.pictures import printed
from tests.support.telemetry import metrics

from model.card import find_model
from model.classifier import Classifier
from model.config import REPOSITORY
from model.numbers.read import read_numbers
from model.preprocessing.normalize import preprocess

PATH = "predict/number"
MEMBERS = {"number", "confidence", "digits", "is_number", "reason"}


@pytest.fixture
def read(api_url):
    """Gives what the API with the repository's models answers of ink (H, W), 255 on 0."""

    def read(ink: np.ndarray, **options: object) -> dict:
        return post(api_url, file_of(Image.fromarray(ink)), PATH, **options).json()

    return read


def test_a_number_comes_as_text_with_what_was_read_of_each_digit(read):
    ink = printed("0042")
    answer = read(ink)

    classifier = Classifier.load(find_model("cnn"))
    (line,) = read_numbers(classifier, preprocess(file_of(Image.fromarray(ink))))
    assert answer.keys() == MEMBERS | {"lines", "model", "version", "milliseconds"}
    assert (answer["number"], answer["is_number"], answer["reason"]) == ("0042", True, None)
    assert answer["confidence"] == pytest.approx(line.confidence, abs=1e-4)
    assert answer["lines"] == [{name: answer[name] for name in MEMBERS}]
    for digit, expected in zip(answer["digits"], line.digits, strict=True):
        assert digit.keys() == {"prediction", "confidence", "is_digit", "box", "image"}
        assert (digit["prediction"], digit["is_digit"]) == (expected.digit, True)
        assert digit["confidence"] == pytest.approx(expected.confidence, abs=1e-4)
        assert digit["box"] == list(expected.box)
        assert (pixels(digit["image"]) == expected.image).all()


def test_boxes_are_those_of_the_upright_picture_of_the_size_that_was_sent(api_url):
    ink = cv2.resize(printed("61"), None, fx=14, fy=14)  # reduced while it is decoded
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    lying = file_of(Image.fromarray(np.rot90(ink).copy()), "JPEG", exif=exif)
    digits = post(api_url, lying, PATH).json()["digits"]
    columns = np.flatnonzero(np.diff(ink.max(axis=0) > 96, prepend=False, append=False))
    assert ink.size > 4_000_000
    for digit, left, right in zip(digits, columns[::2], columns[1::2], strict=True):
        x, _, width, _ = digit["box"]
        assert (x, x + width) == pytest.approx((left, right), abs=60)


def test_boxes_end_where_the_picture_does(read):
    ink = printed("24")
    x, y, width, height = cv2.boundingRect(ink)
    for digit in read(ink[y : y + height, x : x + width])["digits"]:
        left, top, own_width, own_height = digit["box"]
        assert min(left, top) >= 0
        assert left + own_width <= width and top + own_height <= height


@pytest.mark.parametrize("digit", [1, 4, 7])
def test_a_single_digit_gives_what_predict_gives(api_url, digit):
    data = (REPOSITORY / "data" / "digits" / f"{digit}.png").read_bytes()
    answer, predicted = post(api_url, data, PATH).json(), post(api_url, data).json()
    (only,) = answer["digits"]
    assert answer["number"] == str(predicted["prediction"]) == str(digit)
    assert answer["confidence"] == only["confidence"] == predicted["confidence"]
    assert only["image"] == predicted["image"]


def test_every_line_is_listed_and_the_first_one_counts(read):
    answer = read(np.concatenate([printed("204"), printed("753")]))
    assert [line["number"] for line in answer["lines"]] == ["204", "753"]
    assert answer["number"] == "204"


@pytest.mark.parametrize(
    ("text", "number", "reason"),
    [
        ("61", "61", None),
        ("HKMWXN", None, "not_a_number"),
        ("-35", None, "sign_or_separator"),
        ("3.5", None, "sign_or_separator"),
    ],
)
def test_a_picture_of_no_number_is_an_answer_that_says_why_and_is_counted(
    api_url, read, text, number, reason
):
    key = ("digits_numbers_total", "cnn", reason or "")
    before = metrics(api_url).get(key, 0)
    answer = read(printed(text))
    assert (answer["number"], answer["reason"]) == (number, reason)
    assert answer["is_number"] == (reason is None)
    assert metrics(api_url)[key] == before + 1


def test_a_pattern_of_a_thousand_things_holds_no_digits(read):
    ink = np.zeros((1600, 1600), dtype=np.uint8)
    for top in range(5, 1600, 50):
        ink[top : top + 35].reshape(35, 32, 50)[:, :, 10:40] = 255
    answer = read(ink)
    assert (answer["reason"], answer["digits"], answer["lines"]) == ("no_digits", [], [])


def test_model_and_problems_are_as_for_a_digit(predict, png):
    assert predict(png, PATH, model="mlp").json()["model"] == "mlp"
    assert predict(png, PATH, top_k=3).json()["code"] == "invalid-parameter"
    number, digit = predict(b"hello", PATH).json(), predict(b"hello").json()
    assert number == {**digit, "instance": f"/api/v1/{PATH}"}


def test_a_hand_that_examples_show_is_read_in_numbers_too(read):
    with Image.open(REPOSITORY / "data" / "digits" / "7.png") as seven:
        mirrored = np.asarray(seven.convert("L"))[:, ::-1]
    ink = np.hstack([mirrored, mirrored])
    assert read(ink)["number"] != "77"
    learnt = read(ink, examples=[example(7, file_of(Image.fromarray(mirrored.copy())))])
    assert (learnt["number"], learnt["examples"]) == ("77", 1)
