"""Finished runs on disk: weights and predictions, under a hash of all that decides them."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import TypedDict

import torch
from torch import Tensor

from evaluation.results import data_checksum, fingerprint
from model.checkpoint import write_atomically
from model.config import MEAN, REPOSITORY, STD
from model.data.augment import AUGMENTATIONS
from model.data.mnist import Mnist
from model.train import predict_logits
from model.training.distributed import choose_device, choose_precision
from study.permutations import pixel_permutation
from study.pictures import TestSet
from study.runs import Run
from study.training import train_run

MODEL = REPOSITORY / "src" / "model"
TRAINING_CODE = (
    *(MODEL / name for name in ("mlp.py", "convnet.py", "registry.py", "train.py")),
    *(MODEL / "data" / name for name in ("augment.py", "loader.py")),
    *sorted(path for path in (MODEL / "data" / "synthetic").iterdir() if path.is_file()),
    Path(__file__).with_name("training.py"),
)


class Finished(TypedDict):
    """What is kept of a run: weights, seconds of training, predicted digits (N,) by test set."""

    weights: dict[str, Tensor]
    seconds: float
    predictions: dict[str, Tensor]


class Store:
    """Finished runs in a directory; each file is named by its key and so never out of date.

    Args:
        directory: where the files lie.
        mnist: the data, split.
    """

    def __init__(self, directory: Path, mnist: Mnist) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.mnist = directory, mnist
        self._data = data_checksum(mnist)

    def key(self, run: Run) -> str:
        """Return a hash of data and split, code of training, recipe and all of the run."""
        device = choose_device("auto")
        augmentation = AUGMENTATIONS[run.batch_augmentation]
        permutation = pixel_permutation(run.pixels)
        return fingerprint(
            self._data,
            code=TRAINING_CODE,
            run=asdict(run),
            recipe=run.recipe.as_json(),
            network=run.build().config,
            augmentation=None if augmentation is None else asdict(augmentation),
            permutation=None if permutation is None else permutation.tolist(),
            standardization=(MEAN, STD),
            device=device.type,
            precision=choose_precision("auto", device),
        )

    def finish(self, run: Run, sets: list[TestSet]) -> Finished:
        """Return what is kept of the run; train and classify only what was not before."""
        path = self.directory / f"{self.key(run)}.pt"
        network = run.build()
        if path.is_file():
            finished: Finished = torch.load(path, weights_only=True)
            network.load_state_dict(finished["weights"])
        else:
            started = time.perf_counter()
            network = train_run(run, self.mnist)
            seconds = round(time.perf_counter() - started, 1)
            finished = {"weights": network.state_dict(), "seconds": seconds, "predictions": {}}
        missing = [one for one in sets if one.key not in finished["predictions"]]
        permutation = pixel_permutation(run.pixels)
        for one in missing:
            logits = predict_logits(network, one.digits.images, permutation=permutation)
            finished["predictions"][one.key] = logits.argmax(dim=1).byte()
        if missing:
            write_atomically(path, lambda file: torch.save(finished, file))
        return finished
