"""Separate foreground from background: dark or light strokes, even or uneven light, colours."""

import cv2
import numpy as np

from errors import BlankImageError
from model.config import MINIMUM_CONTRAST, PHOTO_SIDE, RINGING

NOISY_SIDE = 100  # pixels; the noise of smaller photographs is as coarse as their strokes
MAX_FRAME = 0.12  # of a side; a frame does not reach farther inside
MIN_SIDES = 2  # of a frame; a single side may be the bar of a 7 at the border
FRAME_SHARE = 0.9  # of a row or column; a frame covers at least so much
FRAME_CONTRAST = 24  # grey levels between a frame and the paper
MIN_PHOTO = 64  # pixels of the shorter side; a smaller picture with a margin is a drawing
MIN_FILLED = 0.8  # of what a margin surrounds that differs from it: a drawing fills less
MARGIN_NOISE = 2  # grey levels
MARGIN_SHARE = 0.9  # of the border of what a margin surrounds that differs from the margin
MIN_RULES = 3  # no digit has three strokes from edge to edge
MAX_RULED = 0.4  # of all rows
RULE_SHARE = 0.85  # of a row or column; a rule covers at least so much
RULE_CONTRAST = 1.3  # ink is so many times darker than a rule under it
HAT_SIDE = 0.4  # of the picture's longest side; strokes are narrower
FAINT = 170  # a drawing of less contrast is raised to full foreground
_BLANK = "The picture is blank or too faint: draw or photograph one digit with more contrast."


