"""Connected components of a foreground at full resolution: what lies apart from the rest."""

import cv2
import numpy as np

MAX_PARTS = 40  # more than a picture of one digit, or of a number, can have


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

    def parts(self) -> list[np.ndarray]:
        """Return the foregrounds of what stands side by side, at least half as tall as the tallest.

        Components one above the other, and close to each other, are one group. At most
        ``MAX_PARTS`` are returned, from left to right.
        """
        heights = self.boxes[:, 1] - self.boxes[:, 0]
        tall = np.flatnonzero(heights >= 0.5 * heights.max(initial=0))
        apart = tall[~self.on_border[tall]]
        tall = apart if len(apart) else tall  # what the border cuts off is no digit of its own
        tall = tall[np.argsort(-heights[tall])][:MAX_PARTS]
        parts: list[tuple[list[int], np.ndarray]] = []
        for index in sorted(tall.tolist(), key=lambda i: self.boxes[i, 2]):
            box = self.boxes[index]
            for members, around in parts:
                overlap = min(box[3], around[3]) - max(box[2], around[2])
                narrower = min(box[3] - box[2], around[3] - around[2])
                gap = max(box[0], around[0]) - min(box[1], around[1])
                if overlap > 0.5 * narrower and gap < 0.2 * heights[index]:
                    members.append(index)
                    around[[0, 2]] = np.minimum(around[[0, 2]], box[[0, 2]])
                    around[[1, 3]] = np.maximum(around[[1, 3]], box[[1, 3]])
                    break
            else:
                parts.append(([index], box.copy()))
        found = []
        for members, (top, bottom, left, right) in parts:
            is_member = np.isin(self.labels[top:bottom, left:right], np.array(members) + 1)
            foreground = self.foreground[top:bottom, left:right]
            found.append(np.where(is_member, foreground, 0).astype(np.uint8))
        return found
