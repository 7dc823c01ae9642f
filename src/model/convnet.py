"""The small convolutional network: two convolutions, pooling, one fully connected layer."""

from torch import Tensor, nn

from model.config import IMAGE_SIZE, NUM_CLASSES


class ConvNet(nn.Module):
    """Two ``Conv2d``, each with 2 x 2 max pooling, batch norm and ReLU, then one linear layer.

    Pooling comes before batch norm and ReLU, which then have a quarter of the work; the result is
    nearly the same. The convolutions do not pad (28, 24, 12, 8 and 4 pixels a side), as in LeNet-5:
    around the ink is nothing but paper. So the second one costs a third of what it would.

    Input (N, 1, 28, 28), normalised; output (N, 10) logits.
    """

    def __init__(
        self, channels: tuple[int, int] = (32, 128), kernel: int = 5, dropout: float = 0.3
    ) -> None:
        super().__init__()
        # what the card records
        self.config = {"channels": channels, "kernel": kernel, "dropout": dropout}
        first, second = channels
        self.features = nn.Sequential(
            nn.Conv2d(1, first, kernel, bias=False),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            nn.Conv2d(first, second, kernel, bias=False),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(second),
            nn.ReLU(),
        )
        self.dropout = nn.Dropout(dropout)
        side = ((IMAGE_SIZE - kernel + 1) // 2 - kernel + 1) // 2
        self.classifier = nn.Linear(second * side**2, NUM_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.dropout(self.features(x).flatten(1)))
        return logits
