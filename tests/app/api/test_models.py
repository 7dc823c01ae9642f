import json

import requests
from tests.support.api import post
from tests.support.services import running_api

from model.classifier import Classifier


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


def test_a_left_out_model_is_logged(api):
    assert "The model deep is left out" in api.printed()


def test_a_card_is_answered_as_its_file_has_it(api, small_models):
    card = Classifier.load(small_models / "mnist-mlp-0.0.1.onnx").card
    assert get(api, "/api/v1/models/mlp").json() == card.model_dump(mode="json")
    response = get(api, "/api/v1/models/nobody")
    assert (response.status_code, response.json()["code"]) == (404, "unknown-model")


def test_the_pictures_of_a_card_are_served_and_nothing_else(api, small_models):
    response = get(api, "/api/v1/models/cnn/figures/confusion-matrix")
    assert response.headers["content-type"] == "image/png"
    assert response.content == (small_models / "mnist-0.0.1-confusion-matrix.png").read_bytes()
    for figure in ("nothing", "elsewhere", "..%2Fmnist-0.0.1.json", "mnist-0.0.1.json"):
        response = get(api, f"/api/v1/models/cnn/figures/{figure}")
        assert response.status_code == 404


def test_a_study_that_was_not_made_names_the_command_that_makes_it(api):
    for path in ("/api/v1/study", "/api/v1/study/accuracy"):
        problem = get(api, path).json()
        assert (problem["status"], problem["code"]) == (404, "no-study")
        assert "bash run.sh compare" in problem["detail"]


def test_a_study_is_served_as_soon_as_it_is_made(api, small_models):
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
        results.unlink()
        (figures / "accuracy.png").unlink()
        figures.rmdir()


def test_another_model_can_be_the_default(small_models, png):
    with running_api(MODELS_DIR=str(small_models), API_MODEL="mlp") as api:
        assert get(api, "/api/v1/models").json()["default"] == "mlp"
        assert post(api.url, png).json()["model"] == "mlp"
