"""Look into a network: attribution by occlusion, and what its layers make of an image."""

from dataclasses import dataclass

import numpy as np

from model.classifier import WEIGHT_SUFFIX, Classifier, X, to_input
from model.config import IMAGE_SIZE

WINDOW = 5  # pixels a side that occlusion hides at a time
SHOWN_UNITS = 8  # of each layer, the strongest


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


@dataclass(frozen=True)
class Layer:
    """What a convolution or a hidden linear layer makes of an image, by its strongest units.

    A unit is a channel of a convolution or a neuron of a linear layer. Its response is how far its
    output exceeds that to blank paper.

    Attributes:
        name: the layer's name in the network.
        units: how many it has.
        size: rows and columns of a map; (1, 1) in a linear layer.
        receptive_field: side of the square of pixels that one value depends on.
        strongest: up to eight units, the one with the largest response first.
        strengths: their largest responses, 0-1, 1 for the layer's strongest.
        maps: (strongest, h, w) uint8, their responses, 0 for none, 255 for the largest; None in a
            linear layer.
        kernels: (strongest, side, side) uint8, their weights, 128 for 0, 1 and 255 for the largest
            magnitude; None where the weights are no image.
    """

    name: str
    units: int
    size: tuple[int, ...]
    receptive_field: int
    strongest: list[int]
    strengths: list[float]
    maps: np.ndarray | None
    kernels: np.ndarray | None


def layer_activations(classifier: Classifier, image: np.ndarray) -> list[Layer]:
    """Return what each layer before the output layer makes of an image (28, 28) uint8."""
    blank = np.zeros_like(image)
    values = classifier.session.run(None, {X: to_input(np.stack((image, blank)))})
    names = [output.name for output in classifier.session.get_outputs()]
    outputs = dict(zip(names, values, strict=True))
    layers = []
    field, step, side = 1, 1, IMAGE_SIZE
    for name in classifier.layers:
        weights = outputs[name + WEIGHT_SUFFIX]
        if weights.ndim == 4:
            # ONNX Runtime tells shapes alone: pooling before a convolution shows in its output.
            kernel, output = weights.shape[-1], outputs[name].shape[-1]
            pooling = round(side / (output + kernel - 1))
            field += (pooling - 1) * step
            step *= pooling
            field, side = field + (kernel - 1) * step, output
        else:
            field = IMAGE_SIZE
        response = (outputs[name][0] - outputs[name][1]).clip(0)
        layers.append(_describe(classifier, name, response, weights, min(field, IMAGE_SIZE)))
    return layers


def _describe(
    classifier: Classifier, name: str, response: np.ndarray, weights: np.ndarray, field: int
) -> Layer:
    """Choose the strongest units of a layer by their response (units, h, w) or (units,)."""
    peaks = response.reshape(len(response), -1).max(axis=1)
    largest = max(float(peaks.max()), 1e-12)
    strongest = np.argsort(-peaks, kind="stable")[:SHOWN_UNITS]
    maps = (255 * response[strongest] / largest + 0.5).astype(np.uint8)
    return Layer(
        name,
        len(response),
        response.shape[1:] or (1, 1),
        field,
        strongest.tolist(),
        (peaks[strongest] / largest).astype(float).round(3).tolist(),
        maps if response.ndim == 3 else None,
        _kernels(classifier, weights[strongest]),
    )


def _kernels(classifier: Classifier, weights: np.ndarray) -> np.ndarray | None:
    """Return the weights of some units as images (units, side, side) uint8.

    A channel has a kernel for each map of the layer before: the one with the largest weights is
    shown. The weights of a neuron lie over the image's pixels, also in a permuted network.
    """
    units = np.arange(len(weights))
    if weights.ndim == 4:
        kernels = weights[units, (weights**2).sum(axis=(2, 3)).argmax(axis=1)]
    elif weights.shape[1] == IMAGE_SIZE**2:
        kernels = np.empty_like(weights)
        pixels = classifier.permutation
        kernels[:, slice(None) if pixels is None else pixels] = weights
        kernels = kernels.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    else:
        return None
    largest = max(float(np.abs(kernels).max()), 1e-12)
    return (128.5 + 127 * kernels / largest).astype(np.uint8)
