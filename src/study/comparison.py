"""The file of results, `comparison.json`: every cell with its settings and versions."""

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from errors import DataError
from model.checkpoint import write_atomically
from model.data.mnist import Mnist
from study.corruptions import LEVELS
from study.runs import Cell
from study.statistics import Difference, compare
from study.store import Result

FILE_NAME = "comparison.json"


@dataclass(frozen=True)
class Comparison:
    """Results of cells by key, and what they have in common.

    Attributes:
        common: data, hardware, levels of the robustness measurements.
        cells: results by the cell's key, as `train_cell` and the measurements leave them.
    """

    common: dict[str, Any]
    cells: dict[str, Result]

    def results(self, cells: Iterable[Cell]) -> list[Result]:
        """Return the results there are of `cells`, in that order."""
        return [self.cells[cell.key] for cell in cells if cell.key in self.cells]

    def values(self, cells: Iterable[Cell], what: str) -> np.ndarray:
        """Return one number of each result, such as "test_accuracy"; empty where none has it."""
        return np.array([result[what] for result in self.results(cells) if what in result])

    def right(self, cells: Iterable[Cell]) -> np.ndarray:
        """Return which network read which test picture right, bool (networks, pictures)."""
        results = self.results(cells)
        right = np.ones((len(results), self.common["data"]["test"]), dtype=bool)
        for row, result in zip(right, results, strict=True):
            row[[index for index, _ in result["misread"]]] = False
        return right

    def difference(
        self, cells: Iterable[Cell], others: Iterable[Cell], level: float
    ) -> Difference | None:
        """Compare two sets of cells; None where results of one are lacking."""
        right, others_right = self.right(cells), self.right(others)
        if not len(right) or not len(others_right):
            return None
        return compare(right, others_right, level)


def describe(mnist: Mnist) -> dict[str, Any]:
    """Return what all cells of a run have in common."""
    return {
        "data": mnist.description(),
        "hardware": f"{platform.machine()}, {os.cpu_count()} cores",
        "robustness_levels": {kind: list(levels) for kind, levels in LEVELS.items()},
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
    """Write `comparison.json` atomically, one cell a line."""
    common = json.dumps(comparison.common, indent=1)
    cells = ",\n".join(
        f"{json.dumps(key)}: {json.dumps(comparison.cells[key])}"
        for key in sorted(comparison.cells)
    )
    text = f'{common[:-2]},\n "cells": {{\n{cells}\n}}\n}}\n'
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda file: file.write(text.encode()))
