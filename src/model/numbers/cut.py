"""Cut the digits of a line apart, near the places where the network for lines found them."""

from typing import NamedTuple

import cv2
import numpy as np

from model.numbers.find import Box, components


class Cut(NamedTuple):
    """A digit of a line: its box, and its foreground (h, w) uint8 in it."""

    box: Box
    foreground: np.ndarray


def cut_digits(foreground: np.ndarray, places: np.ndarray) -> list[Cut]:
    """Cut out the digits that stand at the columns ``places`` of a line, from left to right.

    A component goes whole to the digit whose place it covers, or to the nearest one. A component
    that covers several places is cut upright between them, at the column with the least ink.
    """
    labels, stats = components(foreground)
    left, right = stats[:, :1], stats[:, :1] + stats[:, 2:3]
    covers = (places >= left - 1) & (places <= right)
    nearest = np.maximum(left - places, places - right).argmin(axis=1)
    several = covers.sum(axis=1) > 1
    first = np.where(several, covers.argmax(axis=1), nearest)
    last = np.where(several, first + covers.sum(axis=1) - 1, nearest)

    is_cut = np.append(False, several)[labels]
    ink = np.where(is_cut, foreground, 0).sum(axis=0, dtype=np.float64)
    cuts = [_least(ink, *places[k : k + 2]) for k in range(len(places) - 1)]
    side = np.searchsorted(cuts, np.arange(len(ink)), side="right")
    owner = side.clip(np.append(0, first)[labels], np.append(0, last)[labels]) + 1
    owner = np.where(labels > 0, owner, 0).astype(np.uint8)
    # The soft edges of strokes are fainter than components.
    owner = np.where(owner > 0, owner, cv2.dilate(owner, np.ones((3, 3), np.uint8)))
    return [_cut(np.where(owner == digit + 1, foreground, 0)) for digit in range(len(places))]


def _cut(foreground: np.ndarray) -> Cut:
    left, top, width, height = cv2.boundingRect(foreground)
    return Cut((left, top, width, height), foreground[top : top + height, left : left + width])


def _least(ink: np.ndarray, before: float, after: float) -> int:
    """Return the column of least ink in the middle half between two places; the centre is best."""
    low = int(before + 0.25 * (after - before))
    high = max(low + 1, int(before + 0.75 * (after - before)))
    columns = np.arange(low, high).clip(0, len(ink) - 1)
    away = np.abs(columns - (low + high - 1) / 2) / (high - low)
    return low + int((ink[columns] + 0.15 * ink.max() * away).argmin())
