import json
import shutil
from pathlib import Path

import pytest
import requests
from tests.support.api import post
from tests.support.networks import card, change_card
from tests.support.services import running_api

from model.card import find_line_model
from model.classifier import Classifier
from model.config import MODELS_DIR
from model.export import save_model
from model.mlp import MLP
from model.numbers.line import LineNetwork


def get(api, path: str) -> requests.Response:
    return requests.get(api.url + path, timeout=30)


def test_the_list_names_the_default_and_says_why_a_model_is_missing(api):
    listed = get(api, "/api/v1/models").json()

    assert listed["default"] == "cnn"
    models = {model["name"]: model for model in listed["models"]}
    assert list(models) == ["cnn", "cnn-permuted", "mlp", "deep"]
    assert models["cnn"]["available"] and models["cnn"]["version"] == "0.0.1"
    assert [models[name]["permuted"] for name in ("cnn", "cnn-permuted")] == [False, True]
    assert not models["deep"]["available"]
    assert "sha256" in models["deep"]["reason"] and "bash run.sh deep" in models["deep"]["reason"]
    assert "The model deep is left out" in api.printed()


def test_the_network_for_lines_is_listed_apart_and_is_no_model(api, api_url, png):
    listed = requests.get(f"{api_url}/api/v1/models", timeout=30).json()
    card = LineNetwork.load(find_line_model(MODELS_DIR)).card
    shown = card.model_dump(include={"version", "parameters", "results"})
    assert listed["line"] == {"available": True, "reason": None, **shown}
    assert "line" not in {model["name"] for model in listed["models"]}
    for path in ("predict", "predict/number", "explain"):
        refused = post(api_url, png, path, model="line")
        assert (refused.status_code, refused.json()["code"]) == (404, "unknown-model")
    for path in ("/api/v1/models/line", "/v2/models/line", "/v2/models/line/ready"):
        assert requests.get(api_url + path, timeout=30).status_code == 404
    assert requests.get(f"{api_url}/v2/health/ready", timeout=30).status_code == 200

    missing = get(api, "/api/v1/models").json()["line"]
    assert not missing["available"] and "bash run.sh line" in missing["reason"]


def test_a_card_is_answered_as_its_file_has_it(api, small_models):
    card = Classifier.load(small_models / "mnist-mlp-0.0.1.onnx").card
    assert get(api, "/api/v1/models/mlp").json() == card.model_dump(mode="json")
    response = get(api, "/api/v1/models/nobody")
    assert (response.status_code, response.json()["code"]) == (404, "unknown-model")


def test_the_figures_of_a_card_are_served_and_nothing_else(api, small_models):
    response = get(api, "/api/v1/models/cnn/figures/confusion-matrix")
    assert response.headers["content-type"] == "image/png"
    assert response.content == (small_models / "mnist-0.0.1-confusion-matrix.png").read_bytes()
    for figure in ("nothing", "elsewhere", "..%2Fmnist-0.0.1.json", "mnist-0.0.1.json"):
        assert get(api, f"/api/v1/models/cnn/figures/{figure}").status_code == 404


def test_a_study_is_served_as_soon_as_it_is_made_and_until_then_its_command_named(
    api, small_models
):
    for path in ("/api/v1/study", "/api/v1/study/accuracy"):
        problem = get(api, path).json()
        assert problem["status"] == 404 and "bash run.sh compare" in problem["detail"]
    results, figures = small_models / "comparison.json", small_models / "figures"
    figures.mkdir()
    try:
        results.write_text(json.dumps({"cells": [{"network": "mlp"}]}))
        (figures / "accuracy.png").write_bytes(b"\x89PNG")
        study = get(api, "/api/v1/study").json()
        assert study == {"cells": [{"network": "mlp"}], "figures": ["accuracy"]}
        assert get(api, "/api/v1/study/accuracy").content == b"\x89PNG"
        for figure in ("nothing", "..%2Fcomparison"):
            assert get(api, f"/api/v1/study/{figure}").status_code == 404
    finally:
        results.unlink(missing_ok=True)
        shutil.rmtree(figures)


# --- Cards that cannot be -------------------------------------------------------------------------

NAN = float("nan")
BAD_CARDS = {
    "text-for-a-number": {"temperature": "warm"},
    "no-temperature": {"temperature": None},
    "negative-temperature": {"temperature": -1.0},
    "threshold-nan": {"threshold": NAN},
    "threshold-a-list": {"threshold": []},
    "accuracy-nan": {"results": {"test_accuracy": NAN}},
    "results-a-list": {"results": [0.99]},
    "parameters-text": {"parameters": "many"},
    "permutation-short": {"permutation": {"seed": 0, "indices": [1, 2, 3]}},
    "another-name": {"name": "cnn"},
}


def write_model(folder: Path, name: str, changes: dict) -> None:
    """Save an untrained MLP as the model `name`, with changes of its card."""
    path = save_model(MLP(), card(name, network="mlp"), folder, {})
    if changes:
        change_card(path, **changes)


@pytest.fixture(scope="module")
def listed(tmp_path_factory) -> dict[str, dict]:
    """What an API lists whose models have bad cards, but for one."""
    folder = tmp_path_factory.mktemp("models")
    for name, changes in {"good": {}, **BAD_CARDS}.items():
        write_model(folder, name, changes)
    with running_api(MODELS_DIR=str(folder), API_MODEL="good") as api:
        models = get(api, "/api/v1/models").json()
    assert models["default"] == "good"
    return {model["name"]: model for model in models["models"]}


@pytest.mark.parametrize("name", BAD_CARDS)
def test_a_model_with_a_bad_card_is_left_out_with_its_reason_and_the_others_serve(listed, name):
    [field] = BAD_CARDS[name]
    assert listed["good"]["available"]
    assert not listed[name]["available"]
    wrong = "'cnn'" if field == "name" else field
    assert wrong in listed[name]["reason"]
