"""The network for lines, ready to read: it turns a line of writing into probabilities.

A model is one ``.onnx`` file, like a classifier. ONNX Runtime runs it, without torch.
"""

import math
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from model.card import LineCard, unusable
from model.classifier import X, load_session

LINE_HEIGHT = 32  # pixels of a line that the network sees
INK_HEIGHT = 24  # pixels of the ink in such a line
SIDE = 6  # blank pixels before and after the ink
STRIDE = 2  # pixels of a line for each column of the output
MAX_LINE_WIDTH = 1000  # pixels; longer lines are scaled down
INK = 48  # grey levels from which a pixel belongs to the ink's box
BLANK, FIRST_DIGIT, OTHER = 0, 1, 11  # classes: no sign here, the digits 0-9, any other sign
CLASSES = 12
TINY = 1e-9  # keeps logarithms finite
PROBABILITIES = "probabilities"  # the output of the graph, (N, W // 2, 12)


def to_line(foreground: np.ndarray, ink_height: float = INK_HEIGHT) -> tuple[np.ndarray, float]:
    """Scale a foreground (H, W) uint8 to a line (32, w) uint8; return the scale, too.

    The ink's box becomes `ink_height` pixels high, with `SIDE` blank pixels on either side.
    """
    x, y, width, height = cv2.boundingRect((foreground >= INK).astype(np.uint8))
    if width == 0:
        return np.zeros((LINE_HEIGHT, 2 * SIDE), np.uint8), 1.0
    scale = min(ink_height / height, MAX_LINE_WIDTH / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    ink = cv2.resize(foreground[y : y + height, x : x + width], size, interpolation=how)
    line = np.zeros((LINE_HEIGHT, size[0] + 2 * SIDE), np.uint8)
    top = (LINE_HEIGHT - size[1]) // 2
    line[top : top + size[1], SIDE : SIDE + size[0]] = ink
    return stretch(line), scale


def stretch(image: np.ndarray) -> np.ndarray:
    """Scale the levels of an image, uint8, so that the lowest is 0 and the highest 255."""
    return cv2.normalize(image, np.empty_like(image), 0, 255, cv2.NORM_MINMAX)


class LineNetwork:
    """The trained network and its card; safe to call from threads."""

    def __init__(self, session: ort.InferenceSession, card: LineCard) -> None:
        self.session, self.card = session, card

    @classmethod
    def load(cls, path: Path) -> "LineNetwork":
        """Load the model in an ``.onnx`` file.

        Raises:
            ModelFileError: the file is missing, damaged, or holds no network for lines.
        """
        network = cls(*load_session(path, LineCard))
        try:
            shape = network.probabilities(np.zeros((LINE_HEIGHT, LINE_HEIGHT), np.uint8)).shape
        except Exception as error:  # onnxruntime's errors share no base class but this
            raise unusable(path, f"it reads no lines ({' '.join(str(error).split())})") from error
        if shape != (LINE_HEIGHT // STRIDE, CLASSES):
            raise unusable(path, f"it does not give {CLASSES} classes a column")
        return network

    def probabilities(self, line: np.ndarray) -> np.ndarray:
        """Return (columns, 12), each row summing to 1, of a line (32, w) uint8."""
        columns = line.shape[1] // STRIDE
        x = np.pad(line, ((0, 0), (0, -line.shape[1] % 8))).astype(np.float32) / 255
        (found,) = self.session.run([PROBABILITIES], {X: x[None, None]})
        return found[0, :columns]

    def calibrate(self, share: float) -> float:
        """Return the probability that a number is right, from its share of all hypotheses."""
        odds = math.log(max(share, TINY) / max(1 - share, TINY))
        return 1 / (1 + math.exp(-self.card.slope * odds - self.card.intercept))
