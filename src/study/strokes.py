"""Recorded pen strokes as test pictures: drawn on a canvas and read as an upload is."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from evaluation.evaluate_strokes import upload
from evaluation.strokes import StrokeSample, read_strokes
from model.data.mnist import Digits


@dataclass(frozen=True)
class Recordings:
    """A file of recordings, read; drawn only when a network has still to read them.

    Attributes:
        name: the file's.
        sha256: the file's checksum.
        strokes: what it holds.
    """

    name: str
    sha256: str
    strokes: list[StrokeSample]

    @classmethod
    def load(cls, path: Path) -> "Recordings":
        """Read a file.

        Raises:
            StrokeFileError: a line is not in the documented form.
        """
        strokes = read_strokes(path)
        return cls(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), strokes)

    @cached_property
    def digits(self) -> Digits:
        """The drawings as a network sees them, with seeded brush, size and place."""
        images = [
            upload(recording, np.random.default_rng([0, index]))
            for index, recording in enumerate(tqdm(self.strokes, "drawing", disable=None))
        ]
        labels = torch.tensor([recording.label for recording in self.strokes])
        return Digits(torch.from_numpy(np.stack(images)), labels)

    def describe(self) -> dict[str, object]:
        """Return name, checksum and number of recordings."""
        return {"file": self.name, "sha256": self.sha256, "count": len(self.strokes)}
