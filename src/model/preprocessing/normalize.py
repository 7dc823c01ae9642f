"""Turn any picture of a digit into 28 x 28 pixels, as MNIST would have; without torch.

MNIST's rule (LeCun et al., 1998, and measured on its images) takes the foreground, light on dark.
It is cropped, and its longest side is scaled to 20 pixels. Then its centre of mass is placed at
index (14, 14) of 28 x 28. Training and serving both go this way.
"""

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from errors import BlankImageError
from model import config
from model.preprocessing.candidates import candidate_foregrounds, deskew
from model.preprocessing.components import Components
from model.preprocessing.decode import encode_png, luminance, open_image
from model.preprocessing.segment import (
    border_of,
    distance_from_border,
    erase_frame,
    reduce,
    segment_foreground,
)

__all__ = ["Preprocessed", "center_by_mass", "encode_png", "normalize", "open_image", "preprocess"]

GREY_PIXELS = 2_000_000  # a larger luminance is reduced: all that follows costs in proportion
THICKER = 1.4  # pixels of 20, about the width of MNIST's thinnest strokes
_COLOURED = ("P", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV")
_BLANK = "The picture is blank: draw or photograph one digit, larger."


@dataclass(frozen=True)
class Preprocessed:
    """A picture as a network reads it.

    Attributes:
        source: the picture as decoded.
        grey: its luminance (H, W) uint8, reduced to at most ``GREY_PIXELS``.
        foreground: (h, w) uint8, 0 background, 255 foreground; of a photograph reduced.
        image: (28, 28) uint8, the foreground by MNIST's rule.
    """

    source: Image.Image
    grey: np.ndarray
    foreground: np.ndarray
    image: np.ndarray

    @property
    def is_printed(self) -> bool:
        """Whether there is a printed frame, or something that the border cuts off."""
        return erase_frame(self.grey) is not self.grey or bool(border_of(self.foreground).any())

    def candidates(self) -> np.ndarray:
        """Return what else the digit may look like (n, 28, 28) uint8, for a retry."""
        found = {}
        for foreground in candidate_foregrounds(self.foreground, self.grey):
            for image in _images_of(foreground):
                found[image.tobytes()] = image
        found.pop(self.image.tobytes(), None)
        return _stack(list(found.values()))

    def parts(self) -> np.ndarray:
        """Return what stands side by side, each maybe a digit of its own, (n, 28, 28) uint8."""
        parts = Components(self.foreground).parts()
        return _stack([center_by_mass(part) for part in parts if part.size > 1])


def preprocess(data: bytes) -> Preprocessed:
    """Decode and normalize a picture file.

    Raises:
        ImageError: the file is no picture, too large, or blank.
    """
    return normalize(open_image(data))


def normalize(image: Image.Image) -> Preprocessed:
    """Find a digit anywhere in a picture, light on dark or dark on light.

    Raises:
        BlankImageError: there is no foreground, or a single pixel of it.
    """
    lossy = image.format in config.LOSSY_FORMATS
    grey = _bounded(luminance(image))
    try:
        try:
            foreground = segment_foreground(erase_frame(grey), lossy=lossy)
        except BlankImageError:  # there is nothing but the frame
            foreground = segment_foreground(grey, lossy=lossy)
    except BlankImageError:
        if image.mode not in _COLOURED:  # two colours can be equally light
            raise
        distance = distance_from_border(_bounded(np.asarray(image.convert("RGB"))))
        foreground = segment_foreground(distance, lossy=lossy)
    return Preprocessed(image, grey, foreground, center_by_mass(foreground))


def _bounded(image: np.ndarray) -> np.ndarray:
    """Reduce an image (H, W) or (H, W, 3) to at most ``GREY_PIXELS``."""
    height, width = image.shape[:2]
    return reduce(image, math.floor(max(image.shape) * math.sqrt(GREY_PIXELS / (height * width))))


def _stack(images: list[np.ndarray]) -> np.ndarray:
    return np.array(images, dtype=np.uint8).reshape(-1, config.IMAGE_SIZE, config.IMAGE_SIZE)


def center_by_mass(foreground: np.ndarray) -> np.ndarray:
    """Crop to the foreground, scale its longest side to 20 pixels, centre it by mass.

    Strokes are thickened first if they are so thin that no pixel of the result is full.

    Args:
        foreground: (H, W) uint8, 0 background.

    Returns:
        (28, 28) uint8; the largest level is 255.
    """
    crop = _crop(foreground)
    if crop.size <= 1:
        raise BlankImageError(_BLANK)
    resized = _scale(crop)
    if resized.max() < 200:
        resized = _scale(thicken(crop))
    placed = np.zeros((config.IMAGE_SIZE, config.IMAGE_SIZE), dtype=np.uint8)
    resized = cv2.convertScaleAbs(resized, alpha=255 / max(int(resized.max()), 1))
    rows, columns = resized.shape
    row = _offset(resized.sum(axis=1, dtype=np.int64))
    column = _offset(resized.sum(axis=0, dtype=np.int64))
    placed[row : row + rows, column : column + columns] = resized
    return placed


def _scale(crop: np.ndarray) -> np.ndarray:
    """Scale the longest side to 20 pixels by averaging areas."""
    scale = config.DIGIT_SIZE / max(crop.shape)
    rows, columns = (max(1, round(length * scale)) for length in crop.shape)
    return cv2.resize(crop, (columns, rows), interpolation=cv2.INTER_AREA)


def thicken(crop: np.ndarray) -> np.ndarray:
    """Widen all strokes by ``THICKER`` of the 20 pixels that a digit's longest side has."""
    factor = 5 * config.DIGIT_SIZE / max(crop.shape)
    step = max(crop.shape) // (20 * config.DIGIT_SIZE)
    if factor > 1:
        size = [max(1, round(length * factor)) for length in crop.shape[::-1]]
        crop = cv2.resize(crop, size, interpolation=cv2.INTER_LINEAR)
    elif step > 1:  # a wide kernel takes minutes on a large crop
        crop = cv2.dilate(crop, np.ones((step, step), np.uint8))[::step, ::step]
    r = max(1, round(max(crop.shape) * THICKER / config.DIGIT_SIZE / 2))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1, 2 * r + 1))
    return cv2.dilate(cv2.copyMakeBorder(crop, r, r, r, r, cv2.BORDER_CONSTANT), kernel)


