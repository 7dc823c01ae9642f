"""Read pictures with a trained network: calibrated probabilities, and whether it is a digit at all.

This is what the API, the command line and the measurements share. It imports neither torchvision
nor any training code.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from errors import ModelFileError
from model.checkpoint import Checkpoint, load_checkpoint
from model.config import IMAGE_SIZE, MEAN, REJECTION_TEMPERATURE, STD

NOT_A_DIGIT = "not_a_digit"
SEVERAL_DIGITS = "several_digits"
AMBIGUOUS = "ambiguous"
REASONS = {
    NOT_A_DIGIT: "The picture resembles no digit.",
    SEVERAL_DIGITS: "The picture holds more than one digit.",
    AMBIGUOUS: "The picture could be either of two digits.",
}
# Two digits share this much probability, and neither is sure: ambiguous rather than no digit.
_AMBIGUOUS_SHARE, _AMBIGUOUS_SECOND = 0.9, 0.2


@dataclass(frozen=True)
class Prediction:
    """What the network reads in one picture.

    Attributes:
        digit: the likeliest digit, also where the picture is none.
        confidence: its calibrated probability, 0-1.
        probabilities: of the ten digits, summing to 1.
        rejection_score: 0.1-1; below the model's threshold the picture is rejected.
        is_digit: whether the picture is taken for a digit.
        reason: None, or one of ``REASONS``.
    """

    digit: int
    confidence: float
    probabilities: list[float]
    rejection_score: float
    is_digit: bool
    reason: str | None


class Classifier:
    """A trained network, ready to read pictures of 28 x 28 pixels.

    Raises:
        ModelFileError: the card lacks the name, the version, or the reader's settings.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.card = checkpoint.card
        self.network = checkpoint.network
        self.permutation = checkpoint.permutation
        try:
            self.name: str = checkpoint.card["name"]
            self.version: str = checkpoint.card["version"]
            settings = checkpoint.card["reader"]
            self.temperature = float(settings["temperature"])
            self.threshold = float(settings["threshold"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(
                f"The model card lacks what a reader needs ({error!r}); train the model again."
            ) from error

    @classmethod
    def load(cls, path: Path) -> "Classifier":
        """Load the model at ``path``.

        Raises:
            ModelFileError: the files are missing, damaged, or do not fit each other.
        """
        return cls(load_checkpoint(path))

    @torch.inference_mode()
    def logits(self, images: Tensor) -> Tensor:
        """Return the network's logits (N, 10).

        Args:
            pictures: (N, 1, 28, 28) float32, 0 background, 1 ink; mean, standard deviation and
                the permutation are applied here.
        """
        return self.network(standardize(images, self.permutation))

    @torch.inference_mode()
    def probabilities(self, images: Tensor) -> Tensor:
        """Return calibrated probabilities (N, 10); arguments as for ``logits``."""
        return (self.logits(images) / self.temperature).softmax(dim=1)

    def is_digit(self, probabilities: Tensor) -> Tensor:
        """Return which rows (N,) of calibrated probabilities belong to a digit."""
        return rejection_score(probabilities) >= self.threshold

    def predict(self, images: np.ndarray) -> list[Prediction]:
        """Read pictures as ``preprocess`` leaves them.

        Args:
            images: (N, 28, 28) uint8, 0 background, 255 ink.
        """
        probabilities = self.probabilities(to_tensor(images))
        scores = rejection_score(probabilities)
        return [
            self._prediction(row, score)
            for row, score in zip(probabilities.tolist(), scores.tolist(), strict=True)
        ]

    def model_input(self, image: np.ndarray) -> np.ndarray:
        """Return the picture (28, 28) as the network sees it, its pixels permuted if they are."""
        if self.permutation is None:
            return image
        return image.reshape(-1)[self.permutation.numpy()].reshape(IMAGE_SIZE, IMAGE_SIZE)

    def _prediction(self, row: list[float], score: float) -> Prediction:
        first, second = sorted(row, reverse=True)[:2]
        is_digit = score >= self.threshold
        ambiguous = first + second >= _AMBIGUOUS_SHARE and second >= _AMBIGUOUS_SECOND
        reason = None if is_digit else AMBIGUOUS if ambiguous else NOT_A_DIGIT
        return Prediction(row.index(first), first, row, score, is_digit, reason)


def rejection_score(probabilities: Tensor) -> Tensor:
    """Return what is judged for refusal (N,), 0.1-1, of probabilities (N, 10).

    It is the likeliest digit's probability at a high temperature, at which all ten digits have a
    say and not the second likeliest alone: digits and other drawings then lie farther apart
    (S. Liang, Y. Li and R. Srikant, "Enhancing the reliability of out-of-distribution image
    detection in neural networks", ICLR 2018).
    """
    smallest = torch.finfo(probabilities.dtype).tiny  # a probability may round to 0
    logits = probabilities.clamp_min(smallest).log()
    return (logits / REJECTION_TEMPERATURE).softmax(dim=1).amax(dim=1)


def to_tensor(images: np.ndarray) -> Tensor:
    """Turn (N, 28, 28) uint8 into (N, 1, 28, 28) float32 in [0, 1]."""
    return torch.from_numpy(images).unsqueeze(1).float().div_(255)


def standardize(images: Tensor, permutation: Tensor | None = None) -> Tensor:
    """Normalise by MNIST's mean and standard deviation and permute the pixels.

    Training and serving both go through here.

    Args:
        pictures: (N, 1, 28, 28) floats in [0, 1].
        permutation: (784,) indices; pixel i of the result is pixel ``permutation[i]``.
    """
    images = (images - MEAN) / STD
    if permutation is not None:
        images = images.flatten(1)[:, permutation].view_as(images)
    return images
