"""What a network sees: occlusion, and the strongest channels of each layer, beside torch."""

import numpy as np
import pytest
import torch
from tests.support.api import pixels, post
from torch import nn

from model.card import find_model, find_models
from model.classifier import to_input
from model.config import MODELS_DIR, REPOSITORY
from model.data.mnist import standardize
from model.export import load_network
from model.preprocessing.normalize import preprocess

FIELDS = {"cnn": [5, 14], "deep": [3, 5, 10, 14, 24, 28], "mlp": [28, 28]}


@pytest.mark.parametrize(("path", "added"), [("explain", "attribution"), ("activations", "layers")])
def test_the_rest_of_the_answer_is_the_prediction(predict, png, path, added):
    answer = predict(png, path, model="cnn-permuted").json()
    predicted = predict(png, model="cnn-permuted").json()
    assert set(answer) - set(predicted) == {added}
    for name in set(predicted) - {"milliseconds"}:
        assert answer[name] == predicted[name]


@pytest.mark.parametrize("model", ["mlp", "cnn-permuted"])
def test_occlusion_says_what_hiding_a_window_costs(predict, png, model):
    answer = predict(png, "explain", model=model).json()

    network, card = load_network(find_model(model))
    indices = card.permutation and torch.tensor(card.permutation.indices)
    x = torch.from_numpy(to_input(preprocess(png).image[None]))
    digit = answer["attribution"]["target"]
    assert digit == answer["prediction"]
    hidden = x.repeat(24 * 24, 1, 1, 1)
    for place in range(24 * 24):
        row, column = divmod(place, 24)
        hidden[place, :, row : row + 5, column : column + 5] = 0
    with torch.no_grad():
        logits = network(standardize(torch.cat((x, hidden)), indices))[:, digit].numpy()
    expected, counts = np.zeros((28, 28)), np.zeros((28, 28))
    for place, fall in enumerate(logits[0] - logits[1:]):
        row, column = divmod(place, 24)
        expected[row : row + 5, column : column + 5] += fall
        counts[row : row + 5, column : column + 5] += 1
    expected /= counts
    values = np.array(answer["attribution"]["values"])
    assert values == pytest.approx(expected / np.abs(expected).max(), abs=1e-3)


def responses(network: nn.Module, depth: int, png: bytes) -> np.ndarray:
    """How far the first layers' outputs to a picture exceed those to blank paper, from torch."""
    image = preprocess(png).image
    x = torch.from_numpy(to_input(np.stack((image, np.zeros_like(image)))))
    with torch.no_grad():
        outputs = network.features[:depth](standardize(x)).numpy()
    return (outputs[0] - outputs[1]).clip(0)


def test_the_channels_that_respond_most_come_first_with_their_maps_and_kernels(predict, png):
    layers = predict(png, "activations").json()["layers"]
    network, _ = load_network(find_model("cnn"))
    for layer, index, depth, size in zip(layers, (0, 4), (1, 5), (24, 8), strict=True):
        expected = responses(network, depth, png)
        peaks = expected.max(axis=(1, 2))
        strongest = np.argsort(-peaks)[:8].tolist()
        assert (layer["kind"], layer["channels"]) == ("convolution", len(expected))
        assert layer["size"] == [size, size]
        assert [shown["channel"] for shown in layer["maps"]] == strongest
        weights = network.features[index].weight.detach().numpy()
        kernels = [max(weights[channel], key=np.linalg.norm) for channel in strongest]
        largest = np.abs(kernels).max()
        for shown, channel, kernel in zip(layer["maps"], strongest, kernels, strict=True):
            assert shown["strength"] == pytest.approx(peaks[channel] / peaks.max(), abs=1e-3)
            grey = 255 * expected[channel] / peaks.max()
            assert pixels(shown["picture"]) == pytest.approx(grey, abs=1)
            grey = 128 + 127 * kernel / largest
            assert pixels(shown["kernel"]) == pytest.approx(grey, abs=1)


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


@pytest.mark.parametrize("name", find_models(MODELS_DIR))
def test_each_shipped_network_is_shown_in_at_most_30_kilobytes(api_url, name):
    for digit in (0, 8):
        picture = (REPOSITORY / "data" / "digits" / f"{digit}.png").read_bytes()
        response = post(api_url, picture, "activations", model=name)
        assert len(response.content) <= 30_000
        fields = [layer["receptive_field"] for layer in response.json()["layers"]]
        assert fields == FIELDS[name.removesuffix("-permuted")]
