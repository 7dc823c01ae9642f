import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from model.checkpoint import find_checkpoints, load_checkpoint
from model.classifier import to_input
from model.preprocessing.normalize import preprocess
from model.registry import standardize


def decode(url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))


@pytest.mark.parametrize("model", ["mlp", "cnn-permuted"])
def test_occlusion_says_what_hiding_a_window_costs(predict, png, small_models, model):
    answer = predict(png, "/api/v1/explain", model=model).json()

    checkpoint = load_checkpoint(find_checkpoints(small_models)[model])
    x = torch.from_numpy(to_input(preprocess(png).image[None]))
    digit = answer["attribution"]["target"]
    assert digit == answer["prediction"]
    expected = np.zeros((28, 28))

    def logit(x: torch.Tensor) -> float:
        return checkpoint.network(standardize(x, checkpoint.permutation))[0, digit].item()

    with torch.no_grad():
        for row in range(24):
            for column in range(24):
                hidden = x.clone()
                hidden[..., row : row + 5, column : column + 5] = 0
                expected[row : row + 5, column : column + 5] += logit(x) - logit(hidden)
    counts = np.convolve(np.ones(24), np.ones(5))
    expected /= np.outer(counts, counts)
    values = np.array(answer["attribution"]["values"])
    assert values == pytest.approx(expected / np.abs(expected).max(), abs=1e-3)


def test_the_maps_of_each_convolution_come_as_numbers_and_as_a_picture(predict, png, small_models):
    answer = predict(png, "/api/v1/explain").json()

    network = load_checkpoint(find_checkpoints(small_models)["cnn"]).network
    with torch.no_grad():
        x = torch.from_numpy(to_input(preprocess(png).image[None]))
        first = network.features[0](standardize(x))[0]
    convolutions = [layer for layer in network.features if hasattr(layer, "out_channels")]
    maps = answer["feature_maps"]
    assert [entry["shape"] for entry in maps] == [
        [entry.out_channels, side, side] for entry, side in zip(convolutions, (24, 8), strict=True)
    ]
    assert np.array(maps[0]["values"]) == pytest.approx(first.numpy(), abs=1e-3)
    assert decode(maps[0]["picture"]).size == (8 * 25 - 1, 4 * 25 - 1)


def test_a_network_without_convolutions_has_no_maps(predict, png):
    assert predict(png, "/api/v1/explain", model="mlp").json()["feature_maps"] == []


def test_the_picture_is_red_for_and_blue_against_the_digit(predict, png):
    answer = predict(png, "/api/v1/explain").json()
    values = np.array(answer["attribution"]["values"])
    pixels = np.asarray(decode(answer["attribution"]["picture"]).convert("RGB")).astype(int)
    assert (pixels[values == 0] == 255).all()
    assert (pixels[values > 0.2][:, 0] > pixels[values > 0.2][:, 2]).all()
    assert (pixels[values < -0.2][:, 0] < pixels[values < -0.2][:, 2]).all()


def test_the_rest_of_the_answer_is_the_prediction(predict, png):
    explained = predict(png, "/api/v1/explain", model="cnn-permuted").json()
    predicted = predict(png, model="cnn-permuted").json()
    added = set(explained) - set(predicted)
    assert added == {"attribution", "feature_maps"}
    for name in set(predicted) - {"milliseconds"}:
        assert explained[name] == predicted[name]


@pytest.mark.parametrize("parameters", [{"target": 10}, {"target": "x"}, {"method": "guess"}])
def test_bad_parameters_are_problems(predict, png, parameters):
    response = predict(png, "/api/v1/explain", **parameters)
    assert (response.status_code, response.json()["code"]) == (422, "invalid-parameter")


def test_a_method_that_needs_gradients_is_refused_and_the_other_named(predict, png):
    response = predict(png, "/api/v1/explain", method="integrated_gradients")
    assert (response.status_code, response.json()["code"]) == (422, "invalid-parameter")
    assert "occlusion" in response.json()["detail"]
