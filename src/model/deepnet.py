"""The deep convolutional network: six convolutions, for those who want the last tenths."""

import torch
from torch import Tensor, nn

from model.config import NUM_CLASSES


def _block(inputs: int, outputs: int, *, padding: int = 1, pool: bool = False) -> list[nn.Module]:
    """A 3 x 3 convolution, pooling where wanted, batch norm and ReLU."""
    return [
        nn.Conv2d(inputs, outputs, 3, padding=padding, bias=False),
        *([nn.MaxPool2d(2)] if pool else []),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]


class DeepNet(nn.Module):
    """Three stages of two convolutions, global pooling by mean and by maximum, one linear layer.

    The first stage does not pad (28, 26 and 24 pixels a side), since around the ink is nothing but
    paper; the others keep their 12 and 6 pixels a side.

    Input (N, 1, 28, 28), normalised; output (N, 10) logits.
    """

    def __init__(
        self, channels: tuple[int, int, int] = (24, 48, 128), dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.config = {"channels": channels, "dropout": dropout}  # what the card records
        first, second, third = channels
        self.features = nn.Sequential(
            *_block(1, first, padding=0),
            *_block(first, first, padding=0, pool=True),
            *_block(first, second),
            *_block(second, second, pool=True),
            *_block(second, third),
            *_block(third, third),
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(2 * third, NUM_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        features = self.features(x)
        pooled = torch.cat((features.mean(dim=(2, 3)), features.amax(dim=(2, 3))), dim=1)
        logits: Tensor = self.classifier(self.dropout(pooled))
        return logits
