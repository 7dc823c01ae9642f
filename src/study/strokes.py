"""Recorded pen strokes as test images: drawn on a canvas and preprocessed as an upload is."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from model.data.mnist import Digits
from model.data.strokes import StrokeSample, read_strokes, render_and_preprocess


@dataclass(frozen=True)
class StrokeSet:
    """A file of stroke samples, read; drawn only when a network has still to classify them.

    Attributes:
        file: the file's name.
        sha256: the file's checksum.
        samples: what it holds.
    """

    file: str
    sha256: str
    samples: list[StrokeSample]

    @classmethod
    def load(cls, path: Path) -> "StrokeSet":
        """Read a file.

        Raises:
            StrokeFileError: a line is not in the documented form.
        """
        samples = read_strokes(path)
        return cls(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), samples)

    @cached_property
    def digits(self) -> Digits:
        """The samples as a network sees them, with seeded brush, size and place."""
        images = torch.from_numpy(render_and_preprocess(self.samples, seed=0))
        return Digits(images, torch.tensor([sample.label for sample in self.samples]))
