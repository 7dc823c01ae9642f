"""Look into a network: attribution by occlusion, and what its layers make of an image."""

from dataclasses import dataclass

import numpy as np

from model.classifier import WEIGHT_SUFFIX, Classifier, X, to_input
from model.config import IMAGE_SIZE

WINDOW = 5  # pixels a side that occlusion hides at a time
SHOWN_UNITS = 8  # of each layer, the strongest


def occlusion(classifier: Classifier, image: np.ndarray, digit: int) -> np.ndarray:
    """Return how much each pixel of an image speaks for a digit (Zeiler and Fergus, 2014).

    A window of background hides a part of the image (28, 28) uint8, everywhere in turn. A pixel
    gets the mean fall of the digit's logit over the windows that hide it. The result is
    (28, 28) float32, scaled so that its largest magnitude is 1.
    """
    starts, pixels = np.arange(IMAGE_SIZE - WINDOW + 1)[:, None], np.arange(IMAGE_SIZE)
    rows = (pixels >= starts) & (pixels < starts + WINDOW)  # (24, 28), true where a window hides
    windows = (rows[:, None, :, None] & rows[None, :, None, :]).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    hidden = np.where(windows, 0, image).astype(np.uint8)
    logits, _ = classifier.forward(np.concatenate((image[None], hidden)))
    fall = logits[0, digit] - logits[1:, digit]
    values = np.tensordot(fall, windows, axes=1) / windows.sum(axis=0)
    return (values / max(float(np.abs(values).max()), 1e-12)).astype(np.float32)


@dataclass(frozen=True)
class Unit:
    """A channel of a convolution, or a neuron of a linear layer.

    It responds by how far its output exceeds its output to blank paper.
    """

    channel: int
    strength: float  # its largest response, 0-1; the layer's strongest unit has 1
    picture: np.ndarray | None  # (h, w) uint8, its responses, 255 the layer's largest
    kernel: np.ndarray | None  # its weights as an image, if they are one


@dataclass(frozen=True)
class Layer:
    """What a layer makes of an image; the API answers with these fields."""

    name: str
    kind: str  # "convolution" or "linear"
    channels: int
    size: tuple[int, ...]  # rows and columns of a map; (1, 1) in a linear layer
    receptive_field: int  # side of the square of pixels that one value depends on
    maps: list[Unit]  # the strongest, the first one most


def layer_activations(classifier: Classifier, image: np.ndarray) -> list[Layer]:
    """Return what each layer before the output layer makes of an image (28, 28) uint8."""
    x = to_input(np.stack((image, np.zeros_like(image))))
    names = [output.name for output in classifier.session.get_outputs()]
    outputs = dict(zip(names, classifier.session.run(None, {X: x}), strict=True))
    layers = []
    field, step, side = 1, 1, IMAGE_SIZE
    for name in classifier.layers:
        weights, (seen, blank) = outputs[name + WEIGHT_SUFFIX], outputs[name]
        if weights.ndim == 4:
            # Pooling before a convolution is no layer here: it shows in the size of the output.
            kernel, output_side = weights.shape[-1], seen.shape[-1]
            pooling = round(side / (output_side + kernel - 1))
            field += (pooling * kernel - 1) * step
            step, side = step * pooling, output_side
        else:
            field = IMAGE_SIZE
        units = _strongest_units((seen - blank).clip(0), weights, classifier.permutation)
        kind, size = ("convolution", seen.shape[1:]) if seen.ndim == 3 else ("linear", (1, 1))
        layers.append(Layer(name, kind, len(seen), size, min(field, IMAGE_SIZE), units))
    return layers


def _strongest_units(
    response: np.ndarray, weights: np.ndarray, permutation: np.ndarray | None
) -> list[Unit]:
    """Choose units by the largest response; `response` is (units, h, w) or (units,)."""
    peaks = response.reshape(len(response), -1).max(axis=1)
    largest = max(float(peaks.max()), 1e-12)
    strongest = np.argsort(-peaks, kind="stable")[:SHOWN_UNITS]
    strengths = (peaks[strongest] / largest).astype(float).round(3).tolist()
    kernels = _kernels(weights[strongest], permutation)
    maps: np.ndarray | list[None] = [None] * len(strongest)
    if response.ndim == 3:
        maps = (255 * response[strongest] / largest + 0.5).astype(np.uint8)
    return [Unit(*unit) for unit in zip(strongest.tolist(), strengths, maps, kernels, strict=True)]


def _kernels(weights: np.ndarray, permutation: np.ndarray | None) -> np.ndarray | list[None]:
    """Return weights as images (units, side, side) uint8: 128 is 0, 1 and 255 the largest weight.

    A channel has a kernel for each map of the layer before: the one with the largest weights is
    shown. The weights of a neuron lie over the image's pixels, also in a permuted network.
    """
    if weights.ndim == 4:
        kernels = weights[np.arange(len(weights)), (weights**2).sum(axis=(2, 3)).argmax(axis=1)]
    elif weights.shape[1] == IMAGE_SIZE**2:
        kernels = np.empty_like(weights)
        kernels[:, slice(None) if permutation is None else permutation] = weights
        kernels = kernels.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    else:
        return [None] * len(weights)  # they lie over the units of another layer
    return (128.5 + 127 * kernels / max(float(np.abs(kernels).max()), 1e-12)).astype(np.uint8)
