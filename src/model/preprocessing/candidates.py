"""What else could be the foreground of a picture: for a second look where the usual is rejected."""

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
LINE_LENGTH = 0.9  # of the picture's side has a ruled line, a frame, or the edge of a page
BORDER_WEIGHT = 0.25  # the digit is the largest, but what touches the border is less likely it
NOISE_SIZE = 0.1  # of the digit's longest side has a speck, at most
PAGE_AREA = 0.75  # of its own box is as light as a sheet; a thick stroke fills less of its


def other_foregrounds(usual: np.ndarray, grey: np.ndarray) -> Iterator[np.ndarray]:
    """Yield foregrounds (h, w) uint8: the usual one and what other ways give.

    Each comes without neighbours, and where it has long lines without those too.

    Args:
        usual: (H, W) uint8, the foreground that was rejected.
        grey: (H, W) uint8 luminance.
    """
    for foreground in (reduce(usual), *_other_ways(reduce(grey))):
        yield without_neighbours(foreground)
        unlined = without_lines(foreground)
        if unlined is not None:
            yield without_neighbours(unlined)


def _other_ways(grey: np.ndarray) -> Iterator[np.ndarray]:
    """Yield what stands out otherwise, the first two above Otsu's threshold (N. Otsu, 1979).

    Strokes on a background of varying light, what differs from the border, and what is drawn on a
    sheet that lies on a flat ground.
    """
    level = int(np.median(border_of(grey)))
    differing = cv2.absdiff(grey, np.full_like(grey, level))
    for difference in (strokes(cv2.GaussianBlur(grey, (3, 3), 0)), differing):
        middle, mask = cv2.threshold(difference, 0, 255, cv2.THRESH_OTSU)
        if middle > 0 and difference[mask > 0].mean() >= least_contrast(difference):
            yield soft_threshold(difference, middle)
    page = _page(grey, differing)
    if page is not None:
        with suppress(BlankImageError):
            yield segment_foreground(page)


def upright(crop: np.ndarray) -> np.ndarray:
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


def _page(grey: np.ndarray, differing: np.ndarray) -> np.ndarray | None:
    """Return the part of a picture that is a sheet on a flat ground, its edge left out."""
    apart = (differing > MINIMUM_CONTRAST / 2).view(np.uint8)
    left, top, width, height = cv2.boundingRect(apart)
    if cv2.countNonZero(apart) < PAGE_AREA * max(width * height, 1) or width * height >= grey.size:
        return None
    edge = 2 + min(width, height) // 50
    page = grey[top + edge : top + height - edge, left + edge : left + width - edge]
    return page if min(page.shape) > 8 else None


def without_neighbours(foreground: np.ndarray) -> np.ndarray:
    """Leave out what the border cuts off and what lies apart as a line or a speck.

    A piece that is as tall as the digit may be a digit of its own: it stays.
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
    noise = size < NOISE_SIZE * size[digit]
    left_out = piece | noise | (line & (size > 0.5 * size[digit]))
    left_out[digit] = False
    return components.keep(~left_out)


def without_lines(foreground: np.ndarray) -> np.ndarray | None:
    """Leave out lines across most of the picture, mend the strokes they cross; None without any."""
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
