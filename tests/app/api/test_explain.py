import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from model.checkpoint import find_checkpoints
from model.classifier import Classifier, standardize, to_tensor
from model.preprocessing.normalize import preprocess


def decode(url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))


def logits(reader: Classifier, pictures: torch.Tensor) -> torch.Tensor:
    return reader.network(standardize(pictures, reader.permutation))


@pytest.mark.parametrize("model", ["cnn", "mlp", "cnn-permuted"])
def test_integrated_gradients_agree_with_their_definition(predict, png, small_models, model):
    answer = predict(png, "/api/v1/explain", model=model, target=3).json()

    reader = Classifier.load(find_checkpoints(small_models)[model])
    picture = to_tensor(preprocess(png)[None])
    # Riemann sum of the gradient along the straight path from an empty picture.
    steps = ((torch.arange(300) + 0.5) / 300).view(-1, 1, 1, 1)
    path = (steps * picture).requires_grad_()
    (gradient,) = torch.autograd.grad(logits(reader, path)[:, 3].sum(), path)
    expected = (picture * gradient.mean(dim=0))[0, 0].numpy()
    expected /= np.abs(expected).max()
    values = np.array(answer["attribution"]["values"])
    assert values.shape == (28, 28)
    assert np.abs(values).max() == pytest.approx(1, abs=1e-4)
    assert np.corrcoef(values.ravel(), expected.ravel())[0, 1] > 0.98
    assert (answer["attribution"]["method"], answer["attribution"]["target"]) == (
        "integrated_gradients",
        3,
    )


def test_occlusion_says_what_hiding_a_window_costs(predict, png, small_models):
    answer = predict(png, "/api/v1/explain", model="mlp", method="occlusion").json()

    reader = Classifier.load(find_checkpoints(small_models)["mlp"])
    picture = to_tensor(preprocess(png)[None])
    digit = answer["attribution"]["target"]
    assert digit == answer["prediction"]
    expected = np.zeros((28, 28))
    with torch.no_grad():
        whole = logits(reader, picture)[0, digit]
        for row in range(24):
            for column in range(24):
                hidden = picture.clone()
                hidden[..., row : row + 5, column : column + 5] = 0
                cost = whole - logits(reader, hidden)[0, digit]
                expected[row : row + 5, column : column + 5] += cost.item()
    counts = np.convolve(np.ones(24), np.ones(5))
    expected /= np.outer(counts, counts)
    values = np.array(answer["attribution"]["values"])
    expected *= 1 / np.abs(expected).max()
    assert np.corrcoef(values.ravel(), expected.ravel())[0, 1] > 0.98


def test_the_maps_of_each_convolution_come_as_numbers_and_as_a_picture(predict, png, small_models):
    answer = predict(png, "/api/v1/explain").json()

    reader = Classifier.load(find_checkpoints(small_models)["cnn"])
    with torch.no_grad():
        first = reader.network.features[0](standardize(to_tensor(preprocess(png)[None])))[0]
    convolutions = [layer for layer in reader.network.features if hasattr(layer, "out_channels")]
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
    assert (response.status_code, response.json()["type"]) == (422, "invalid-parameter")
