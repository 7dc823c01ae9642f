"""Whole numbers by the API, against the same road without it."""

import json
import re
import shutil

import cv2
import numpy as np
import pytest
import requests
from PIL import Image
from tests.support.api import example, pixels, post
from tests.support.drawings import NEARLY_NINE, blank, file_of, write
from tests.support.pictures import drawn, printed
from tests.support.services import running_api
from tests.support.telemetry import metrics

from model.adaptation import adapt
from model.card import find_line_model, find_model
from model.classifier import Classifier
from model.config import MODELS_DIR, REPOSITORY
from model.examples import read_examples
from model.numbers.line import LineNetwork
from model.numbers.read import REASONS, read_numbers
from model.preprocessing.normalize import preprocess
from model.reading import read_image

PATH = "predict/number"
MEMBERS = {"number", "confidence", "digits", "is_number", "reason"}


@pytest.fixture
def read(api_url):
    """Gives what the API with the repository's models answers of ink (H, W), 255 on 0."""

    def read(ink: np.ndarray, **options: object) -> dict:
        return post(api_url, file_of(Image.fromarray(ink)), PATH, **options).json()

    return read


def test_a_number_comes_as_text_with_what_was_read_of_each_digit(read):
    ink = drawn("0042")
    answer = read(ink)

    classifier = Classifier.load(find_model("cnn"))
    network = LineNetwork.load(find_line_model(MODELS_DIR))
    (line,) = read_numbers(classifier, network, preprocess(file_of(Image.fromarray(ink))))
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
    assert only["confidence"] == pytest.approx(predicted["confidence"], abs=0.01)


def test_every_line_is_listed_and_the_first_one_counts(read):
    answer = read(np.concatenate([drawn("204"), drawn("753")]))
    assert [line["number"] for line in answer["lines"]] == ["204", "753"]
    assert answer["number"] == "204"


def minus(text: str) -> np.ndarray:
    return cv2.line(drawn(f" {text}"), (20, 60), (60, 60), 255, 8)


@pytest.mark.parametrize(
    ("ink", "number", "reason"),
    [
        (drawn("35"), "35", None),
        (minus("35"), None, "not_a_number"),
        (printed("HKMWXN"), None, "not_a_number"),
    ],
    ids=["number", "sign", "word"],
)
def test_a_picture_of_no_number_is_an_answer_that_says_why_and_is_counted(
    api_url, read, ink, number, reason
):
    key = ("digits_numbers_total", "cnn", reason or "")
    before = metrics(api_url).get(key, 0)
    answer = read(ink)
    assert (answer["number"], answer["reason"]) == (number, reason)
    assert answer["is_number"] == (reason is None)
    assert metrics(api_url)[key] == before + 1


def test_a_pattern_of_a_thousand_things_is_no_number(read):
    ink = np.zeros((1600, 1600), dtype=np.uint8)
    for top in range(5, 1600, 50):
        ink[top : top + 35].reshape(35, 32, 50)[:, :, 10:40] = 255
    answer = read(ink)
    assert (answer["number"], answer["is_number"]) == (None, False)
    assert answer["reason"] in REASONS


def test_model_and_problems_are_as_for_a_digit(api_url, png):
    assert post(api_url, png, PATH, model="mlp").json()["model"] == "mlp"
    assert post(api_url, png, PATH, top_k=3).json()["code"] == "invalid-parameter"
    number, digit = post(api_url, b"hello", PATH).json(), post(api_url, b"hello").json()
    assert number == {**digit, "instance": f"/api/v1/{PATH}"}


def test_a_hand_that_examples_show_counts_in_numbers_too(read):
    four = write(blank(), NEARLY_NINE, ink=255)
    ink = np.hstack([four, four])
    examples = [example(4, file_of(four))]
    learnt, before = read(ink, examples=examples), read(ink)

    taught = read_examples(json.dumps(examples).encode())
    adapted = adapt(Classifier.load(find_model("cnn")), *taught)
    network = LineNetwork.load(find_line_model(MODELS_DIR))
    (line,) = read_numbers(adapted, network, preprocess(file_of(Image.fromarray(ink))))
    assert (learnt["number"], learnt["examples"]) == (line.number, 1)
    assert learnt["confidence"] == pytest.approx(line.confidence, abs=1e-4)
    for digit, untaught in zip(learnt["digits"], before["digits"], strict=True):
        assert digit["prediction"] == untaught["prediction"] == 4
        assert digit["confidence"] > untaught["confidence"]


# --- Without the network for lines ----------------------------------------------------------------


def test_without_the_network_for_lines_numbers_are_refused_and_digits_are_read(api, predict, png):
    refused = predict(png, PATH)
    assert (refused.status_code, refused.json()["code"]) == (503, "numbers-unavailable")
    assert "bash run.sh line" in refused.json()["detail"]
    assert "again" not in refused.json()["detail"]
    assert "Retry-After" not in refused.headers  # it would fail again
    for path in ("predict", "predict/batch", "explain"):
        assert predict([png] if path == "predict/batch" else png, path).status_code == 200
    assert requests.get(f"{api.url}/ready", timeout=30).status_code == 200
    [line] = [line for line in api.printed().splitlines() if "No numbers are read" in line]
    assert '"warning"' in line and "bash run.sh line" in line


def test_a_damaged_network_for_lines_is_named_with_its_remedy(small_models, tmp_path, png):
    shutil.copytree(small_models, tmp_path, dirs_exist_ok=True)
    damaged = tmp_path / "mnist-line-0.0.1.onnx"
    damaged.write_bytes(find_line_model(MODELS_DIR).read_bytes()[:5000])
    with running_api(MODELS_DIR=str(tmp_path)) as api:
        reason = requests.get(f"{api.url}/api/v1/models", timeout=30).json()["line"]["reason"]
        refused = post(api.url, png, PATH)
        assert post(api.url, png).status_code == 200
    assert re.search(f"{damaged} cannot be used: .*damaged.*: bash run.sh line", reason)
    assert refused.status_code == 503 and reason in refused.json()["detail"]


def test_the_network_for_lines_is_asked_for_a_digit_that_the_classifier_is_not_sure_of(api_url):
    unsure = file_of(write(blank(), NEARLY_NINE, ink=255))
    classifier = Classifier.load(find_model("cnn"))
    network = LineNetwork.load(find_line_model(MODELS_DIR))
    expected = read_image(classifier, unsure, network).prediction.probabilities
    assert expected != pytest.approx(read_image(classifier, unsure).prediction.probabilities)
    [in_batch] = post(api_url, [unsure], "predict/batch").json()["results"]
    for answer in (post(api_url, unsure).json(), in_batch):
        assert answer["probabilities"] == pytest.approx(expected, abs=1e-4)
