"""Attribution by Captum and the feature maps of the convolutions, as numbers and as pictures."""

import copy
from functools import cache

import numpy as np
import torch
from captum.attr import IntegratedGradients, LayerActivation, Occlusion
from torch import nn

from model.classifier import Classifier, standardize, to_tensor
from model.config import IMAGE_SIZE

STEPS = 32  # of the path integral; beyond it the map does not change visibly
WINDOW = 5  # pixels a side that occlusion hides at a time
TOWARDS = np.array([202, 0, 32], dtype=np.float32)  # red speaks for the digit ...
AGAINST = np.array([5, 113, 176], dtype=np.float32)  # ... blue against it (ColorBrewer RdBu)
GAP = 1  # pixels between the maps of a sheet


def attribute(reader: Classifier, image: np.ndarray, digit: int, method: str) -> np.ndarray:
    """Return how much each pixel speaks for ``digit``.

    Integrated gradients (Sundararajan et al., 2017) from an empty picture, or occlusion (Zeiler
    and Fergus, 2014) of a window by background; of the logit of ``digit``. For a permuted model
    the pixels are put back to where they are in the picture.

    Args:
        image: (28, 28) uint8.
        method: "integrated_gradients" or "occlusion".

    Returns:
        (28, 28) float32, scaled so that the largest magnitude is 1.
    """

    def logits(pictures: torch.Tensor) -> torch.Tensor:
        return _network(reader)(standardize(pictures, reader.permutation))

    pictures = to_tensor(image[None])
    if method == "occlusion":
        window = (1, WINDOW, WINDOW)
        with torch.inference_mode():
            values = Occlusion(logits).attribute(
                pictures, window, target=digit, perturbations_per_eval=64
            )
    else:
        values = IntegratedGradients(logits).attribute(
            pictures, torch.zeros_like(pictures), target=digit, n_steps=STEPS
        )
    map_ = values.detach().numpy().reshape(IMAGE_SIZE, IMAGE_SIZE).astype(np.float32)
    return map_ / max(float(np.abs(map_).max()), 1e-12)


def feature_maps(reader: Classifier, image: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return name and output (channels, h, w) float32 of each convolution; none for an MLP."""
    network = _network(reader)
    layers = [
        (name, module) for name, module in network.named_modules() if isinstance(module, nn.Conv2d)
    ]
    if not layers:
        return []
    pictures = standardize(to_tensor(image[None]), reader.permutation)
    with torch.no_grad():
        outputs = LayerActivation(network, [layer for _, layer in layers]).attribute(pictures)
    return [(name, output[0].numpy()) for (name, _), output in zip(layers, outputs, strict=True)]


def colour(values: np.ndarray) -> np.ndarray:
    """Turn values in [-1, 1] (H, W) into RGB (H, W, 3) uint8: white at 0, red for, blue against."""
    strength = np.abs(values)[..., None].clip(0, 1)
    hue = np.where(values[..., None] >= 0, TOWARDS, AGAINST)
    return (255 + strength * (hue - 255) + 0.5).astype(np.uint8)


def sheet(maps: np.ndarray) -> np.ndarray:
    """Lay feature maps (channels, h, w) side by side as one grey picture, each from its least
    value (black) to its greatest (white).
    """
    channels, height, width = maps.shape
    columns = int(np.ceil(np.sqrt(2 * channels)))
    rows = -(-channels // columns)
    picture = np.zeros((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP), np.uint8)
    low = maps.min(axis=(1, 2), keepdims=True)
    span = np.maximum(maps.max(axis=(1, 2), keepdims=True) - low, 1e-12)
    for index, scaled in enumerate((255 * (maps - low) / span + 0.5).astype(np.uint8)):
        top = index // columns * (height + GAP)
        left = index % columns * (width + GAP)
        picture[top : top + height, left : left + width] = scaled
    return picture


@cache
def _network(reader: Classifier) -> nn.Module:
    """A copy, since Captum's hooks must not see the predictions that other threads make."""
    return copy.deepcopy(reader.network)
