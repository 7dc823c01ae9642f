"""The networks: a multilayer perceptron, a small convolutional network and a deep one.

Each takes standardized pixels (N, 1, 28, 28), needs no arguments, and returns logits (N, 10).
`config` holds the arguments that build it again; the model card records them.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from model.config import IMAGE_SIZE, NUM_CLASSES


class MLP(nn.Module):
    """Three linear layers with ReLU between them. It knows nothing of a pixel's neighbours."""

    def __init__(self, hidden: tuple[int, int] = (512, 256), dropout: float = 0.2) -> None:
        super().__init__()
        self.config = {"hidden": hidden, "dropout": dropout}
        first, second = hidden
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(IMAGE_SIZE * IMAGE_SIZE, first),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(first, second),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(second, NUM_CLASSES),
        )

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layers(x)
        return logits


def convolution(
    inputs: int, outputs: int, kernel: int, padding: int, pool: bool
) -> list[nn.Module]:
    """A convolution, batch norm and ReLU.

    Pooling comes before batch norm and ReLU, which then have a quarter of the work; the result is
    nearly the same.
    """
    return [
        nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=False),
        *([nn.MaxPool2d(2)] if pool else []),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]


class ConvNet(nn.Module):
    """Two convolutions with pooling, then one linear layer.

    The convolutions do not pad, as in LeNet-5: the border of an image is empty. The sides are 28,
    24, 12, 8 and 4 pixels, and the second convolution costs a third of what it would with padding.
    """

    def __init__(
        self, channels: tuple[int, int] = (32, 128), kernel: int = 5, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.config = {"channels": channels, "kernel": kernel, "dropout": dropout}
        first, second = channels
        self.features = nn.Sequential(
            *convolution(1, first, kernel, padding=0, pool=True),
            *convolution(first, second, kernel, padding=0, pool=True),
        )
        self.dropout = nn.Dropout(dropout)
        side = ((IMAGE_SIZE - kernel + 1) // 2 - kernel + 1) // 2
        self.classifier = nn.Linear(second * side**2, NUM_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.dropout(self.features(x).flatten(1)))
        return logits


class DeepNet(nn.Module):
    """Three stages of two 3 x 3 convolutions, global mean and maximum pooling, one linear layer.

    The first stage does not pad; the others keep their 12 and 6 pixels a side.
    """

    def __init__(
        self, channels: tuple[int, int, int] = (24, 48, 128), dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.config = {"channels": channels, "dropout": dropout}
        first, second, third = channels
        self.features = nn.Sequential(
            *convolution(1, first, 3, padding=0, pool=False),
            *convolution(first, first, 3, padding=0, pool=True),
            *convolution(first, second, 3, padding=1, pool=False),
            *convolution(second, second, 3, padding=1, pool=True),
            *convolution(second, third, 3, padding=1, pool=False),
            *convolution(third, third, 3, padding=1, pool=False),
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(2 * third, NUM_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        features = self.features(x)
        pooled = torch.cat((features.mean(dim=(2, 3)), features.amax(dim=(2, 3))), dim=1)
        logits: Tensor = self.classifier(self.dropout(pooled))
        return logits


# The networks by the name that run.sh takes: small letters and digits. To add your own, write a
# class like these whose last module is an `nn.Linear`. Enter it here, and its recipe in config.py.
NETWORKS: dict[str, Callable[..., nn.Module]] = {"mlp": MLP, "cnn": ConvNet, "deep": DeepNet}
