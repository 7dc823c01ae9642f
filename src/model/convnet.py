"""The small convolutional network: two convolutions, pooling, one fully connected layer."""

from torch import Tensor, nn

from model.settings import CLASSES, SIDE


class ConvNet(nn.Module):
    """Two ``Conv2d`` with batch norm, ReLU and 2 x 2 max pooling, then one linear layer.

    Input (N, 1, 28, 28), normalised; output (N, 10) logits.
    """

    def __init__(
        self, channels: tuple[int, int] = (32, 64), kernel: int = 5, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.settings = {
            "channels": channels,
            "kernel": kernel,
            "dropout": dropout,
        }  # what the card records
        first, second = channels
        self.features = nn.Sequential(
            nn.Conv2d(1, first, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(first, second, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(second),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(second * (SIDE // 4) ** 2, CLASSES)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the logits (N, 10) of ``pictures``."""
        return self.classifier(self.dropout(self.features(pictures).flatten(1)))
