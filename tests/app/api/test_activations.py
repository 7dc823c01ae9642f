"""The view of a network at work: the strongest channels of each layer, and what they look for."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.support.api import pixels, post
from torch import nn

from model.card import find_models
from model.classifier import to_input
from model.config import MODELS_DIR
from model.data.mnist import standardize
from model.export import load_network
from model.preprocessing.normalize import preprocess

DIGITS = sorted((Path(__file__).parents[3] / "data" / "digits").glob("*.png"))
SHIPPED = list(find_models(MODELS_DIR))
FIELDS = {"cnn": [5, 14], "deep": [3, 5, 10, 14, 24, 28], "mlp": [28, 28]}


def responses(network: nn.Module, depth: int, png: bytes) -> np.ndarray:
    """How far the first layers' outputs to a picture exceed those to blank paper, from torch."""
    image = preprocess(png).image
    x = torch.from_numpy(to_input(np.stack((image, np.zeros_like(image)))))
    with torch.no_grad():
        outputs = network.features[:depth](standardize(x)).numpy()
    return (outputs[0] - outputs[1]).clip(0)


def test_the_channels_that_respond_most_come_first_with_their_maps(predict, png, small_models):
    first, second = predict(png, "activations").json()["layers"]
    network, _ = load_network(find_models(small_models)["cnn"])
    for layer, depth, size in ((first, 1, [24, 24]), (second, 5, [8, 8])):
        expected = responses(network, depth, png)
        peaks = expected.max(axis=(1, 2))
        assert (layer["kind"], layer["channels"]) == ("convolution", len(expected))
        assert (layer["size"], len(layer["maps"])) == (size, 8)
        assert [shown["channel"] for shown in layer["maps"]] == np.argsort(-peaks)[:8].tolist()
        for shown in layer["maps"]:
            channel = shown["channel"]
            assert shown["strength"] == pytest.approx(peaks[channel] / peaks.max(), abs=1e-3)
            grey = 255 * expected[channel] / peaks.max()
            assert pixels(shown["picture"]) == pytest.approx(grey, abs=1)


def test_a_channel_shows_its_kernel_or_the_one_with_the_largest_weights(predict, png, small_models):
    layers = predict(png, "activations").json()["layers"]
    network, _ = load_network(find_models(small_models)["cnn"])
    for layer, index in zip(layers, (0, 4), strict=True):
        weights = network.features[index].weight.detach().numpy()
        chosen = []
        for shown in layer["maps"]:
            kernels = weights[shown["channel"]]
            chosen.append(max(kernels, key=np.linalg.norm))
        largest = np.abs(chosen).max()
        for shown, kernel in zip(layer["maps"], chosen, strict=True):
            assert pixels(shown["kernel"]) == pytest.approx(128 + 127 * kernel / largest, abs=1)


@pytest.mark.parametrize("name", ["mlp", "mlp-permuted"])
def test_the_weights_of_a_neuron_lie_over_the_pixels_of_the_picture(api_url, png, name):
    answer = post(api_url, png, "activations", model=name).json()
    first, second = answer["layers"]
    image = pixels(answer["image"]).astype(float)
    assert (first["kind"], first["channels"], first["size"]) == ("linear", 512, [1, 1])
    # a neuron responds to paper and ink with the sum of its weights, pixel by pixel
    sums = [(image * (pixels(unit["kernel"]) - 128.0)).sum() for unit in first["maps"]]
    strengths = [unit["strength"] for unit in first["maps"]]
    assert np.array(sums) / sums[0] == pytest.approx(strengths, abs=0.05)
    assert all(unit["picture"] is None for unit in first["maps"])
    assert all(unit["kernel"] is None for unit in second["maps"])


@pytest.mark.parametrize("name", SHIPPED)
def test_each_shipped_network_is_shown_in_at_most_30_kilobytes(api_url, name):
    for file in DIGITS:
        response = post(api_url, file.read_bytes(), "activations", model=name)
        assert len(response.content) <= 30_000
        fields = [layer["receptive_field"] for layer in response.json()["layers"]]
        assert fields == FIELDS[name.removesuffix("-permuted")]


def test_the_rest_of_the_answer_is_the_prediction(predict, png):
    active = predict(png, "activations", model="cnn-permuted").json()
    predicted = predict(png, model="cnn-permuted").json()
    assert set(active) - set(predicted) == {"layers"}
    for name in set(predicted) - {"milliseconds"}:
        assert active[name] == predicted[name]