def _images_of(foreground: np.ndarray) -> Iterator[np.ndarray]:
    with suppress(BlankImageError):
        crop = _crop(foreground)
        yield center_by_mass(crop)
        yield center_by_mass(deskew(crop))


def _offset(profile: np.ndarray) -> int:
    """Return where a profile of foreground starts, so that its centre of mass is at the centre."""
    centre_of_mass = (profile * np.arange(len(profile))).sum() / max(profile.sum(), 1)
    start = int(np.floor(config.CENTER_INDEX - centre_of_mass + 0.5))
    return min(max(start, 0), config.IMAGE_SIZE - len(profile))


def _crop(foreground: np.ndarray) -> np.ndarray:
    """Crop to the box of the foreground without noise components."""
    left, top, width, height = cv2.boundingRect(foreground)
    if width == 0:
        raise BlankImageError(_BLANK)
    crop = foreground[top : top + height, left : left + width]
    if crop.any(axis=0).all() and crop.any(axis=1).all():
        return crop  # nothing lies apart from the rest
    # With a pixel of background around, only components at the picture's border touch a border.
    rows = slice(max(top - 1, 0), top + height + 1)
    around = foreground[rows, max(left - 1, 0) : left + width + 1]
    components = Components(around)
    boxes = components.boxes[~_is_noise(components)]
    top, _, left, _ = boxes.min(axis=0)
    _, bottom, _, right = boxes.max(axis=0)
    return around[top:bottom, left:right]


def _is_noise(components: Components) -> np.ndarray:
    """Return which components (n,) are noise: tiny ones or pieces, apart from the main one."""
    masses = components.masses()
    share = masses / masses.sum()
    main = components.boxes[masses.argmax()]
    longest = max(main[1] - main[0], main[3] - main[2])
    top, bottom, left, right = components.boxes.T
    heights = bottom - top
    size = np.maximum(heights, right - left)
    gap = np.max((main[0] - bottom, top - main[1], main[2] - right, left - main[3]), axis=0)
    near = np.where(share < config.FINE_NOISE_MASS, config.FINE_NOISE_GAP, config.NOISE_GAP)
    small = (size < config.NOISE_SIZE * longest) & (share < config.NOISE_MASS)
    piece = components.on_border & (heights < config.PIECE_SIZE * longest)
    piece &= gap > config.NOISE_GAP * longest
    piece &= not components.on_border[masses.argmax()]
    return (size < config.FINE_NOISE_SIZE * longest) | (small & (gap > near * longest)) | piece
