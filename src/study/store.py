"""Finished runs on disk: one JSON file each, its weights beside it, written atomically."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from evaluation.results import data_checksum, fingerprint
from model.checkpoint import write_atomically
from model.data.augment import AUGMENTATIONS
from model.data.mnist import Mnist
from model.registry import NETWORKS, Network
from study.permutations import pixel_permutation
from study.results import Result
from study.runs import PLATEAU_TOLERANCE, Run


class Store:
    """Results of finished runs in a directory.

    A result is valid while all that decides it is as it was: run, recipe, network, augmentation,
    permutation, data and split, rule of stopping, device, precision and code. Else the run is
    repeated.

    Args:
        directory: where the files lie.
        mnist: the data, split.
        conditions: how runs are trained here: device, precision, how often epochs are doubled.
    """

    def __init__(self, directory: Path, mnist: Mnist, **conditions: object) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.mnist, self.conditions = directory, mnist, conditions
        self._data = data_checksum(mnist)

    def load(self, run: Run) -> Result | None:
        """Return the result of `run`, None if it is not finished or no longer valid."""
        path, weights = self._paths(run)
        if not path.is_file() or not weights.is_file():
            return None
        result: Result = json.loads(path.read_text())
        return result if result["fingerprint"] == self.fingerprint(run) else None

    def save(self, run: Run, result: Result, network: nn.Module | None = None) -> Result:
        """Write the result of `run`, and its weights if they are new; return it as written."""
        path, weights = self._paths(run)
        if network is not None:
            write_atomically(weights, lambda file: torch.save(network.state_dict(), file))
        result = {**result, "fingerprint": self.fingerprint(run)}
        write_atomically(path, lambda file: file.write(json.dumps(result).encode()))
        return result

    def network(self, run: Run) -> Network:
        """Return the trained network of a finished run, in evaluation mode."""
        network = NETWORKS[run.registry_name](**run.network_config)
        network.load_state_dict(torch.load(self._paths(run)[1], weights_only=True))
        return network.eval()

    def fingerprint(self, run: Run) -> str:
        """Return a hash of all that decides the result of `run`."""
        permutation = pixel_permutation(run.pixels)
        augmentation = AUGMENTATIONS[run.batch_augmentation]
        return fingerprint(
            self._data,
            code=[Path(__file__).with_name("training.py")],
            run=asdict(run),
            recipe=run.recipe.as_json(),
            network=run.network_config,
            augmentation=None if augmentation is None else asdict(augmentation),
            permutation=None if permutation is None else permutation.tolist(),
            plateau_tolerance=PLATEAU_TOLERANCE,
            **self.conditions,
        )

    def _paths(self, run: Run) -> tuple[Path, Path]:
        return self.directory / f"{run.key}.json", self.directory / f"{run.key}.pt"
