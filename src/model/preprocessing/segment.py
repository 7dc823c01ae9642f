"""What is ink and what is paper: polarity, flat and uneven backgrounds."""

import numpy as np
from PIL import Image, ImageFilter

from errors import BlankImageError
from model.config import MINIMUM_CONTRAST

FULL_INK = 230  # the darkest ink of a faint drawing is raised to this level
PHOTO_SIDE = 320  # pixels of the longest side that a photograph is worked on at
NOISE_SIGMAS = 5.0  # ink stands this far above the noise of the paper
_BLANK = "The picture is blank or too faint: draw or photograph one digit with more contrast."


def segment_foreground(grey: np.ndarray, *, ringing: int = 0) -> np.ndarray:
    """Part ink from background, whichever of them is the lighter.

    A border of one level means a drawing: the ink is the difference from that level. Any other
    border means a photograph: a smooth surface is fitted to the paper first.

    Args:
        grey: (H, W) uint8 luminance.
        ringing: levels around the strokes of a drawing, 0-255, that are no ink: lossy formats
            leave them, and they would widen the crop.

    Returns:
        (h, w) uint8, 0 background, 255 ink; of a photograph a reduced one.

    Raises:
        BlankPictureError: nothing stands out from the background.
    """
    border = np.concatenate((grey[0], grey[-1], grey[:, 0], grey[:, -1]))
    level = int(np.median(border))
    if np.mean(np.abs(border.astype(np.int16) - level) <= 2) >= 0.5:
        return _ink_of_drawing(grey, level, ringing)
    return _ink_of_photograph(grey)


def _ink_of_drawing(grey: np.ndarray, level: int, ringing: int) -> np.ndarray:
    """The difference from one background level, on the side where there is more of it."""
    if level > 0:
        lighter = np.maximum(grey, level) - level
        darker = level - np.minimum(grey, level)
        more_light = lighter.sum(dtype=np.int64) >= darker.sum(dtype=np.int64)
        ink = lighter if more_light else darker
    else:
        ink = grey
    contrast = int(ink.max())
    if contrast < MINIMUM_CONTRAST:
        raise BlankImageError(_BLANK)
    if ringing:
        ink = np.where(ink <= ringing * contrast // 255, 0, ink).astype(np.uint8)
    if contrast < FULL_INK:
        return (ink.astype(np.float32) * (FULL_INK / contrast) + 0.5).astype(np.uint8)
    return ink


def _ink_of_photograph(grey: np.ndarray) -> np.ndarray:
    """Subtract the paper's smooth brightness, then keep what stands clearly above its noise."""
    image = Image.fromarray(grey)
    image.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.BOX)
    image = image.filter(ImageFilter.MedianFilter(3))
    levels = np.asarray(image, dtype=np.float32)
    deviation, noise = _subtract_paper(levels)
    strong = np.maximum(NOISE_SIGMAS * noise, MINIMUM_CONTRAST)
    lighter, darker = deviation, -deviation
    ink = max((lighter, darker), key=lambda side: float(side[side > strong].sum()))
    marked = ink[ink > strong]
    if len(marked) < 2:
        raise BlankImageError(_BLANK)
    # Half-way between paper and ink is the edge of a stroke; a soft ramp around it anti-aliases.
    full = float(np.percentile(marked, 75))
    floor = max(0.3 * full, float(strong) * 0.75)
    ramp = (ink - floor) / max(0.75 * full - floor, 1.0)
    return (np.clip(ramp, 0, 1) * 255 + 0.5).astype(np.uint8)


def _subtract_paper(levels: np.ndarray) -> tuple[np.ndarray, float]:
    """Fit a cubic surface to the paper, the ink counting less with every pass.

    Iteratively reweighted least squares with Tukey's biweight (Beaton and Tukey, 1974).

    Returns:
        The deviation of each pixel from the surface, and the noise's standard deviation.
    """
    height, width = levels.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([x**i * y**j for i in range(4) for j in range(4 - i)], axis=-1)
    terms = terms.reshape(-1, terms.shape[-1])
    values = levels.reshape(-1)
    step = max(1, len(values) // 8000)
    sample_terms, sample = terms[::step], values[::step]
    weights = np.ones(len(sample))
    for _ in range(12):
        weighted = sample_terms * weights[:, None]
        # The normal equations: ten unknowns, and x and y lie in [-1, 1], so they are well behaved;
        # a strip of three pixels or fewer leaves some open, of which this takes the smallest.
        coefficients = np.linalg.lstsq(weighted.T @ sample_terms, weighted.T @ sample)[0]
        residuals = sample - sample_terms @ coefficients
        resample_by_arc_length = max(1.4826 * float(np.median(np.abs(residuals))), 1.0)
        weights = np.clip(1 - (residuals / (4.685 * resample_by_arc_length)) ** 2, 0, 1) ** 2
    deviation = (values - terms @ coefficients).reshape(height, width)
    return deviation, resample_by_arc_length
