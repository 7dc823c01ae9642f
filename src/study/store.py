"""Finished cells on disk: one JSON file each, its weights beside it, written atomically."""

import hashlib
import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from model.checkpoint import write_atomically
from model.config import NUM_CLASSES
from model.data.augment import AUGMENTATIONS
from model.data.mnist import Mnist
from model.data.synthetic.digits import synthesize_digits
from model.data.synthetic.outliers import synthesize_outliers
from model.registry import NETWORKS
from study.permutations import pixel_permutation
from study.runs import Cell

Result = dict[str, Any]


class Store:
    """Results of finished cells in a directory.

    A result is valid while what it depends on (the cell, the recipe, the network's settings, the
    augmentation's parameters, the permutation, the data) is as it was; else it is made anew.
    """

    def __init__(self, directory: Path, mnist: Mnist) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.mnist = directory, mnist

    def load(self, cell: Cell) -> Result | None:
        """Return the result of `cell`, None if it is not finished or no longer valid."""
        path, weights = self._paths(cell)
        if not path.is_file() or not weights.is_file():
            return None
        result = json.loads(path.read_text())
        return result if result["fingerprint"] == self.fingerprint(cell) else None

    def save(self, cell: Cell, result: Result, network: nn.Module | None = None) -> None:
        """Write the result of `cell`, and its weights if they are new."""
        path, weights = self._paths(cell)
        if network is not None:
            write_atomically(weights, lambda file: torch.save(network.state_dict(), file))
        text = json.dumps({**result, "fingerprint": self.fingerprint(cell)})
        write_atomically(path, lambda file: file.write(text.encode()))

    def has_network(self, cell: Cell) -> bool:
        """Whether the trained network of `cell`, as it is now, is here."""
        return self.load(cell) is not None

    def network(self, cell: Cell) -> nn.Module:
        """Return the trained network of a finished cell."""
        network = NETWORKS[cell.registry_name](**cell.network_settings)
        network.load_state_dict(torch.load(self._paths(cell)[1], weights_only=True))
        return network.eval()

    def fingerprint(self, cell: Cell) -> str:
        """Return a hash of all that decides the result of `cell`."""
        permutation = pixel_permutation(cell.pixels)
        settings = AUGMENTATIONS[cell.batch_augmentation]
        network = NETWORKS[cell.registry_name](**cell.network_settings)
        depends_on = [
            cell.as_dict(),
            cell.recipe.as_json(),
            cell.repeats(len(self.mnist.training)),
            str(network),
            None if settings is None else asdict(settings),
            None if permutation is None else permutation.tolist(),
            sorted(self.mnist.checksums.values()),
            len(self.mnist.training),
            _synthetic_pictures() if cell.recipe.synthetic_fraction else None,
        ]
        return hashlib.sha256(json.dumps(depends_on).encode()).hexdigest()

    def _paths(self, cell: Cell) -> tuple[Path, Path]:
        return self.directory / f"{cell.key}.json", self.directory / f"{cell.key}.pt"


@cache
def _synthetic_pictures() -> str:
    """Return a hash of some synthetic pictures, which changes when their making does."""
    generator = torch.Generator().manual_seed(0)
    digits = synthesize_digits(torch.arange(NUM_CLASSES), generator)
    pictures = torch.cat([digits, synthesize_outliers(NUM_CLASSES, generator)])
    return hashlib.sha256(pictures.numpy().tobytes()).hexdigest()
