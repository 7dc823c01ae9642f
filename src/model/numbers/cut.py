"""Cut the digits of a line apart, near the places where the network for lines found them."""

import cv2
import numpy as np

from model.numbers.line import INK

LEFT_OVER = 0.6, 1.2


def cut_digits(foreground: np.ndarray, places: np.ndarray) -> tuple[list[np.ndarray], int]:
    """Return the foreground (H, W) uint8 of each digit; `places` are their columns, left to right.

    A component goes whole to the digit whose place it covers, or that is nearest. One that covers
    several places is cut upright between two of them, where it has least ink.
    """
    mask = (foreground >= INK).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    left, width = stats[1:, cv2.CC_STAT_LEFT, None], stats[1:, cv2.CC_STAT_WIDTH, None]
    covers = (places >= left - 1) & (places <= left + width)  # (components, digits)
    heights = stats[1:, cv2.CC_STAT_HEIGHT]
    usual = float(np.median(heights[covers.any(axis=1)])) if covers.any() else 0.0
    left_over = 0
    owner = np.zeros(foreground.shape, np.uint8)  # 1 and up: the digit that a pixel belongs to
    for name in range(1, count):
        left, top, width, height, _ = stats[name]
        box = slice(top, top + height), slice(left, left + width)
        inside = np.flatnonzero((places >= left - 1) & (places <= left + width))
        if len(inside) == 0:
            left_over += LEFT_OVER[0] * usual < height < LEFT_OVER[1] * usual
            outside = np.maximum(left - places, places - left - width)
            inside = outside.argmin(keepdims=True)
        is_part = labels[box] == name
        profile = np.where(is_part, foreground[box], 0).sum(axis=0, dtype=np.float64)
        cuts = [
            _least(profile, places[a] - left, places[b] - left)
            for a, b in zip(inside[:-1], inside[1:], strict=True)
        ]
        belongs = inside[np.searchsorted(cuts, np.arange(width), side="right")]
        owner[box] = np.where(is_part, belongs + 1, owner[box])
    # The soft edges of strokes lie below INK.
    grown = cv2.dilate(owner, np.ones((3, 3), np.uint8))
    owner = np.where(owner > 0, owner, np.where(foreground > 0, grown, 0))
    return [np.where(owner == i + 1, foreground, 0) for i in range(len(places))], left_over


def _least(profile: np.ndarray, before: float, after: float) -> int:
    """Return the column of least ink in the middle half between two places; the centre is best."""
    low = int(before + 0.25 * (after - before))
    high = max(low + 1, int(before + 0.75 * (after - before)))
    columns = np.arange(low, high)
    away = np.abs(columns - (low + high - 1) / 2) / (high - low)
    return low + int((profile[columns] + 0.15 * profile.max() * away).argmin())
