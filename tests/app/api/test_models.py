"""The models that the API lists, their cards and figures, and the study."""

import json
import shutil

import pytest
import requests
from tests.support.api import post
from tests.support.networks import change_card
from tests.support.services import running_api

from model.card import find_line_model, find_model
from model.classifier import Classifier
from model.config import MODELS_DIR
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


@pytest.mark.parametrize(
    "change", [{"threshold": None}, {"permutation": {"seed": 0, "indices": [1]}}, {"name": "cnn"}]
)
def test_a_model_with_a_bad_card_is_left_out_with_its_reason_and_the_others_serve(tmp_path, change):
    for name in ("mlp", "deep"):
        shutil.copy(find_model(name), tmp_path)
    change_card(tmp_path / "mnist-deep-0.0.1.onnx", **change)
    with running_api(MODELS_DIR=str(tmp_path), API_MODEL="mlp") as api:
        good, bad = get(api, "/api/v1/models").json()["models"]
    assert (good["name"], good["available"]) == ("mlp", True)
    assert (bad["name"], bad["available"]) == ("deep", False)
    assert ("'cnn'" if "name" in change else next(iter(change))) in bad["reason"]


def test_the_network_for_lines_is_listed_apart_and_is_no_model(api, api_url, png):
    listed = requests.get(f"{api_url}/api/v1/models", timeout=30).json()
    card = LineNetwork.load(find_line_model(MODELS_DIR)).card
    shown = card.model_dump(include={"version", "parameters", "results"})
    assert listed["line"] == {"available": True, "reason": None, **shown}
    assert "line" not in {model["name"] for model in listed["models"]}
    unknown = post(api_url, png, model="line")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown-model")
    for path in ("/api/v1/models/line", "/v2/models/line/ready"):
        assert requests.get(api_url + path, timeout=30).status_code == 404
    assert requests.get(f"{api_url}/v2/health/ready", timeout=30).status_code == 200

    missing = get(api, "/api/v1/models").json()["line"]
    assert not missing["available"] and "bash run.sh line" in missing["reason"]


def test_a_card_is_answered_as_its_file_has_it(api):
    card = Classifier.load(find_model("mlp")).card
    assert get(api, "/api/v1/models/mlp").json() == card.model_dump(mode="json")
    response = get(api, "/api/v1/models/nobody")
    assert (response.status_code, response.json()["code"]) == (404, "unknown-model")


def test_the_figures_of_a_card_are_served_and_nothing_else(api, few_models):
    response = get(api, "/api/v1/models/cnn/figures/confusion-matrix")
    assert response.headers["content-type"] == "image/png"
    assert response.content == (few_models / "mnist-0.0.1-confusion-matrix.png").read_bytes()
    for figure in ("nothing", "elsewhere", "..%2Fmnist-0.0.1.onnx", "mnist-0.0.1.onnx"):
        assert get(api, f"/api/v1/models/cnn/figures/{figure}").status_code == 404


def test_a_study_is_served_as_soon_as_it_is_made_and_until_then_its_command_named(api, few_models):
    for path in ("/api/v1/study", "/api/v1/study/accuracy"):
        problem = get(api, path).json()
        assert problem["status"] == 404 and "bash run.sh compare" in problem["detail"]
    (few_models / "figures").mkdir()
    (few_models / "comparison.json").write_text(json.dumps({"cells": [{"network": "mlp"}]}))
    (few_models / "figures" / "accuracy.png").write_bytes(b"\x89PNG")
    study = get(api, "/api/v1/study").json()
    assert study == {"cells": [{"network": "mlp"}], "figures": ["accuracy"]}
    assert get(api, "/api/v1/study/accuracy").content == b"\x89PNG"
    for figure in ("nothing", "..%2Fcomparison"):
        assert get(api, f"/api/v1/study/{figure}").status_code == 404
