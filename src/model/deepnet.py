"""The deep convolutional network: six convolutions, for those who want the last tenths."""

import torch
from torch import Tensor, nn

from model.settings import CLASSES


def _stage(channels_in: int, channels: int) -> list[nn.Module]:
    """Two 3 x 3 convolutions, each with batch norm and ReLU."""
    layers: list[nn.Module] = []
    for inputs in (channels_in, channels):
        layers += [
            nn.Conv2d(inputs, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        ]
    return layers


class DeepNet(nn.Module):
    """Three stages of two convolutions (28, 14 and 7 pixels a side), global pooling, one linear.

    Input (N, 1, 28, 28), normalised; output (N, 10) logits.
    """

    def __init__(self, channels: tuple[int, int, int] = (32, 48, 96), dropout: float = 0.2) -> None:
        super().__init__()
        self.settings = {"channels": channels, "dropout": dropout}  # what the card records
        first, second, third = channels
        self.features = nn.Sequential(
            *_stage(1, first),
            nn.MaxPool2d(2),
            *_stage(first, second),
            nn.MaxPool2d(2),
            *_stage(second, third),
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(2 * third, CLASSES)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the logits (N, 10) of ``pictures``."""
        features = self.features(pictures)
        pooled = torch.cat((features.mean(dim=(2, 3)), features.amax(dim=(2, 3))), dim=1)
        return self.classifier(self.dropout(pooled))
