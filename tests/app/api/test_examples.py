"""Examples of a person's digits travel with a request, and the model learns them first."""

import json

import pytest
import requests
from PIL import Image, ImageOps
from tests.support.api import example, post
from tests.support.drawings import blank, file_of, write

from model.adaptation import adapt
from model.card import find_line_model, find_model
from model.classifier import Classifier
from model.config import MODELS_DIR
from model.examples import read_examples
from model.numbers.line import LineNetwork
from model.reading import read_image

SEVEN = write(blank(), [[(85, 70), (195, 70), (130, 220)]], 255, 22)
MIRRORED = file_of(ImageOps.mirror(SEVEN))  # which no model knows
WIDER = file_of(ImageOps.mirror(SEVEN).resize((310, 280)).rotate(4))  # the same, drawn again
POINTS = [(40 + 37 * i % 200, 40 + 91 * i % 200) for i in range(14)]
SCRIBBLE = file_of(write(blank(), [POINTS], 255, 12))
GOOD = example(7, MIRRORED)


def test_a_form_that_the_model_did_not_know_is_accepted_and_a_scribble_is_not(api_url):
    before = post(api_url, WIDER).json()
    assert "examples" not in before
    assert before["prediction"] != 7 or not before["is_digit"]

    after = post(api_url, WIDER, examples=[GOOD]).json()
    assert (after["prediction"], after["is_digit"], after["examples"]) == (7, True, 1)
    saved = [{"label": 7, "image": after["image"]}]  # the image of an answer is an example, too
    assert post(api_url, WIDER, examples=saved).json()["prediction"] == 7
    assert not post(api_url, SCRIBBLE, examples=[GOOD]).json()["is_digit"]


@pytest.mark.parametrize("name", ["cnn", "mlp-permuted"])
def test_a_model_learns_as_on_the_command_line(api_url, png, name):
    examples = [GOOD, example(7, png)]
    answer = post(api_url, WIDER, examples=examples, model=name).json()

    base = Classifier.load(find_model(name))
    network = LineNetwork.load(find_line_model(MODELS_DIR))
    adapted = adapt(base, *read_examples(json.dumps(examples).encode()))
    expected, before = (
        read_image(classifier, WIDER, network).prediction.probabilities
        for classifier in (adapted, base)
    )
    assert answer["probabilities"] == pytest.approx(expected, abs=1e-4)
    assert expected != pytest.approx(before, abs=1e-3)


def test_other_examples_and_other_models_have_answers_of_their_own(predict, png):
    answers = [
        predict(png, examples=[example(label, MIRRORED)], model=model).json()["probabilities"]
        for label in (3, 7)
        for model in ("cnn", "mlp", "cnn-permuted")
    ]
    assert len({tuple(answer) for answer in answers}) == 6


def test_all_that_reads_a_picture_learns_too_and_the_activations_stay(predict, png):
    learnt = [GOOD] * 3
    alone = predict(png, examples=learnt).json()["probabilities"]
    [result] = predict([png], "predict/batch", learnt).json()["results"]
    before = predict(png, "explain", target=7).json()
    after = predict(png, "explain", learnt, target=7).json()
    active = predict(png, "activations", learnt).json()
    for answer in (result, after, active):
        assert (answer["probabilities"], answer["examples"]) == (alone, 3)
    assert after["attribution"]["values"] != before["attribution"]["values"]
    assert active["layers"] == predict(png, "activations").json()["layers"]


TINY = {"label": 1, "image": "data:image/png;base64,AAAA"}
LARGE = example(7, file_of(Image.new("L", (1001, 1000)), "WEBP"))
BAD = {
    "no JSON": ("[", "examples", "JSON"),
    "none": ([], "examples", "at least 1"),
    "too many": ([TINY] * 201, "examples", "200"),
    "too long": (" " * 400_001, "examples", "400"),
    "no digit": ([GOOD, {**GOOD, "label": 11}], "examples[1]", ""),
    "no picture": ([GOOD, TINY], "examples[1]", ""),
    "more than a megapixel": ([GOOD, LARGE], "examples[1]", "1 megapixel"),
}


@pytest.mark.parametrize("path", ["predict", "predict/batch"])
@pytest.mark.parametrize(("examples", "name", "said"), BAD.values(), ids=BAD)
def test_bad_examples_are_named(predict, png, path, examples, name, said):
    response = predict([png] if path == "predict/batch" else png, path, examples)
    assert (response.status_code, response.json()["code"]) == (422, "invalid-parameter")
    [error] = response.json()["errors"]
    assert (error["in"], error["name"]) == ("body", name)
    assert said in error["detail"]


def test_examples_come_once_with_a_picture_and_an_empty_field_is_none(api, predict, png):
    url, examples = f"{api.url}/api/v1/predict", ("examples", (None, json.dumps([GOOD])))
    twice = requests.post(url, files=[("file", ("x", png)), examples, examples], timeout=60)
    assert (twice.status_code, twice.json()["errors"][0]["name"]) == (422, "examples")
    assert requests.post(url, files=[examples], timeout=60).json()["code"] == "no-file"
    assert "examples" not in predict(png, examples="").json()  # as the form of /docs sends it
