"""The networks: their shapes, and what the project asks of each."""

from collections import Counter

import pytest
import torch

from model.networks import NETWORKS


@pytest.mark.parametrize("name", NETWORKS)
def test_each_picture_gets_ten_finite_logits_whatever_its_neighbours_in_the_batch(name):
    network = NETWORKS[name]().eval()
    images = torch.randn(4, 1, 28, 28)
    logits = network(images)
    assert logits.shape == (4, 10)
    assert logits.isfinite().all()
    torch.testing.assert_close(logits[1:2], network(images[1:2]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_settings_build_the_same_network_again(name):
    network = NETWORKS[name]()
    NETWORKS[name](**network.config).load_state_dict(network.state_dict())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mlp", {"Linear": 3, "ReLU": 2, "Softmax": 0}),
        ("cnn", {"Conv2d": 2, "MaxPool2d": 2, "Linear": 1, "Softmax": 0, "LogSoftmax": 0}),
        ("deep", {"Softmax": 0, "LogSoftmax": 0}),
    ],
)
def test_a_network_has_the_layers_that_the_project_asks_for(name, expected):
    layers = Counter(type(layer).__name__ for layer in NETWORKS[name]().modules())
    assert {kind: layers[kind] for kind in expected} == expected
