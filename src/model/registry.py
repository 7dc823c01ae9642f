"""The networks by name, one line each, and what all of them are given.

The name is the word given to ``run.sh``.
"""

from collections.abc import Callable

from torch import Tensor

from model.config import MEAN, STD
from model.convnet import ConvNet
from model.deepnet import DeepNet
from model.mlp import MLP

Network = MLP | ConvNet | DeepNet
NETWORKS: dict[str, Callable[..., Network]] = {
    "mlp": MLP,
    "cnn": ConvNet,
    "deep": DeepNet,
}


def standardize(x: Tensor, permutation: Tensor | None = None) -> Tensor:
    """Standardize by MNIST's mean and standard deviation, and permute the pixels.

    Training and the served form both go through here.

    Args:
        x: (N, 1, 28, 28) floats in [0, 1].
        permutation: (784,) indices; pixel i of the result is pixel ``permutation[i]``.
    """
    x = (x - MEAN) / STD
    if permutation is not None:
        x = x.flatten(1)[:, permutation].view_as(x)
    return x
