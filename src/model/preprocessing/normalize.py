"""Any picture of a digit -> the 28 x 28 that MNIST would have had; Pillow and numpy alone.

MNIST's rule (LeCun et al., 1998, and measured on its pictures): the ink, light on dark, is
cropped, its longest side scaled to 20 pixels with the aspect kept, and placed on 28 x 28 so that
its centre of mass rounds to index (14, 14). Training and serving both go this way.
"""

from contextlib import suppress

import numpy as np
from PIL import Image

from errors import BlankImageError
from model.config import (
    CENTER_INDEX,
    DIGIT_SIZE,
    FINE_NOISE_GAP,
    FINE_NOISE_MASS,
    FINE_NOISE_SIZE,
    IMAGE_SIZE,
    LOSSY_FORMATS,
    NOISE_GAP,
    NOISE_MASS,
    NOISE_SIZE,
    RINGING,
)
from model.preprocessing.decode import encode_png, luminance, open_image
from model.preprocessing.segment import segment_foreground

__all__ = ["center_by_mass", "encode_png", "normalize", "open_image", "preprocess", "split_digits"]

MAX_COMPONENTS = 1000  # that a picture is parted into; the time to do so grows with them
Box = tuple[int, int, int, int]  # top, bottom, left, right; bottom and right are one past the last


def preprocess(data: bytes) -> np.ndarray:
    """Turn the bytes of a picture file into what a network reads.

    Returns:
        (28, 28) uint8: 0 background, 255 ink.

    Raises:
        PictureError: the file is no picture, too large, or blank.
    """
    return normalize(open_image(data))


def normalize(image: Image.Image) -> np.ndarray:
    """Turn a picture with a digit anywhere in it, light on dark or dark on light, into 28 x 28.

    Returns:
        (28, 28) uint8: 0 background, 255 ink.

    Raises:
        BlankPictureError: there is no ink, or a single pixel of it.
    """
    lossy = image.format in LOSSY_FORMATS
    return center_by_mass(segment_foreground(luminance(image), ringing=RINGING if lossy else 0))


