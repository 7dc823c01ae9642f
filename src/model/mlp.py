"""The multilayer perceptron: sees 784 numbers, knows nothing of their neighbourhood."""

from torch import Tensor, nn

from model.config import IMAGE_SIZE, NUM_CLASSES


class MLP(nn.Module):
    """Three linear layers with ReLU between them, on the flattened image.

    Input (N, 1, 28, 28) or (N, 784), normalised; output (N, 10) logits.
    """

    def __init__(self, hidden: tuple[int, int] = (512, 256), dropout: float = 0.2) -> None:
        super().__init__()
        self.config = {"hidden": hidden, "dropout": dropout}  # what the card records
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
