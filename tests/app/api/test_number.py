"""Whole numbers by the API, against the same road without it."""

import base64
import io
import json

import cv2
import numpy as np
import pytest
import requests
from PIL import Image

from bench.services import Running
from model.checkpoint import find_model
from model.classifier import Classifier
from model.config import REPOSITORY
from model.numbers.read import read_numbers
from model.preprocessing.normalize import preprocess

PATH = "/api/v1/predict/number"
MEMBERS = {"number", "confidence", "digits", "is_number", "reason"}


def ask(url: str, data: bytes, **parameters: object) -> requests.Response:
    return requests.post(url + PATH, files={"file": data}, params=parameters, timeout=60)


def written(text: str, y: int = 120) -> np.ndarray:
    """Digits as a plotter's pen writes them, 255 on 0."""
    ink = np.zeros((180, 120 + 58 * len(text)), dtype=np.uint8)
    cv2.putText(ink, text, (50, y), cv2.FONT_HERSHEY_SIMPLEX, 2.5, 255, 8, cv2.LINE_AA)
    return ink


@pytest.fixture(scope="module")
def picture(encode):
    """Return the bytes of a picture of ink."""
    return lambda ink, format_="PNG", **options: encode(Image.fromarray(ink), format_, **options)


def test_a_number_comes_as_text_with_what_was_read_of_each_digit(api_url, picture):
    data = picture(written("0042"))
    answer = ask(api_url, data).json()

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
        image = Image.open(io.BytesIO(base64.b64decode(digit["image"].partition(",")[2])))
        assert (np.asarray(image) == expected.image).all()


def test_the_body_may_be_the_picture_itself(api_url, picture):
    data = picture(written("735"))
    headers = {"Content-Type": "image/png"}
    raw = requests.post(api_url + PATH, data=data, headers=headers, timeout=30).json()
    assert {**raw, "milliseconds": 0} == {**ask(api_url, data).json(), "milliseconds": 0}


def test_boxes_are_those_of_the_upright_picture_of_the_size_that_was_sent(api_url, picture):
    ink = cv2.resize(written("61"), None, fx=14, fy=14)  # reduced while it is decoded
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    turned = np.ascontiguousarray(np.rot90(ink))
    digits = ask(api_url, picture(turned, "JPEG", exif=exif)).json()["digits"]
    columns = np.flatnonzero(np.diff(ink.max(axis=0) > 96, prepend=False, append=False))
    assert ink.size > 4_000_000
    for digit, left, right in zip(digits, columns[::2], columns[1::2], strict=True):
        x, _, width, _ = digit["box"]
        assert (x, x + width) == pytest.approx((left, right), abs=60)


def test_boxes_end_where_the_picture_does(api_url, picture):
    ink = written("24")
    x, y, width, height = cv2.boundingRect(ink)
    for digit in ask(api_url, picture(ink[y : y + height, x : x + width])).json()["digits"]:
        left, top, own_width, own_height = digit["box"]
        assert min(left, top) >= 0
        assert left + own_width <= width and top + own_height <= height


@pytest.mark.parametrize("digit", [1, 4, 7])
def test_a_single_digit_gives_what_predict_gives(api_url, digit):
    data = (REPOSITORY / "data" / "digits" / f"{digit}.png").read_bytes()
    answer = ask(api_url, data).json()
    files = {"file": data}
    predicted = requests.post(f"{api_url}/api/v1/predict", files=files, timeout=30).json()
    (read,) = answer["digits"]
    assert answer["number"] == str(predicted["prediction"]) == str(digit)
    assert answer["confidence"] == read["confidence"] == predicted["confidence"]
    assert read["image"] == predicted["image"]


def test_every_line_is_listed_and_the_first_one_counts(api_url, picture):
    answer = ask(api_url, picture(np.concatenate([written("204"), written("753")]))).json()
    assert [line["number"] for line in answer["lines"]] == ["204", "753"]
    assert answer["number"] == "204"


def test_what_is_no_number_is_an_answer_that_says_why(api_url, picture):
    cases = {"HKMWXN": "not_a_number", "-35": "sign_or_separator", "3.5": "sign_or_separator"}
    for text, reason in cases.items():
        answer = ask(api_url, picture(written(text))).json()
        assert (answer["number"], answer["is_number"], answer["reason"]) == (None, False, reason)


def test_a_pattern_of_a_thousand_things_holds_no_digits(api_url, picture):
    ink = np.zeros((1600, 1600), dtype=np.uint8)
    for top in range(5, 1600, 50):
        ink[top : top + 35].reshape(35, 32, 50)[:, :, 10:40] = 255
    answer = ask(api_url, picture(ink)).json()
    assert (answer["reason"], answer["digits"], answer["lines"]) == ("no_digits", [], [])


def test_the_chosen_model_answers_and_other_parameters_are_refused(api: Running, picture):
    data = picture(written("61"))
    assert ask(api.url, data, model="mlp").json()["model"] == "mlp"
    for parameters, status, code in [
        ({"model": "gpt"}, 404, "unknown-model"),
        ({"top_k": 3}, 422, "invalid-parameter"),
    ]:
        response = ask(api.url, data, **parameters)
        assert (response.status_code, response.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "empty-file"), (b"hello", "not-a-picture"), (bytes(5_000_001), "file-too-large")],
)
def test_bad_pictures_are_the_problems_that_predict_has(predict, data, code):
    response = predict(data, PATH)
    assert response.json()["code"] == code == predict(data).json()["code"]
    assert response.json()["instance"] == PATH


def test_a_blank_picture_is_a_problem(predict, picture):
    assert predict(picture(np.zeros((99, 99), np.uint8)), PATH).json()["code"] == "blank-picture"


def test_pictures_are_counted_by_why_they_hold_no_number(api_url, picture):
    def counted(reason: str) -> float:
        text = requests.get(f"{api_url}/metrics", timeout=30).text
        name = f'digits_numbers_total{{model="cnn",reason="{reason}"}} '
        return sum(float(row[len(name) :]) for row in text.splitlines() if row.startswith(name))

    for text, reason in (("61", ""), ("3.5", "sign_or_separator")):
        before = counted(reason)
        ask(api_url, picture(written(text)))
        assert counted(reason) == before + 1


def test_several_digits_sent_to_predict_are_pointed_here(api: Running):
    schema = requests.get(f"{api.url}/openapi.json", timeout=30).json()["components"]["schemas"]
    assert PATH in schema["PredictionResponse"]["properties"]["reason"]["description"]


def test_a_hand_that_examples_show_is_read_in_numbers_too(api_url, picture):
    with Image.open(REPOSITORY / "data" / "digits" / "7.png") as seven:
        mirrored = np.asarray(seven.convert("L"))[:, ::-1]
    data = picture(np.hstack([mirrored, mirrored]))
    first = ask(api_url, data).json()
    assert first["number"] != "77" and "examples" not in first
    image = base64.b64encode(picture(mirrored)).decode()
    examples = [{"label": 7, "image": f"data:image/png;base64,{image}"}]

    form = {"file": data, "examples": (None, json.dumps(examples))}
    learnt = requests.post(api_url + PATH, files=form, timeout=60).json()

    assert (learnt["number"], learnt["examples"]) == ("77", 1)
