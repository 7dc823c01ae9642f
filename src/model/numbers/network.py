"""The network for lines: it reads the digits of a line of writing, by CTC.

A. Graves et al., "Connectionist Temporal Classification", ICML 2006; for strings of digits
A. Hochuli et al., "Handwritten digit segmentation: is it still necessary?", 2018.
"""

from torch import Tensor, nn

from model.numbers.line import CLASSES

CHANNELS = (24, 48, 80, 112, 160)


class LineNet(nn.Module):
    """Five convolutions that reduce the height to 1, then two along the line.

    Takes lines (N, 1, 32, W), 0 background, 1 ink; returns logits (N, W // 2, 12).
    """

    def __init__(self, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        a, b, c, d, e = channels
        self.fold = nn.Sequential(
            *_convolution(1, a, 5), nn.MaxPool2d(2),
            *_convolution(a, b, 3), nn.MaxPool2d((2, 1)),
            *_convolution(b, c, 3), nn.MaxPool2d((2, 1)),
            *_convolution(c, d, 3), nn.MaxPool2d((2, 1)),
            nn.Conv2d(d, e, (2, 5), padding=(0, 2), bias=False), nn.BatchNorm2d(e), nn.ReLU(),
        )  # fmt: skip
        self.along = nn.Sequential(
            nn.Conv1d(e, e, 7, padding=3, bias=False),
            nn.BatchNorm1d(e),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Conv1d(e, CLASSES, 1),
        )

    def forward(self, lines: Tensor) -> Tensor:
        return self.along(self.fold(lines).squeeze(2)).transpose(1, 2)


def _convolution(inputs: int, outputs: int, size: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
