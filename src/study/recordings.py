"""Recorded pen strokes as test pictures: drawn on a canvas and read as an upload is."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from model.data import Digits
from model.drawings import read_recordings
from model.drawn import upload


@dataclass(frozen=True)
class Recordings:
    """A file of recordings; it is only drawn when a network has still to read it."""

    path: Path

    @cached_property
    def sha256(self) -> str:
        """The file's checksum."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    @cached_property
    def digits(self) -> Digits:
        """The drawings as the network sees them, with seeded brush, size and place.

        Raises:
            StrokeFileError: a line of the file is not in the documented form.
        """
        recordings = read_recordings(self.path)
        images = [
            upload(recording, np.random.default_rng([0, index]))
            for index, recording in enumerate(tqdm(recordings, "drawing", disable=None))
        ]
        labels = torch.tensor([recording.label for recording in recordings])
        return Digits(torch.from_numpy(np.stack(images)), labels)

    def describe(self) -> dict[str, object]:
        """Return name, checksum and number of recordings."""
        count = len(read_recordings(self.path))
        return {"file": self.path.name, "sha256": self.sha256, "count": count}
