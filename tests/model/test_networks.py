"""The networks: their shapes, and what the project asks of each."""

import pytest
import torch
from torch import nn

from model.registry import NETWORKS


def layers(network, kind):
    return [layer for layer in network.modules() if isinstance(layer, kind)]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_gives_ten_finite_logits_a_picture(name):
    network = NETWORKS[name]().eval()
    logits = network(torch.randn(3, 1, 28, 28))
    assert logits.shape == (3, 10)
    assert logits.isfinite().all()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_picture_is_read_by_itself_whatever_its_neighbours_in_the_batch(name):
    network = NETWORKS[name]().eval()
    images = torch.randn(4, 1, 28, 28)
    torch.testing.assert_close(network(images)[1:2], network(images[1:2]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_settings_build_the_same_network_again(name):
    network = NETWORKS[name]()
    NETWORKS[name](**network.config).load_state_dict(network.state_dict())


@pytest.mark.parametrize("name", NETWORKS)
def test_none_ends_in_a_softmax(name):
    assert not layers(NETWORKS[name](), (nn.Softmax, nn.LogSoftmax))


def test_the_mlp_has_three_linear_layers_with_relu_between():
    network = NETWORKS["mlp"]()
    assert len(layers(network, nn.Linear)) == 3
    assert len(layers(network, nn.ReLU)) == 2


def test_the_cnn_has_two_convolutions_pooling_and_one_linear_layer():
    network = NETWORKS["cnn"]()
    assert len(layers(network, nn.Conv2d)) == len(layers(network, nn.MaxPool2d)) == 2
    assert len(layers(network, nn.Linear)) == 1
