"""Attribution by occlusion and the feature maps of the convolutions, as numbers and pictures."""

import numpy as np

from model.classifier import OUTPUTS, Classifier, X, to_input
from model.config import IMAGE_SIZE

WINDOW = 5  # pixels a side that occlusion hides at a time
TOWARDS = np.array([202, 0, 32], dtype=np.float32)  # red speaks for the digit ...
AGAINST = np.array([5, 113, 176], dtype=np.float32)  # ... blue against it (ColorBrewer RdBu)
GAP = 1  # pixels between the maps of a sheet


def occlusion(classifier: Classifier, image: np.ndarray, digit: int) -> np.ndarray:
    """Return how much each pixel speaks for ``digit`` (Zeiler and Fergus, 2014).

    A window of background hides a part of the image, everywhere in turn; a pixel speaks for the
    digit as much as the digit's logit falls, on average over the windows that hide the pixel.

    Args:
        classifier: any; also of a permuted model pixels stay where they are in the image.
        image: (28, 28) uint8.
        digit: 0-9.

    Returns:
        (28, 28) float32, scaled so that the largest magnitude is 1.
    """
    windows = _windows()
    hidden = np.where(windows, 0, image).astype(np.uint8)
    logits, _ = classifier.forward(np.concatenate((image[None], hidden)))
    fall = logits[0, digit] - logits[1:, digit]
    values = np.tensordot(fall, windows, axes=1) / windows.sum(axis=0)
    return (values / max(float(np.abs(values).max()), 1e-12)).astype(np.float32)


def _windows() -> np.ndarray:
    """Every place of the window: (places, 28, 28) bool, true where it hides."""
    starts = np.arange(IMAGE_SIZE - WINDOW + 1)[:, None]
    pixels = np.arange(IMAGE_SIZE)
    covered = (pixels >= starts) & (pixels < starts + WINDOW)
    places = covered[:, None, :, None] & covered[None, :, None, :]
    return places.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)


def feature_maps(classifier: Classifier, image: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return name and output (channels, h, w) float32 of each convolution; none for an MLP."""
    outputs = classifier.session.get_outputs()
    values = classifier.session.run(None, {X: to_input(image[None])})
    maps = [(output.name, value[0]) for output, value in zip(outputs, values, strict=True)]
    return maps[len(OUTPUTS) :]


def colour(values: np.ndarray) -> np.ndarray:
    """Turn values in [-1, 1] (H, W) into RGB (H, W, 3) uint8: white at 0, red for, blue against."""
    strength = np.abs(values)[..., None].clip(0, 1)
    hue = np.where(values[..., None] >= 0, TOWARDS, AGAINST)
    return (255 + strength * (hue - 255) + 0.5).astype(np.uint8)


def tile(maps: np.ndarray) -> np.ndarray:
    """Lay feature maps (channels, h, w) side by side as one grey picture, each from its least
    value (black) to its greatest (white).
    """
    channels, height, width = maps.shape
    columns = int(np.ceil(np.sqrt(2 * channels)))
    rows = -(-channels // columns)
    tiled = np.zeros((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP), np.uint8)
    low = maps.min(axis=(1, 2), keepdims=True)
    span = np.maximum(maps.max(axis=(1, 2), keepdims=True) - low, 1e-12)
    for index, scaled in enumerate((255 * (maps - low) / span + 0.5).astype(np.uint8)):
        top = index // columns * (height + GAP)
        left = index % columns * (width + GAP)
        tiled[top : top + height, left : left + width] = scaled
    return tiled
