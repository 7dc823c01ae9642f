"""Other foregrounds of a picture, to try when the usual one is rejected."""

import math
from collections.abc import Iterator
from contextlib import suppress

import cv2
import numpy as np

from errors import BlankImageError
from model.config import MINIMUM_CONTRAST, PIECE_SIZE
from model.preprocessing.components import Components
from model.preprocessing.segment import (
    border_of,
    least_contrast,
    reduce,
    segment_foreground,
    soft_threshold,
    strokes,
)

LINE_RATIO = 8  # a line is so many times longer than wide
LINE_LENGTH = 0.9  # of the picture's side; ruled lines, frames and edges of sheets are longer
BORDER_WEIGHT = 0.25  # of components at the border: the largest one is the digit
SPECK_SIZE = 0.1  # of the digit's longest side; specks are smaller
SHEET_AREA = 0.75  # of its own box; a sheet covers more, a thick stroke less


def candidate_foregrounds(usual: np.ndarray, grey: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the usual foreground (H, W) uint8, and others from the luminance ``grey``.

    Each comes without what lies beside the digit, and again without long lines if it has any.
    """
    for foreground in (reduce(usual), *_other_ways(reduce(grey))):
        yield remove_neighbours(foreground)
        unlined = remove_lines(foreground)
        if unlined is not None:
            yield remove_neighbours(unlined)


def _other_ways(grey: np.ndarray) -> Iterator[np.ndarray]:
    """Yield strokes in uneven light, what differs from the border, and what is on a sheet.

    The first two are cut at Otsu's threshold (N. Otsu, 1979).
    """
    level = int(np.median(border_of(grey)))
    differing = cv2.absdiff(grey, np.full_like(grey, level))
    for difference in (strokes(cv2.GaussianBlur(grey, (3, 3), 0)), differing):
        middle, mask = cv2.threshold(difference, 0, 255, cv2.THRESH_OTSU)
        if middle > 0 and difference[mask > 0].mean() >= least_contrast(difference):
            yield soft_threshold(difference, middle)
    sheet = _sheet(grey, differing)
    if sheet is not None:
        with suppress(BlankImageError):
            yield segment_foreground(sheet)


def deskew(crop: np.ndarray) -> np.ndarray:
    """Shear a foreground (h, w) uint8 until its strokes stand upright, as their moments say.

    The deskewing of Y. LeCun et al., "Gradient-based learning applied to document recognition",
    Proceedings of the IEEE 86 (1998).
    """
    moments = cv2.moments(crop)
    height, width = crop.shape
    slant = moments["mu11"] / max(moments["mu02"], 1.0)
    beside = math.ceil(abs(slant) * height)
    middle = moments["m01"] / max(moments["m00"], 1.0)
    shear = np.array([[1, -slant, slant * middle + beside], [0, 1, 0]])
    return cv2.warpAffine(crop, shear, (width + 2 * beside, height))


def _sheet(grey: np.ndarray, differing: np.ndarray) -> np.ndarray | None:
    """Return the part of a picture that is a sheet on a flat ground, without its edge."""
    apart = (differing > MINIMUM_CONTRAST / 2).view(np.uint8)
    left, top, width, height = cv2.boundingRect(apart)
    if cv2.countNonZero(apart) < SHEET_AREA * max(width * height, 1) or width * height >= grey.size:
        return None
    edge = 2 + min(width, height) // 50
    sheet = grey[top + edge : top + height - edge, left + edge : left + width - edge]
    return sheet if min(sheet.shape) > 8 else None


def remove_neighbours(foreground: np.ndarray) -> np.ndarray:
    """Remove pieces that the border cuts off, and lines and specks beside the digit.

    A piece as tall as the digit stays: it may be a digit of its own.
    """
    components = Components(foreground)
    if len(components) < 2:
        return foreground
    top, bottom, left, right = components.boxes.T
    height, width = bottom - top, right - left
    size, on_border = np.maximum(height, width), components.on_border
    lying = width > LINE_RATIO * height  # an upright line may be a one
    line = (size > LINE_RATIO * np.minimum(height, width)) & (lying | on_border)
    digit = np.where(line, 0, np.where(on_border, BORDER_WEIGHT, 1) * components.areas).argmax()
    piece = on_border & ((height < PIECE_SIZE * height[digit]) | (size > 3 * width))
    noise = size < SPECK_SIZE * size[digit]
    left_out = piece | noise | (line & (size > 0.5 * size[digit]))
    left_out[digit] = False
    return components.keep(~left_out)


def remove_lines(foreground: np.ndarray) -> np.ndarray | None:
    """Remove lines across most of the picture and mend strokes across them; None without lines."""
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
