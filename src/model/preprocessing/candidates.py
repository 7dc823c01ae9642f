"""What else could be the foreground of a picture: for a second look where the usual is rejected."""

from collections.abc import Iterator

import cv2
import numpy as np

from errors import BlankImageError
from model.config import MINIMUM_CONTRAST, PIECE_SIZE
from model.preprocessing.components import Components
from model.preprocessing.segment import (
    border_of,
    distance_from_border,
    least_contrast,
    reduce,
    segment_foreground,
    soft_threshold,
    strokes,
)

LINE_RATIO = 8  # a line is so many times longer than wide
LINE_LENGTH = 0.7  # of the picture's side has a ruled line, a frame, or the edge of a page
SPECK_SIZE = 0.1  # of the digit's longest side has a speck, at most


def other_foregrounds(
    usual: np.ndarray, grey: np.ndarray, colour: np.ndarray | None
) -> Iterator[np.ndarray]:
    """Yield foregrounds (h, w) uint8, likeliest first.

    The usual one and what other ways give, each without neighbours and without long lines too.

    Args:
        usual: (H, W) uint8, the foreground that was rejected.
        grey: (H, W) uint8 luminance.
        colour: (H, W, 3) uint8, or None where the picture is grey.
    """
    yield usual
    for foreground in (reduce(usual), *_other_ways(grey, colour)):
        yield foreground
        yield without_neighbours(foreground)
        unlined = without_lines(foreground)
        if unlined is not None:
            yield without_neighbours(unlined)


def _other_ways(grey: np.ndarray, colour: np.ndarray | None) -> Iterator[np.ndarray]:
    """Yield what stands out otherwise, each above Otsu's threshold (N. Otsu, 1979).

    Strokes on a background of varying light, what differs from the border in luminance and in
    colour, and what is drawn on a sheet that lies on a flat ground.
    """
    small = reduce(grey)
    level = int(np.median(border_of(small)))
    ways = [
        strokes(cv2.GaussianBlur(small, (3, 3), 0)),
        cv2.absdiff(small, np.full_like(small, level)),
    ]
    if colour is not None:
        ways.append(distance_from_border(reduce(colour)))
    for ink in ways:
        middle, mask = cv2.threshold(ink, 0, 255, cv2.THRESH_OTSU)
        if middle > 0 and ink[mask > 0].mean() >= least_contrast(ink):
            yield soft_threshold(ink, middle)
    sheet = _sheet(grey)
    if sheet is not None:
        try:
            yield segment_foreground(sheet)
        except BlankImageError:
            return


def _sheet(grey: np.ndarray) -> np.ndarray | None:
    """Return the part of a picture that is a sheet on a flat ground, its edge left out."""
    level = int(np.median(border_of(grey)))
    apart = (cv2.absdiff(grey, np.full_like(grey, level)) > MINIMUM_CONTRAST / 2).view(np.uint8)
    left, top, width, height = cv2.boundingRect(apart)
    if cv2.countNonZero(apart) < 0.5 * max(width * height, 1) or width * height >= grey.size:
        return None
    edge = 2 + min(width, height) // 50
    sheet = grey[top + edge : top + height - edge, left + edge : left + width - edge]
    return sheet if min(sheet.shape) > 8 else None


def without_neighbours(foreground: np.ndarray) -> np.ndarray:
    """Leave out what the border cuts off and what lies apart as a line or a speck.

    A piece that is as large as the rest may be a digit of its own: it stays.
    """
    components = Components(foreground)
    if len(components) < 2:
        return foreground
    sides = np.stack(
        (
            components.boxes[:, 1] - components.boxes[:, 0],
            components.boxes[:, 3] - components.boxes[:, 2],
        )
    )
    size, width = sides.max(0), sides.min(0)
    lying = sides[1] == size  # an upright line may be a one
    line = (size > LINE_RATIO * width) & (lying | components.on_border)
    inside = ~components.on_border & ~line
    if not inside.any():
        return foreground
    largest = np.where(inside, components.areas, 0).argmax()
    low = sides[0] < PIECE_SIZE * sides[0][largest]
    piece = components.on_border & (low | (size > 3 * width))
    speck = size < SPECK_SIZE * size[largest]
    return components.keep(~(piece | speck | (line & (size > 0.5 * size[largest]))))


def without_lines(foreground: np.ndarray) -> np.ndarray | None:
    """Leave out lines across most of the picture, and mend the strokes that they cross.

    Returns:
        None where there is no such line.
    """
    mask = (foreground > 127).view(np.uint8)
    found = None
    for axis, length in enumerate(mask.shape):
        shape = [1, 1]
        shape[axis] = max(8, int(LINE_LENGTH * length))
        lines = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones(shape, np.uint8))
        if not lines.any():
            continue
        lines = cv2.dilate(lines, np.ones((3, 3), np.uint8))
        rest = cv2.copyTo(foreground if found is None else found, 1 - lines)
        # A stroke that a line crosses goes on at both of the line's sides.
        shape = [1, 1]
        shape[1 - axis] = 2 * max(3, length // 40) + 1
        closed = cv2.morphologyEx(rest, cv2.MORPH_CLOSE, np.ones(shape, np.uint8))
        found = cv2.max(rest, cv2.copyTo(closed, lines))
    return found
