"""Connected components of a foreground at full resolution: what lies apart from the rest."""

import cv2
import numpy as np


class Components:
    """All components of a foreground, as arrays: there may be thousands.

    Attributes:
        labels: (H, W) int32; pixel of component i has i + 1, background has 0.
        boxes: (n, 4) int32: top, bottom, left, right; bottom and right are one past the last.
        areas: (n,) int32 pixels.
    """

    def __init__(self, foreground: np.ndarray) -> None:
        self.foreground = foreground
        _, self.labels, stats, _ = cv2.connectedComponentsWithStats(
            (foreground > 0).view(np.uint8), connectivity=8
        )
        left, top, width, height, self.areas = stats[1:].T
        self.boxes = np.stack((top, top + height, left, left + width), axis=1)

    def __len__(self) -> int:
        return len(self.areas)

    @property
    def on_border(self) -> np.ndarray:
        """Which components (n,) touch the border."""
        height, width = self.labels.shape
        top, bottom, left, right = self.boxes.T
        return (top == 0) | (bottom == height) | (left == 0) | (right == width)

    def masses(self) -> np.ndarray:
        """Return the sum of the levels of each component (n,), float64."""
        labels, levels = self.labels.reshape(-1), self.foreground.reshape(-1)
        return np.bincount(labels, levels, len(self) + 1)[1:]

    def keep(self, chosen: np.ndarray) -> np.ndarray:
        """Return the foreground (H, W) with only the components ``chosen`` (n,) bool."""
        return np.where(np.append(False, chosen)[self.labels], self.foreground, 0).astype(np.uint8)
