"""The results: one table in `comparison.json`, and the verdicts on the claims."""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from errors import DataError
from model.checkpoint import write_atomically
from study.permutations import ORDERS, PERMUTED, UNPERMUTED
from study.pictures import CORRUPTED, MNIST, TestSet
from study.runs import AUGMENTATIONS, SMALL_MLP, Run
from study.store import Finished

FILE_NAME = "comparison.json"
# Tables and figures have them in this order
CATEGORIES = {
    "network": ("mlp", SMALL_MLP, "cnn", "deep"),
    "pixels": ORDERS,
    "augmentation": AUGMENTATIONS,
}


@dataclass(frozen=True)
class Comparison:
    """What `comparison.json` holds.

    Attributes:
        about: data, hardware, and the number of images in each test set.
        table: a row per network and test set: the fields of `Run`; `key`, the hash of all that
            decides the training; `parameters`, `seconds` of training; `on`, `preprocessing` and
            `severity` of `TestSet`; `examples` of the person's hand; `accuracy` (0-1).
        claims: a row per question and test set, as `study.claims.judge` returns them.
    """

    about: dict[str, Any]
    table: pd.DataFrame
    claims: pd.DataFrame

    @property
    def usual(self) -> pd.DataFrame:
        """The rows with the usual epochs of networks that the study trained, none corrupted."""
        table = self.table[self.table["network"] != "deep"]
        table = table[table["preprocessing"] != CORRUPTED]
        run = ["network", "pixels", "augmentation", "images"]
        usual = table.groupby(run, observed=True)["epochs"].transform("min")
        return table[table["epochs"] == usual]

    @property
    def factorial(self) -> pd.DataFrame:
        """The rows of all images, of pixels in order and of permuted ones."""
        rows = self.usual[self.usual["pixels"].isin([UNPERMUTED, PERMUTED])]
        return rows[rows["images"] == rows["images"].max()]

    def sweep(self, column: str) -> pd.DataFrame:
        """Return the rows of the sweep over "pixels" or "images"; none where it was not made."""
        rows = self.usual[self.usual["network"].isin(["mlp", "cnn"])]
        rows = rows[(rows["on"] == MNIST) & (rows["augmentation"] == "none")]
        if column == "pixels":
            rows = rows[rows["images"] == rows["images"].max()]
        else:
            rows = rows[rows["pixels"] == UNPERMUTED]
        made = rows[column].nunique() > (2 if column == "pixels" else 1)
        return rows if made else rows.head(0)


def rows_of(run: Run, key: str, finished: Finished, sets: list[TestSet]) -> list[dict[str, Any]]:
    """Return the table's rows of a finished run, one per test set."""
    parameters = sum(parameter.numel() for parameter in run.build().parameters())
    common = {**asdict(run), "key": key, "parameters": parameters, "seconds": finished["seconds"]}
    rows = []
    for one in sets:
        correct = finished["predictions"][one.key] == one.digits.labels
        measured = {"on": one.on, "preprocessing": one.preprocessing, "severity": one.severity}
        accuracy = correct.double().mean().item()
        rows.append({**common, **measured, "examples": "", "accuracy": accuracy})
    return rows


def merge(before: Comparison, new: Comparison, current: Collection[str]) -> Comparison:
    """Return the new results, and those from before that they do not replace.

    Args:
        before: what other commands, or this one with other test sets, have found.
        new: what counts where both have the same.
        current: keys of all runs; a network that was trained in another way counts no longer.
    """
    old, deep = before.table, "deep" in new.table["network"].to_list()
    old = old[old["key"].isin(list(current)) | ((old["network"] == "deep") & (not deep))]
    measured = ["key", "on", "preprocessing", "severity", "examples"]
    table = pd.concat([old, new.table]).drop_duplicates(measured, keep="last")
    claims = before.claims if new.claims.empty else new.claims
    about = {**new.about, "sets": {**before.about["sets"], **new.about["sets"]}}
    return Comparison(about, table, claims)


def read_comparison(path: Path) -> Comparison:
    """Read `comparison.json`.

    Raises:
        DataError: it is not there, or has the shape of an earlier version.
    """
    content = json.loads(path.read_text()) if path.is_file() else {}
    if "results" not in content:
        raise DataError(f"There is no table of results in {path}; make it: bash run.sh compare")
    table, claims = pd.DataFrame(content["results"]), pd.DataFrame(content["claims"])
    categories = {name: pd.Categorical(table[name], order) for name, order in CATEGORIES.items()}
    return Comparison(content["about"], table.assign(**categories), claims)


def write_comparison(comparison: Comparison, path: Path) -> None:
    """Write `comparison.json` atomically, a row per line."""
    results, claims = (
        rows.to_json(orient="records", lines=True, double_precision=15).strip().replace("\n", ",\n")
        for rows in (comparison.table, comparison.claims)
    )
    about = json.dumps(comparison.about, indent=1)
    text = f'{{"about": {about},\n"results": [\n{results}\n],\n"claims": [\n{claims}\n]}}\n'
    write_atomically(path, lambda file: file.write(text.encode()))