def segment_foreground(
    grey: np.ndarray, *, lossy: bool = False, photo_side: int = PHOTO_SIDE
) -> np.ndarray:
    """Separate foreground from background; either can be the lighter one.

    If the border has one level, the picture is a drawing: its foreground differs from that level.
    Else it is a photograph: its foreground differs from the median of the surroundings.

    Args:
        grey: (H, W) uint8 luminance, or distance from the background's colour.
        lossy: whether compression left false levels around the strokes.
        photo_side: pixels of the longest side to which a photograph is reduced.

    Returns:
        (h, w) uint8, 0 background, 255 foreground; of a photograph a reduced one.
    """
    border = border_of(grey).astype(np.int16)
    level = int(np.median(border))
    strayed = np.abs(border - level)
    if not strayed.any():
        return _of_drawing(grey, level, 0, lossy)
    noise = float(np.median(np.abs(np.diff(border))))
    flat = strayed <= 2 + 2 * noise
    if flat.mean() < 0.5:
        return _of_photograph(grey, photo_side)
    return _of_drawing(grey, level, 3 * int(np.sort(strayed[flat])[3 * flat.sum() // 4]), lossy)


def erase_frame(grey: np.ndarray) -> np.ndarray:
    """Replace a printed frame along the border, or a flat margin, by the paper inside of it.

    A row or column at the border belongs to a frame if nearly all of it is darker than the paper,
    or lighter. The paper has the picture's median level. A margin has one level and surrounds a
    filled rectangle, such as a photograph.
    """
    height, width = grey.shape
    paper = int(np.median(grey[:: max(1, height // 256), :: max(1, width // 256)]))
    edges = []  # what the frame covers at the top, bottom, left and right
    for rows in (grey, grey[::-1], grey.T, grey.T[::-1]):
        edges.append(_frame_rows(rows[: int(MAX_FRAME * len(rows))], paper))
    if sum(edge > 0 for edge in edges) < MIN_SIDES:
        edges = _margin(grey)
    if not any(edges):
        return grey
    top, bottom, left, right = edges
    inside = grey[top : height - bottom, left : width - right]
    return cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_REPLICATE)


def _margin(grey: np.ndarray) -> list[int]:
    """Return how wide a margin of one level is at the top, bottom, left and right."""
    level = int(grey[0, 0])
    if min(grey.shape) < MIN_PHOTO or (border_of(grey) != level).any():
        return [0, 0, 0, 0]
    apart = cv2.absdiff(grey, np.full_like(grey, level)) > MARGIN_NOISE
    x, y, width, height = cv2.boundingRect(apart.view(np.uint8))
    filled = apart[y : y + height, x : x + width]
    if min(width, height) < MIN_PHOTO or filled.mean() < MIN_FILLED:
        return [0, 0, 0, 0]
    if border_of(filled).mean() < MARGIN_SHARE:
        return [0, 0, 0, 0]
    inner = grey[
        y + height // 8 : y + height - height // 8, x + width // 8 : x + width - width // 8
    ]
    if np.ptp(inner) < 2 * MINIMUM_CONTRAST:  # a solid shape
        return [0, 0, 0, 0]
    edge = 2 + min(width, height) // 50  # the edge of a sheet is often dark
    below, beside = grey.shape[0] - y - height, grey.shape[1] - x - width
    return [y + edge, below + edge, x + edge, beside + edge]


def _erase_rules(difference: np.ndarray, floor: float) -> np.ndarray:
    """Erase printed rules: three or more rows that are dark nearly from edge to edge.

    Columns are erased only together with rows, as on squared paper. Alone they may be strokes of a
    number or walls of its boxes. Ink that is darker than the rules stays. Strokes that are as dark
    as a rule are mended across it.
    """
    for is_upright in (False, True):
        rows = difference.T if is_upright else difference
        filled = (rows > floor).mean(axis=1) > RULE_SHARE
        edges = np.flatnonzero(np.diff(filled, prepend=False, append=False))
        if len(edges) < 2 * MIN_RULES or filled.mean() > MAX_RULED:
            return difference
        near = np.flatnonzero(np.convolve(filled, np.ones(3), "same"))  # their soft edges, too
        strips = rows[near]
        level = np.minimum(np.median(strips, axis=1, keepdims=True), np.median(rows[filled]))
        is_rule = strips <= RULE_CONTRAST * level
        rest = rows.copy()
        rest[near] = np.where(is_rule, 0, strips)
        width = int((edges[1::2] - edges[::2]).max()) // 2 * 2 + 3
        mended = cv2.morphologyEx(rest, cv2.MORPH_CLOSE, np.ones((width, 1), np.uint8))[near]
        rest[near] = np.where(is_rule, np.minimum(mended, strips), strips)
        difference = np.ascontiguousarray(rest.T) if is_upright else rest
    return difference


def _frame_rows(rows: np.ndarray, paper: int) -> int:
    """Return how many of the first rows (n, length) a frame covers, its soft edge included."""
    if len(rows) == 0:
        return 0
    darkest, lightest = np.percentile(rows, (100 - 100 * FRAME_SHARE, 100 * FRAME_SHARE), axis=1)
    differs = (darkest > paper + FRAME_CONTRAST) | (lightest < paper - FRAME_CONTRAST)
    found = np.flatnonzero(differs)
    return 0 if len(found) == 0 else min(len(rows), int(found[-1]) + 1 + len(rows) // 6)


def border_of(image: np.ndarray) -> np.ndarray:
    return np.concatenate((image[0], image[-1], image[:, 0], image[:, -1]))


def _of_drawing(grey: np.ndarray, level: int, noise: int, lossy: bool) -> np.ndarray:
    """Return how far the darker or the lighter pixels differ from the background's level."""
    difference = grey
    if level > 0:
        flat = np.full_like(grey, level)
        lighter, darker = cv2.subtract(grey, flat), cv2.subtract(flat, grey)
        difference = max(
            (darker, lighter), key=lambda side: float(np.square(side, dtype=np.float32).sum())
        )
    difference = _erase_rules(difference, max(noise, MINIMUM_CONTRAST - 1))
    contrast = _contrast(difference, max(noise, MINIMUM_CONTRAST - 1))
    floor = max(noise, RINGING * contrast / 255 if lossy else 0)
    foreground = cv2.threshold(difference, floor, 255, cv2.THRESH_TOZERO)[1]
    return cv2.convertScaleAbs(foreground, alpha=255 / contrast if contrast < FAINT else 1)


def _contrast(difference: np.ndarray, floor: float) -> float:
    """Return the level of full foreground: a high percentile of the levels above ``floor``.

    A maximum would follow a single hot pixel.
    """
    histogram = cv2.calcHist([difference], [0], None, [256], [0, 256]).reshape(-1)
    histogram[: int(floor) + 1] = 0
    total = histogram.sum()
    if total < 2:
        raise BlankImageError(_BLANK)
    return float(np.searchsorted(histogram.cumsum(), 0.9 * total))


def _of_photograph(grey: np.ndarray, side: int) -> np.ndarray:
    """Keep the strokes that stand clearly above the noise."""
    small = reduce(grey, side)
    if max(small.shape) >= NOISY_SIDE:
        small = cv2.medianBlur(small, 3)
    difference = _erase_rules(strokes(small), least_contrast(small))
    return soft_threshold(difference, 0.5 * _contrast(difference, least_contrast(small)))


def strokes(grey: np.ndarray) -> np.ndarray:
    """Return how far dark strokes, or light ones, stand out from what surrounds them, uint8.

    The median around each pixel tells which of them there are: strokes cover less than half of a
    picture. Then a morphological hat, wider than strokes, subtracts the background.
    """
    scale = min(1.0, 64 / max(grey.shape))
    size = [max(1, round(length * scale)) for length in grey.shape[::-1]]
    tiny = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    tiny = cv2.medianBlur(tiny, max(3, max(size) // 2 | 1))
    surroundings = cv2.resize(tiny, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    strong = least_contrast(grey)
    darker, lighter = cv2.subtract(surroundings, grey), cv2.subtract(grey, surroundings)
    dark = darker[darker > strong].sum() >= lighter[lighter > strong].sum()
    side = max(3, round(HAT_SIDE * min(max(grey.shape), PHOTO_SIDE)) | 1)
    hat = cv2.MORPH_BLACKHAT if dark else cv2.MORPH_TOPHAT
    # Replicated borders: a slope of the light that ends at the border is no stroke.
    wide = cv2.copyMakeBorder(grey, side, side, side, side, cv2.BORDER_REPLICATE)
    return cv2.morphologyEx(wide, hat, np.ones((side, side), np.uint8))[side:-side, side:-side]


def least_contrast(grey: np.ndarray) -> float:
    """Return by how many levels foreground differs from noise; neighbours differ by noise alone."""
    differences = np.abs(np.diff(grey.astype(np.int16), axis=1))
    noise = 1.4826 * float(np.median(differences)) / np.sqrt(2) if differences.size else 0.0
    return max(5 * noise, float(MINIMUM_CONTRAST))


def reduce(image: np.ndarray, side: int = PHOTO_SIDE) -> np.ndarray:
    """Reduce an image to a longest side of at most ``side`` pixels."""
    scale = side / max(image.shape[:2])
    if scale >= 1:
        return image
    size = [max(1, round(length * scale)) for length in image.shape[1::-1]]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def soft_threshold(difference: np.ndarray, middle: float) -> np.ndarray:
    """Raise levels above ``middle`` to 255 and lower the rest to 0, with a ramp as a soft edge."""
    ramp = (difference.astype(np.float32) - 0.6 * middle) / (0.9 * max(middle, 1.0))
    return (np.clip(ramp, 0, 1) * 255 + 0.5).astype(np.uint8)


def distance_from_border(colour: np.ndarray) -> np.ndarray:
    """Return how far colours (H, W, 3) are from the border's median colour, without brightness."""
    hue = colour - colour.mean(axis=2, keepdims=True, dtype=np.float32)
    distance = np.sqrt(np.square(hue - np.median(border_of(hue), axis=0)).sum(axis=2))
    return np.clip(distance, 0, 255).astype(np.uint8)
