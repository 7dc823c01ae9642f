import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from PIL import Image, ImageDraw, ImageOps

from app.api.adapted import AdaptedClassifiers
from app.api.executor import TooHeavyError
from app.api.reading import PredictOptions
from app.settings import MAX_ADAPTED
from bench.services import Running, running_api
from model.adaptation import adapt
from model.checkpoint import find_checkpoints
from model.classifier import Classifier
from model.config import MODELS_DIR
from model.examples import read_examples
from model.reading import read_image

MODELS = ["cnn", "deep", "mlp", "cnn-permuted", "mlp-permuted"]
Example = dict[str, object]


@pytest.fixture(scope="module")
def trained_api() -> Iterator[Running]:
    """The API with the models of this project."""
    with running_api() as api:
        yield api


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


def example(label: int, picture: bytes) -> Example:
    return {"label": label, "image": "data:image/png;base64," + base64.b64encode(picture).decode()}


def ask(
    api: Running, picture: bytes, examples: object, path: str = "predict", **parameters: str
) -> requests.Response:
    """Ask with examples, a list or the text itself."""
    text = examples if isinstance(examples, str) else json.dumps(examples)
    field = "files" if path == "predict/batch" else "file"
    return requests.post(
        f"{api.url}/api/v1/{path}",
        files=[(field, ("picture", picture))],
        data={"examples": text},
        params=parameters,
        timeout=60,
    )


def without_time(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "milliseconds"}


def test_a_form_that_the_model_did_not_know_is_accepted_and_a_scribble_is_not(
    trained_api, mirrored, wider, scribble
):
    url = f"{trained_api.url}/api/v1/predict"
    before = requests.post(url, files={"file": wider}, timeout=60).json()
    assert "examples" not in before
    assert before["prediction"] != 7 or not before["is_digit"]

    learnt = [example(7, mirrored)]
    after = ask(trained_api, wider, learnt).json()
    assert (after["prediction"], after["is_digit"], after["examples"]) == (7, True, 1)
    assert not ask(trained_api, scribble, learnt).json()["is_digit"]


def test_the_image_of_an_answer_is_an_example(trained_api, mirrored, wider):
    answer = ask(trained_api, mirrored, [example(7, mirrored)]).json()
    saved = [{"label": 7, "image": answer["image"]}]
    assert ask(trained_api, wider, saved).json()["prediction"] == 7


@pytest.mark.parametrize("name", MODELS)
def test_every_model_learns_as_on_the_command_line(trained_api, png, mirrored, name):
    examples = [example(7, mirrored), example(1, png)]
    answer = ask(trained_api, png, examples, model=name).json()

    base = Classifier.load(find_checkpoints(MODELS_DIR)[name])
    adapted = adapt(base, *read_examples(json.dumps(examples).encode()))
    expected = read_image(adapted, png).prediction.probabilities
    assert answer["model"] == name
    assert answer["probabilities"] == pytest.approx(expected, abs=1e-4)
    assert expected != pytest.approx(read_image(base, png).prediction.probabilities, abs=1e-3)


def test_the_same_examples_give_the_same_answer_again_and_in_another_process(
    api, small_models, png, mirrored
):
    learnt = [example(7, mirrored)]
    first = without_time(ask(api, png, learnt).json())
    assert without_time(ask(api, png, learnt).json()) == first
    with running_api(MODELS_DIR=str(small_models)) as other:
        assert without_time(ask(other, png, learnt).json()) == first


def test_only_what_was_used_last_is_kept_and_what_is_kept_needs_no_fit(small_models, mirrored):
    classifier = Classifier.load(find_checkpoints(small_models)["mlp"])
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


def test_other_examples_and_other_models_have_answers_of_their_own(api, png, mirrored):
    answers = [
        ask(api, png, [example(label, mirrored)], model=model).json()["probabilities"]
        for label in (3, 7)
        for model in ("cnn", "mlp", "cnn-permuted")
    ]
    assert len({tuple(answer) for answer in answers}) == 6


def test_a_batch_learns_too(api, png, mirrored):
    learnt = [example(7, mirrored)] * 3
    [result] = ask(api, png, learnt, "predict/batch").json()["results"]
    assert result["examples"] == 3
    assert without_time(result) == without_time(ask(api, png, learnt).json())


def test_an_explanation_is_of_what_was_learnt_and_the_maps_stay(api, png, mirrored):
    url = f"{api.url}/api/v1/explain?target=7"
    before = requests.post(url, files={"file": png}, timeout=60).json()
    learnt = [example(7, mirrored)]
    after = ask(api, png, learnt, "explain", target="7").json()
    assert after["probabilities"] == ask(api, png, learnt).json()["probabilities"]
    assert after["attribution"]["values"] != before["attribution"]["values"]
    assert after["feature_maps"] == before["feature_maps"]


@pytest.mark.parametrize("path", ["predict", "predict/batch", "explain"])
@pytest.mark.parametrize(
    ("bad", "name"),
    [
        ({"label": 11}, "examples[1]"),
        ({"image": "data:image/png;base64,???"}, "examples[1]"),
        ({"image": "data:image/png;base64,AAAA"}, "examples[1]"),
    ],
)
def test_a_bad_example_is_named(api, png, path, bad, name):
    good = example(7, png)
    response = ask(api, png, [good, {**good, **bad}], path)
    assert response.status_code == 422
    problem = response.json()
    assert problem["code"] == "invalid-parameter"
    assert [(error["in"], error["name"]) for error in problem["errors"]] == [("body", name)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "JSON"),
        ("[]", "at least 1"),
        (json.dumps([{"label": 1, "image": "data:image/png;base64,AAAA"}] * 201), "200"),
        (" " * 400_001, "400000"),
    ],
)
def test_examples_beyond_their_limits_are_refused(api, png, text, said):
    response = ask(api, png, text)
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
