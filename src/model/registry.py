"""The networks by name: one line each; the key is the word given to ``run.sh``."""

from collections.abc import Callable

from model.convnet import ConvNet
from model.deepnet import DeepNet
from model.mlp import MLP

Network = MLP | ConvNet | DeepNet
NETWORKS: dict[str, Callable[..., Network]] = {
    "mlp": MLP,
    "cnn": ConvNet,
    "deep": DeepNet,
}
