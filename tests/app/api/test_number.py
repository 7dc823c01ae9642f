"""Whole numbers by the API, beside the same functions without it."""

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
from model.config import MODELS_DIR
from model.examples import read_examples
from model.numbers.line import LineNetwork
from model.numbers.read import read_numbers
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


@pytest.fixture(scope="module")
def cnn() -> Classifier:
    return Classifier.load(find_model("cnn"))


@pytest.fixture(scope="module")
def network() -> LineNetwork:
    return LineNetwork.load(find_line_model(MODELS_DIR))


def test_a_number_comes_as_text_with_what_was_read_of_each_digit(read, cnn, network):
    ink = drawn("0042")
    answer = read(ink)

    (line,) = read_numbers(cnn, network, preprocess(file_of(Image.fromarray(ink))))
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


def test_every_line_is_listed_and_the_first_one_counts(read):
    answer = read(np.concatenate([drawn("204"), drawn("753")]))
    assert [line["number"] for line in answer["lines"]] == ["204", "753"]
    assert answer["number"] == "204"


@pytest.mark.parametrize(
    ("ink", "number", "reason"),
    [(drawn("7"), "7", None), (printed("HKMWXN"), None, "not_a_number")],
    ids=["digit", "word"],
)
def test_a_digit_is_a_number_and_a_word_is_an_answer_that_says_why_and_both_are_counted(
    api_url, read, ink, number, reason
):
    key = ("digits_numbers_total", "cnn", reason or "")
    before = metrics(api_url).get(key, 0)
    answer = read(ink)
    assert (answer["number"], answer["reason"]) == (number, reason)
    assert answer["is_number"] == (reason is None)
    assert metrics(api_url)[key] == before + 1


def test_model_and_problems_are_as_for_a_digit(api_url, png):
    assert post(api_url, png, PATH, model="mlp").json()["model"] == "mlp"
    number, digit = post(api_url, b"hello", PATH).json(), post(api_url, b"hello").json()
    assert number == {**digit, "instance": f"/api/v1/{PATH}"}


def test_a_hand_that_examples_show_counts_in_numbers_too(read, cnn, network):
    four = write(blank(), NEARLY_NINE, ink=255)
    ink = np.hstack([four, four])
    examples = [example(4, file_of(four))]
    learnt, before = read(ink, examples=examples), read(ink)

    adapted = adapt(cnn, *read_examples(json.dumps(examples).encode()))
    (line,) = read_numbers(adapted, network, preprocess(file_of(Image.fromarray(ink))))
    assert (learnt["number"], learnt["examples"]) == (line.number, 1)
    assert learnt["confidence"] == pytest.approx(line.confidence, abs=1e-4)
    for digit, untaught in zip(learnt["digits"], before["digits"], strict=True):
        assert digit["confidence"] > untaught["confidence"]


# --- The network for lines: asked for digits, or missing ------------------------------------------


def test_the_network_for_lines_is_asked_for_a_digit_that_the_classifier_is_not_sure_of(
    api_url, cnn, network
):
    unsure = file_of(write(blank(), NEARLY_NINE, ink=255))
    expected = read_image(cnn, unsure, network).prediction.probabilities
    assert expected != pytest.approx(read_image(cnn, unsure).prediction.probabilities)
    [in_batch] = post(api_url, [unsure], "predict/batch").json()["results"]
    for answer in (post(api_url, unsure).json(), in_batch):
        assert answer["probabilities"] == pytest.approx(expected, abs=1e-4)


def test_without_the_network_for_lines_there_are_no_numbers_but_digits_are_read(api, predict, png):
    missing = predict(png, PATH)
    assert (missing.status_code, missing.json()["code"]) == (503, "numbers-unavailable")
    assert "bash run.sh line" in missing.json()["detail"]
    assert "Retry-After" not in missing.headers  # it would fail again
    for path in ("predict", "predict/batch", "explain"):
        assert predict([png] if path == "predict/batch" else png, path).status_code == 200
    assert requests.get(f"{api.url}/ready", timeout=30).status_code == 200
    [line] = [line for line in api.printed().splitlines() if "No numbers are read" in line]
    assert '"warning"' in line and "bash run.sh line" in line


def test_a_damaged_network_for_lines_is_named_with_its_remedy(few_models, tmp_path, png):
    shutil.copytree(few_models, tmp_path, dirs_exist_ok=True)
    damaged = tmp_path / "mnist-line-0.0.1.onnx"
    damaged.write_bytes(find_line_model(MODELS_DIR).read_bytes()[:5000])
    with running_api(MODELS_DIR=str(tmp_path)) as api:
        reason = requests.get(f"{api.url}/api/v1/models", timeout=30).json()["line"]["reason"]
        detail = post(api.url, png, PATH).json()["detail"]
        assert post(api.url, png).status_code == 200
    assert re.search(f"{damaged} cannot be used: .*damaged.*: bash run.sh line", reason)
    assert reason in detail