def center_by_mass(ink: np.ndarray) -> np.ndarray:
    """Crop to the ink, scale its longest side to 20 pixels, centre it by mass.

    Args:
        ink: (H, W) uint8, 0 where there is none.

    Returns:
        (28, 28) uint8.

    Raises:
        BlankPictureError: there is no ink, or a single pixel of it.
    """
    top, bottom, left, right = _ink_box(ink)
    height, width = bottom - top, right - left
    if height * width <= 1:
        raise BlankImageError("The picture is blank: draw or photograph one digit, larger.")
    scale = DIGIT_SIZE / max(height, width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    crop = ink[top:bottom, left:right].astype(np.float32)
    averaged = _area_weights(height, rows) @ crop @ _area_weights(width, columns).T
    resized = (averaged + 0.5).astype(np.uint8)
    placed = np.zeros((IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    row = _offset(resized.sum(axis=1, dtype=np.int64))
    column = _offset(resized.sum(axis=0, dtype=np.int64))
    placed[row : row + rows, column : column + columns] = resized
    return placed


def _area_weights(length: int, cells: int) -> np.ndarray:
    """The matrix (cells, length) that averages ``length`` pixels over ``cells`` equal intervals.

    Exact, with fractional pixels at the edges of an interval (Pillow's BOX filter takes whole
    pixels only), so that a picture and its enlargement come out the same.
    """
    edges = np.linspace(0, length, cells + 1, dtype=np.float32)[:, None]
    pixels = np.arange(length, dtype=np.float32)
    covered = np.clip(edges - pixels, 0, 1)  # the part of each pixel before each edge
    return np.diff(covered, axis=0) * (cells / length)


def split_digits(image: np.ndarray) -> list[np.ndarray]:
    """Part a picture (28, 28) at its empty columns and normalise each part by itself.

    Returns:
        The parts from left to right, each (28, 28) uint8, specks and single pixels left out.
    """
    parts = [image[:, start:stop] for start, stop in _runs(image.any(axis=0))]
    total = int(image.sum(dtype=np.int64))
    large = [part for part in parts if part.sum(dtype=np.int64) >= NOISE_MASS * total]
    digits = []
    for part in large:
        with suppress(BlankImageError):  # nothing but a pixel
            digits.append(center_by_mass(part))
    return digits


def _offset(profile: np.ndarray) -> int:
    """Where a profile of ink starts so that its centre of mass rounds to the centre's index."""
    centre_of_mass = (profile * np.arange(len(profile))).sum() / max(profile.sum(), 1)
    start = int(np.floor(CENTER_INDEX - centre_of_mass + 0.5))
    return min(max(start, 0), IMAGE_SIZE - len(profile))


def _ink_box(ink: np.ndarray) -> Box:
    """The box (top, bottom, left, right) of the ink, specks left out.

    Where an empty row or column parts the ink, what is tiny beside the rest is a speck.
    """
    top, bottom = _extent(ink.any(axis=1))
    left, right = _extent(ink[top:bottom].any(axis=0))
    if top == bottom:
        raise BlankImageError("The picture is blank: draw or photograph one digit.")
    groups = _groups(ink, (top, bottom, left, right))
    if len(groups) == 1:
        return groups[0]
    masses = [int(ink[t:b, le:r].sum(dtype=np.int64)) for t, b, le, r in groups]
    total, main = sum(masses), groups[masses.index(max(masses))]
    kept = [
        group
        for group, mass in zip(groups, masses, strict=True)
        if not _is_speck(group, mass / total, main)
    ]
    tops, bottoms, lefts, rights = zip(*kept, strict=True)
    return min(tops), max(bottoms), min(lefts), max(rights)


def _is_speck(group: Box, mass: float, main: Box) -> bool:
    """Whether a group is tiny beside the main one and lies off it.

    Args:
        group, main: boxes of the group in question and of the group with most ink.
        mass: the group's part of all ink, 0-1.
    """
    height, width = main[1] - main[0], main[3] - main[2]
    longest = max(height, width)
    side = max(group[1] - group[0], group[3] - group[2])
    gap = max(main[0] - group[1], group[0] - main[1], main[2] - group[3], group[2] - main[3])
    if side < FINE_NOISE_SIZE * longest:
        return True
    if side >= NOISE_SIZE * longest or mass >= NOISE_MASS:
        return False
    return gap > (FINE_NOISE_GAP if mass < FINE_NOISE_MASS else NOISE_GAP) * longest


def _extent(occupied: np.ndarray) -> tuple[int, int]:
    """First and one past the last True of a profile; (0, 0) when there is none."""
    indices = np.flatnonzero(occupied)
    return (int(indices[0]), int(indices[-1]) + 1) if len(indices) else (0, 0)


def _groups(ink: np.ndarray, box: Box) -> list[Box]:
    """Part a box at its empty rows and columns, again and again (the recursive X-Y cut).

    G. Nagy and S. Seth, "Hierarchical representation of optically scanned documents", ICPR 1984.
    Whatever lies outside a digit's own box is parted from it by such a row or column. A picture of
    more than MOST_GROUPS is no digit with specks but a pattern: it stays whole.
    """
    done: list[Box] = []
    waiting = [box]
    while waiting:
        if len(done) + len(waiting) > MAX_COMPONENTS:
            return [box]
        top, bottom, left, right = waiting.pop()
        part = ink[top:bottom, left:right]
        runs = _runs(part.any(axis=1))
        if len(runs) > 1 or runs[0] != (0, bottom - top):
            waiting += [(top + start, top + stop, left, right) for start, stop in runs]
            continue
        runs = _runs(part.any(axis=0))
        if len(runs) > 1 or runs[0] != (0, right - left):
            waiting += [(top, bottom, left + start, left + stop) for start, stop in runs]
            continue
        done.append((top, bottom, left, right))
    return done


def _runs(occupied: np.ndarray) -> list[tuple[int, int]]:
    """The (start, stop) of each run of True."""
    edges = np.flatnonzero(np.diff(occupied, prepend=False, append=False))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
