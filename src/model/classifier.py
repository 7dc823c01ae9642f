"""Classify images with a trained network: calibrated probabilities, and whether each is a digit.

This is what the API, the command line and the measurements share. It imports no torch: the network
is a function on arrays, in serving a session of ONNX Runtime.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from errors import ModelFileError
from model.card import ModelCard
from model.checkpoint import find_checkpoints, read_permutation
from model.config import IMAGE_SIZE, NUM_CLASSES, REJECTION_TEMPERATURE
from model.onnx_network import OnnxNetwork, load_network

NOT_A_DIGIT = "not_a_digit"
SEVERAL_DIGITS = "several_digits"
AMBIGUOUS = "ambiguous"
REASONS = {
    NOT_A_DIGIT: "The picture resembles no digit.",
    SEVERAL_DIGITS: (
        "The picture holds more than one digit: read it as a number, "
        "by predict --number or /api/v1/predict/number."
    ),
    AMBIGUOUS: "The picture could be either of two digits.",
}
# Two digits share this much probability, and neither is sure: ambiguous rather than no digit.
_AMBIGUOUS_SHARE, _AMBIGUOUS_SECOND = 0.9, 0.2
_BATCH_SIZE = 64  # images in one pass of the network, which bounds its memory

# x (N, 1, 28, 28) float32 in [0, 1] -> logits (N, 10) and features (N, d) float32
Network = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Prediction:
    """What the network reads in one image.

    Attributes:
        digit: the likeliest digit, also where the image is none.
        confidence: its calibrated probability, 0-1.
        probabilities: of the ten digits, summing to 1.
        rejection_score: 0.1-1; below the model's threshold the image is rejected.
        is_digit: whether the image is taken for a digit.
        reason: None, or one of ``REASONS``.
    """

    digit: int
    confidence: float
    probabilities: list[float]
    rejection_score: float
    is_digit: bool
    reason: str | None


class Classifier:
    """A trained network, ready to classify images of 28 x 28 pixels.

    Attributes:
        card: the model card.
        name, version: the model's.
        network: what computes logits and features; mean, standard deviation and the permutation
            of the pixels are applied inside it.
        temperature: divides the logits.
        threshold: what has a lower rejection score is no digit.
        permutation: (784,) of the pixels, or None.
    """

    def __init__(self, card: ModelCard, network: Network) -> None:
        """Keep the network and read the card.

        Raises:
            ModelFileError: the card lacks the name, the version, or the classifier's settings.
        """
        self.card = card
        self.network = network
        try:
            self.name: str = card["name"]
            self.version: str = card["version"]
            settings = card["reader"]
            self.temperature = float(settings["temperature"])
            self.threshold = float(settings["threshold"])
            self.permutation = read_permutation(card)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(
                f"The model card lacks what a classifier needs ({error!r}); train the model again."
            ) from error

    @classmethod
    def load(cls, path: Path) -> "Classifier":
        """Load the model whose weights lie at ``path``, in its ONNX form.

        Raises:
            ModelFileError: the files are missing, damaged, or do not fit each other.
        """
        network, card = load_network(path)
        return cls(card, network)

    @property
    def output_layer(self) -> tuple[np.ndarray, np.ndarray]:
        """The last linear layer: weights (10, d) and bias (10,), float32."""
        return self.onnx.output_layer

    @property
    def onnx(self) -> OnnxNetwork:
        """The network as ONNX Runtime runs it."""
        if not isinstance(self.network, OnnxNetwork):
            raise TypeError("this classifier's network is not in its ONNX form")
        return self.network

    def forward(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return logits (N, 10) and features (N, d), float32, of images (N, 28, 28) uint8."""
        return self.forward_input(to_input(images))

    def forward_input(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Do as ``forward`` on x (N, 1, 28, 28) float32, 0 background, 1 ink."""
        if len(x) <= _BATCH_SIZE:
            return self.network(x)
        parts = (self.network(x[i : i + _BATCH_SIZE]) for i in range(0, len(x), _BATCH_SIZE))
        logits, features = zip(*parts, strict=True)
        return np.concatenate(logits), np.concatenate(features)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities (N, 10) of logits (N, 10)."""
        return softmax(logits / self.temperature)

    def is_digit(self, probabilities: np.ndarray) -> np.ndarray:
        """Return which rows (N,) of calibrated probabilities belong to a digit."""
        return rejection_score(probabilities) >= self.threshold

    def predict(self, images: np.ndarray) -> list[Prediction]:
        """Classify images as ``preprocess`` leaves them.

        Args:
            images: (N, 28, 28) uint8, 0 background, 255 ink.
        """
        logits, _ = self.forward(images)
        probabilities = self.probabilities(logits)
        scores = rejection_score(probabilities)
        return list(map(self._prediction, probabilities.tolist(), scores.tolist()))

    def model_input(self, image: np.ndarray) -> np.ndarray:
        """Return the image (28, 28) as the network sees it, its pixels permuted if they are."""
        if self.permutation is None:
            return image
        return image.reshape(-1)[self.permutation].reshape(IMAGE_SIZE, IMAGE_SIZE)

    def _prediction(self, row: list[float], score: float) -> Prediction:
        first, second = sorted(row, reverse=True)[:2]
        is_digit = score >= self.threshold
        ambiguous = first + second >= _AMBIGUOUS_SHARE and second >= _AMBIGUOUS_SECOND
        reason = None if is_digit else AMBIGUOUS if ambiguous else NOT_A_DIGIT
        return Prediction(row.index(first), first, row, score, is_digit, reason)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the softmax of each row of (N, 10), in the precision of ``logits``."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def rejection_score(probabilities: np.ndarray) -> np.ndarray:
    """Return what is judged for rejection (N,), 0.1-1, of probabilities (N, 10).

    It is the likeliest digit's probability at a high temperature, at which all ten digits have a
    say and not the second likeliest alone: digits and other drawings then lie farther apart
    (S. Liang, Y. Li and R. Srikant, "Enhancing the reliability of out-of-distribution image
    detection in neural networks", ICLR 2018).
    """
    smallest = np.finfo(probabilities.dtype).tiny  # a probability may round to 0
    logits = np.log(np.maximum(probabilities, smallest))
    return softmax(logits / REJECTION_TEMPERATURE).max(axis=1)


def to_input(images: np.ndarray) -> np.ndarray:
    """Turn images (N, 28, 28) uint8 into x (N, 1, 28, 28) float32 in [0, 1]."""
    return images[:, None].astype(np.float32) / np.float32(255)


def load_classifiers(directory: Path) -> tuple[dict[str, Classifier], dict[str, str]]:
    """Load every model of a folder and let each answer once.

    Returns:
        The classifiers by name; and by name why the others cannot be used.
    """
    classifiers: dict[str, Classifier] = {}
    failures: dict[str, str] = {}
    for name, path in sorted(find_checkpoints(directory).items()):
        try:
            classifier = Classifier.load(path)
            _self_test(classifier, name)
            classifiers[name] = classifier
        except ModelFileError as error:
            failures[name] = str(error)
    return classifiers, failures


def _self_test(classifier: Classifier, name: str) -> None:
    """Raise ``ModelFileError`` where the model has another name or gives no probabilities."""
    if classifier.name != name:
        raise ModelFileError(
            f"The card says that its name is {classifier.name!r}, the file's name says {name!r}; "
            "train it again."
        )
    image = np.zeros((1, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    image[0, 4:24, 12:16] = 255
    probabilities = classifier.predict(image)[0].probabilities
    if len(probabilities) != NUM_CLASSES or not math.isclose(sum(probabilities), 1, abs_tol=1e-3):
        raise ModelFileError(
            f"The model does not answer with {NUM_CLASSES} probabilities that sum to 1; train it "
            "again."
        )
