"""Cut the digits of a line apart, near the places where the network for lines found them."""

from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from model.numbers.find import Box, Line

DIGIT_HEIGHT = (0.6, 1.2)  # of the usual digit's: so high is a digit that no place stands for
MINUS = (0.25, 2.0)  # of the usual digit's height: so long is a minus
MAX_CUT = 8  # components of a line that are cut, the widest: more of them do not touch


class Cut(NamedTuple):
    """A digit of a line: its box, and its foreground (h, w) uint8 there."""

    box: Box
    foreground: np.ndarray


def cut_digits(line: Line, places: np.ndarray) -> tuple[list[Cut], int]:
    """Cut out the digits that stand at the columns ``places`` of a line, from left to right.

    A component goes whole to the digit whose place it covers, or that is nearest. One that covers
    several places is cut upright between two of them, where it has least ink.

    Returns:
        The digits, and how many components at none of the places could be a digit or a minus.
    """
    labels, stats = line.components
    left, top, width, height, _ = stats.T
    covers = (places >= left[:, None] - 1) & (places <= (left + width)[:, None])
    outside = np.maximum(left[:, None] - places, places - (left + width)[:, None])
    owner_of = outside.argmin(axis=1) + 1  # the digit that owns a component, from 1
    number = covers.sum(axis=1)

    owner = np.append(0, owner_of)[labels].astype(np.uint8)
    wide = np.flatnonzero(number > 1)
    for name in wide[np.argsort(-width[wide])][:MAX_CUT]:
        x, y = left[name], top[name]
        box = slice(y, y + height[name]), slice(x, x + width[name])
        is_part = labels[box] == name + 1
        profile = np.where(is_part, line.foreground[box], 0).sum(axis=0, dtype=np.float64)
        inside = np.flatnonzero(covers[name])
        splits = [_least(profile, a, b) for a, b in pairwise(places[inside] - x)]
        belongs = inside[np.searchsorted(splits, np.arange(width[name]), side="right")] + 1
        owner[box] = np.where(is_part, belongs, owner[box])
    # The soft edges of strokes are fainter than components.
    owner = np.where(owner > 0, owner, cv2.dilate(owner, np.ones((3, 3), np.uint8)))
    cuts = [_cut(line.foreground, owner == digit + 1) for digit in range(len(places))]
    return cuts, _left_over(stats[number > 0], stats[number == 0])


def _left_over(digits: np.ndarray, others: np.ndarray) -> int:
    """Count what among the boxes of other components is as high as digits, or like a minus."""
    if len(digits) == 0 or len(others) == 0:
        return 0
    usual = float(np.median(digits[:, 3]))
    top, bottom = np.median(digits[:, 1]), np.median(digits[:, 1] + digits[:, 3])
    left, above, width, height, _ = others.T
    is_high = (height > DIGIT_HEIGHT[0] * usual) & (height < DIGIT_HEIGHT[1] * usual)
    # A minus stands apart; the bar of a 5 lies above the rest of it.
    right = np.minimum((left + width)[:, None], digits[:, 0] + digits[:, 2])
    beside = (right - np.maximum(left[:, None], digits[:, 0])).max(axis=1) < 0.3 * width
    is_bar = (width > 2 * height) & (width > MINUS[0] * usual) & (width < MINUS[1] * usual)
    middle = (above + height / 2 - top) / max(bottom - top, 1)
    return int((is_high | (is_bar & beside & (np.abs(middle - 0.5) < 0.25))).sum())


def _cut(foreground: np.ndarray, is_digit: np.ndarray) -> Cut:
    left, top, width, height = cv2.boundingRect((is_digit & (foreground > 0)).view(np.uint8))
    box = slice(top, top + height), slice(left, left + width)
    return Cut((left, top, width, height), np.where(is_digit[box], foreground[box], 0))


def _least(profile: np.ndarray, before: float, after: float) -> int:
    """Return the column of least ink in the middle half between two places; the centre is best."""
    low = int(before + 0.25 * (after - before))
    high = max(low + 1, int(before + 0.75 * (after - before)))
    columns = np.arange(low, high).clip(0, len(profile) - 1)
    away = np.abs(columns - (low + high - 1) / 2) / (high - low)
    return low + int((profile[columns] + 0.15 * profile.max() * away).argmin())
