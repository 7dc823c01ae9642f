"""What every network classifies: MNIST, recorded strokes and pictures, in several preprocessings.

Each way leads from a picture to the 28 x 28 pixels that a network sees. Recorded strokes are drawn
on a canvas first, with seeded brush, size and place.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from errors import ImageError
from evaluation.evaluate_strokes import by_name
from evaluation.images import UNCOUNTED, read_labels, resize_plainly
from model.config import IMAGE_SIZE
from model.data.mnist import Digits
from model.data.strokes import draw_files, read_strokes
from model.preprocessing.decode import luminance, open_image
from model.preprocessing.normalize import center_by_mass, preprocess
from study.corruptions import SEVERITIES, corrupt

MNIST, REAL_PICTURES = "MNIST", "real pictures"
RESIZED, RULE, PREPROCESSED = "resized", "MNIST's rule", "preprocessed"


@dataclass(frozen=True)
class TestSet:
    """Images to classify.

    Attributes:
        on: whose digits they are, or how they are corrupted.
        preprocessing: how they came to 28 x 28 pixels; "" for MNIST's own.
        digits: the images and their labels.
        writers: (N,) who wrote each, an own number for each where that is unknown.
        severity: of a corruption.
    """

    __test__ = False  # it is no test of pytest's

    on: str
    preprocessing: str
    digits: Digits
    writers: np.ndarray
    severity: float = 0.0

    @cached_property
    def key(self) -> str:
        """A hash of the images."""
        return hashlib.sha256(self.digits.images.numpy().tobytes()).hexdigest()

    @property
    def columns(self) -> dict[str, object]:
        """What the table of results says of it."""
        return {"on": self.on, "preprocessing": self.preprocessing, "severity": self.severity}


def mnist_rule(data: bytes) -> np.ndarray:
    """Apply MNIST's rule as tutorials do: the darker or lighter part, by Otsu's threshold."""
    grey = luminance(open_image(data))
    light = 255 - grey if grey.mean() > 127 else grey
    stretched = cv2.normalize(light, np.empty_like(light), 0, 255, cv2.NORM_MINMAX)
    _, foreground = cv2.threshold(stretched, 0, 255, cv2.THRESH_TOZERO | cv2.THRESH_OTSU)
    return center_by_mass(foreground)


PREPROCESSING: dict[str, Callable[[bytes], np.ndarray]] = {
    RESIZED: resize_plainly,
    RULE: mnist_rule,
    PREPROCESSED: lambda data: preprocess(data).image,
}


def mnist_set(on: str, digits: Digits, severity: float = 0.0) -> TestSet:
    """Return MNIST's digits, whose writers are not known one by one, as a test set."""
    return TestSet(on, "", digits, np.arange(len(digits)), severity)


def drawn_sets(strokes: Iterable[Path], pictures: Path | None) -> list[TestSet]:
    """Return each file of strokes and the folder of pictures, preprocessed in each way.

    Raises:
        DigitsError: a file or the folder cannot be read, or two files have the same name.
    """
    sets = []
    for name, path in by_name(strokes).items():
        samples = read_strokes(path)
        files = list(draw_files(samples, seed=0))
        labels, writers = [sample.label for sample in samples], [s.writer for s in samples]
        sets += preprocess_each_way(name, files, labels, writers)
    if pictures is not None:
        found = read_labels(pictures)
        found = found[found["label"].str.fullmatch("[0-9]") & ~found["kind"].isin(UNCOUNTED)]
        files = [(pictures / file).read_bytes() for file in found["file"]]
        authors = found["author"].where(found["author"] != "", found["file"])
        labels = found["label"].astype(int).tolist()
        sets += preprocess_each_way(REAL_PICTURES, files, labels, authors)
    return sets


def preprocess_each_way(
    on: str, files: Sequence[bytes], labels: list[int], writers: Iterable[str]
) -> list[TestSet]:
    """Return the picture files in each preprocessing; what cannot be read is empty."""

    def take(preprocessing: Callable[[bytes], np.ndarray], data: bytes) -> np.ndarray:
        try:
            return preprocessing(data)
        except ImageError:
            return np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)

    sets = []
    for name, preprocessing in PREPROCESSING.items():
        bar = tqdm(files, f"{on}, {name}", disable=None)
        images = torch.from_numpy(np.stack([take(preprocessing, data) for data in bar]))
        sets.append(TestSet(on, name, Digits(images, torch.tensor(labels)), np.array([*writers])))
    return sets


def corrupted_sets(test: Digits) -> list[TestSet]:
    """Return MNIST's test set with every corruption in every severity."""
    return [
        mnist_set(name, Digits(corrupt(test.images, name, severity), test.labels), severity)
        for name, severities in SEVERITIES.items()
        for severity in severities
    ]
