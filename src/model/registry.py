"""The networks by name: one line each; the key is the word given to ``run.sh``."""

from collections.abc import Callable

from torch import nn

from model.convnet import ConvNet
from model.deepnet import DeepNet
from model.mlp import MLP

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "mlp": MLP,
    "cnn": ConvNet,
    "deep": DeepNet,
}
