import json
from typing import Any

import pytest
import requests
from PIL import Image, ImageDraw, ImageOps
from tests.support.api import example, post
from tests.support.services import running_api

from app.api.adapted import AdaptedClassifiers
from app.api.executor import TooHeavyError
from app.api.reading import PredictOptions
from app.settings import MAX_ADAPTED
from model.adaptation import adapt
from model.card import find_models
from model.classifier import Classifier
from model.config import MODELS_DIR
from model.examples import read_examples
from model.reading import read_image

MODELS = ["cnn", "deep", "mlp", "cnn-permuted", "mlp-permuted"]


@pytest.fixture(scope="module")
def mirrored(drawing, encode) -> bytes:
    """A 7 seen in a mirror, which no model knows."""
    return encode(ImageOps.mirror(drawing))


@pytest.fixture(scope="module")
def wider(drawing, encode) -> bytes:
    """The same form drawn again, not quite the same way."""
    return encode(ImageOps.mirror(drawing).resize((310, 280)).rotate(4))


@pytest.fixture(scope="module")
def scribble(encode) -> bytes:
    picture = Image.new("L", (280, 280))
    points = [(40 + 37 * i % 200, 40 + 91 * i % 200) for i in range(14)]
    ImageDraw.Draw(picture).line(points, fill=255, width=12)
    return encode(picture)


def without_time(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "milliseconds"}


def test_a_form_that_the_model_did_not_know_is_accepted_and_a_scribble_is_not(
    api_url, mirrored, wider, scribble
):
    before = post(api_url, wider).json()
    assert "examples" not in before
    assert before["prediction"] != 7 or not before["is_digit"]

    learnt = [example(7, mirrored)]
    after = post(api_url, wider, examples=learnt).json()
    assert (after["prediction"], after["is_digit"], after["examples"]) == (7, True, 1)
    assert not post(api_url, scribble, examples=learnt).json()["is_digit"]


def test_the_image_of_an_answer_is_an_example(api_url, mirrored, wider):
    answer = post(api_url, mirrored, examples=[example(7, mirrored)]).json()
    saved = [{"label": 7, "image": answer["image"]}]
    assert post(api_url, wider, examples=saved).json()["prediction"] == 7


@pytest.mark.parametrize("name", MODELS)
def test_every_model_learns_as_on_the_command_line(api_url, png, mirrored, name):
    examples = [example(7, mirrored), example(1, png)]
    answer = post(api_url, png, examples=examples, model=name).json()

    base = Classifier.load(find_models(MODELS_DIR)[name])
    adapted = adapt(base, *read_examples(json.dumps(examples).encode()))
    expected = read_image(adapted, png).prediction.probabilities
    assert answer["model"] == name
    assert answer["probabilities"] == pytest.approx(expected, abs=1e-4)
    assert expected != pytest.approx(read_image(base, png).prediction.probabilities, abs=1e-3)


def test_the_same_examples_give_the_same_answer_again_and_in_another_process(
    predict, small_models, png, mirrored
):
    learnt = [example(7, mirrored)]
    first = without_time(predict(png, examples=learnt).json())
    assert without_time(predict(png, examples=learnt).json()) == first
    with running_api(MODELS_DIR=str(small_models)) as other:
        assert without_time(post(other.url, png, examples=learnt).json()) == first


def test_only_what_was_used_last_is_kept_and_what_is_kept_needs_no_fit(small_models, mirrored):
    classifier = Classifier.load(find_models(small_models)["mlp"])
    options, adapted = PredictOptions(classifier, 3, 0.0), AdaptedClassifiers()
    texts = [
        json.dumps([example(i % 10, mirrored)] * (i // 10 + 1)).encode()
        for i in range(MAX_ADAPTED + 1)
    ]
    for text in texts[:-1]:
        with pytest.raises(TooHeavyError):
            adapted.learn(options, text, heavy=False)
        adapted.learn(options, text, heavy=True)
    adapted.learn(options, texts[0], heavy=False)
    adapted.learn(options, texts[-1], heavy=True)
    adapted.learn(options, texts[0], heavy=False)
    with pytest.raises(TooHeavyError):
        adapted.learn(options, texts[1], heavy=False)


def test_other_examples_and_other_models_have_answers_of_their_own(predict, png, mirrored):
    answers = [
        predict(png, examples=[example(label, mirrored)], model=model).json()["probabilities"]
        for label in (3, 7)
        for model in ("cnn", "mlp", "cnn-permuted")
    ]
    assert len({tuple(answer) for answer in answers}) == 6


def test_a_batch_learns_too(predict, png, mirrored):
    learnt = [example(7, mirrored)] * 3
    [result] = predict([png], "predict/batch", learnt).json()["results"]
    assert result["examples"] == 3
    assert without_time(result) == without_time(predict(png, examples=learnt).json())


def test_an_example_of_more_than_a_megapixel_is_refused_by_name(predict, png, encode):
    few_bytes = encode(Image.new("L", (1001, 1000)), "WEBP")
    response = predict(png, examples=[example(7, png), example(7, few_bytes)])
    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert error["name"] == "examples[1]"
    assert "1 megapixel" in error["detail"]


def test_an_explanation_is_of_what_was_learnt_and_the_maps_stay(predict, png, mirrored):
    before = predict(png, "explain", target=7).json()
    learnt = [example(7, mirrored)]
    after = predict(png, "explain", learnt, target=7).json()
    assert after["probabilities"] == predict(png, examples=learnt).json()["probabilities"]
    assert after["attribution"]["values"] != before["attribution"]["values"]
    assert after["feature_maps"] == before["feature_maps"]


@pytest.mark.parametrize("path", ["predict", "predict/batch", "explain"])
@pytest.mark.parametrize(
    "bad",
    [
        {"label": 11},
        {"image": "data:image/png;base64,???"},
        {"image": "data:image/png;base64,AAAA"},
    ],
)
def test_a_bad_example_is_named(predict, png, path, bad):
    good = example(7, png)
    pictures = [png] if path == "predict/batch" else png
    response = predict(pictures, path, [good, {**good, **bad}])
    assert (response.status_code, response.json()["code"]) == (422, "invalid-parameter")
    [error] = response.json()["errors"]
    assert (error["in"], error["name"]) == ("body", "examples[1]")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "JSON"),
        ("[]", "at least 1"),
        (json.dumps([{"label": 1, "image": "data:image/png;base64,AAAA"}] * 201), "200"),
        (" " * 400_001, "400000"),
    ],
)
def test_examples_beyond_their_limits_are_refused(predict, png, text, said):
    response = predict(png, examples=text)
    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert error["name"] == "examples"
    assert said in error["detail"]


def test_two_fields_of_examples_are_refused(api, png, mirrored):
    text = json.dumps([example(7, mirrored)])
    parts = [("file", ("x", png)), ("examples", (None, text)), ("examples", (None, text))]
    response = requests.post(f"{api.url}/api/v1/predict", files=parts, timeout=60)
    assert response.status_code == 422
    assert response.json()["errors"][0]["name"] == "examples"


def test_examples_without_a_picture_are_no_request(api, mirrored):
    parts = {"examples": (None, json.dumps([example(7, mirrored)]))}
    response = requests.post(f"{api.url}/api/v1/predict", files=parts, timeout=60)
    assert response.json()["code"] == "no-file"
