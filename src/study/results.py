"""The results: `comparison.json`, which has every run with its settings, and a table of it."""

import json
import os
import platform
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from errors import DataError
from model.card import RecipeRecord
from model.checkpoint import write_atomically
from model.data.mnist import Mnist
from study.corruptions import SEVERITIES

FILE_NAME = "comparison.json"


class Result(TypedDict, total=False):
    """What `comparison.json` says of one run.

    `cell` has the fields of `Run`; `history` one [training loss, validation loss, validation
    accuracy, seconds] per epoch; `misread` [index of the test image, predicted digit] pairs;
    `recordings` the checksum of the file of pen strokes, `robustness` accuracies by corruption.
    Accuracies are from 0 to 1.
    """

    cell: dict[str, Any]
    recipe: RecipeRecord
    network_settings: dict[str, tuple[int, int]]
    parameters: int
    epochs: int
    gain_of_last_quarter: float
    history: list[list[float]]
    seconds: float
    test_accuracy: float
    misread: list[tuple[int, int]]
    synthetic_accuracy: float
    microseconds_a_picture: float
    device: str
    precision: str
    versions: dict[str, str]
    fingerprint: str
    recordings: str
    recordings_accuracy: float
    robustness: dict[str, list[float]]


@dataclass(frozen=True)
class Comparison:
    """Results of runs by key, and what they have in common.

    Attributes:
        common: data, hardware, severities of the corruptions, the file of pen strokes.
        cells: results by the run's key.
    """

    common: dict[str, Any]
    cells: dict[str, Result]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """A row per run: the fields of `Run` and of `Result`; `pictures` is 0 for all of them."""
        rows = [{**result["cell"], **result} for _, result in sorted(self.cells.items())]
        frame = pd.DataFrame(rows)
        for optional in ("recordings_accuracy", "robustness"):
            if optional not in frame:
                frame[optional] = np.nan
        return frame.assign(pictures=frame["pictures"].fillna(0).astype(int))

    def select(self, **conditions: object) -> pd.DataFrame:
        """Return the rows by seed whose columns have these values, or one of a tuple's.

        If `pictures` is not said, only runs on all training images.
        """
        rows = self.frame
        for column, value in {"pictures": 0, **conditions}.items():
            rows = rows[rows[column].isin(value if isinstance(value, tuple) else (value,))]
        return rows.sort_values("seed")

    def correct(self, rows: pd.DataFrame) -> np.ndarray:
        """Return which network got which test image right, bool (networks, images)."""
        correct = np.ones((len(rows), self.common["data"]["test"]), dtype=bool)
        for line, misread in zip(correct, rows["misread"], strict=True):
            line[[index for index, _ in misread]] = False
        return correct


def describe(mnist: Mnist) -> dict[str, Any]:
    """Return what all runs of a command have in common."""
    return {
        "data": mnist.description(),
        "hardware": f"{platform.machine()}, {os.cpu_count()} cores",
        "robustness_levels": SEVERITIES,
    }


def read_comparison(path: Path) -> Comparison:
    """Read `comparison.json`.

    Raises:
        DataError: it is not there.
    """
    if not path.is_file():
        raise DataError(f"There is no {path}; make it with: bash run.sh compare")
    content = json.loads(path.read_text())
    return Comparison({key: content[key] for key in content if key != "cells"}, content["cells"])


def write_comparison(comparison: Comparison, path: Path) -> None:
    """Write `comparison.json` atomically, one run per line."""
    common = json.dumps(comparison.common, indent=1)
    cells = ",\n".join(
        f"{json.dumps(key)}: {json.dumps(result)}"
        for key, result in sorted(comparison.cells.items())
    )
    text = f'{common[:-2]},\n "cells": {{\n{cells}\n}}\n}}\n'
    write_atomically(path, lambda file: file.write(text.encode()))
