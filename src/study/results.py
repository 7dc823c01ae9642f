"""The results: one table in `comparison.json`, and the verdicts on the claims."""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from errors import DataError
from model.checkpoint import write_atomically
from study.permutations import ORDERS
from study.pictures import TestSet
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
        table: a row per network and test set: `part` of the study; the fields of `Run`; `key`, the
            hash of all that decides the training; `parameters`, `seconds` of training; `on`,
            `preprocessing`, `severity` of `TestSet`; `examples` of the person's hand; `accuracy`
            (0-1).
        claims: a row per question and test set, as `study.claims.judge` returns them.
    """

    about: dict[str, Any]
    table: pd.DataFrame
    claims: pd.DataFrame

    def part(self, name: str) -> pd.DataFrame:
        """Return the rows of a part of the study, none where it was not made."""
        return self.table[self.table["part"] == name]


def rows_of(
    part: str, run: Run, key: str, finished: Finished, sets: list[TestSet]
) -> list[dict[str, Any]]:
    """Return the table's rows of a finished run, one per test set."""
    parameters = sum(parameter.numel() for parameter in run.build().parameters())
    common = {"part": part, **asdict(run), "key": key, "parameters": parameters}
    rows = []
    for one in sets:
        correct = finished["predictions"][one.key] == one.digits.labels
        results = {"examples": "", "accuracy": correct.double().mean().item()}
        rows.append({**common, "seconds": finished["seconds"], **one.columns, **results})
    return rows


def merge(before: Comparison, new: Comparison, current: Collection[str]) -> Comparison:
    """Return the new results, and those of other parts from before.

    Args:
        before: what commands have found before.
        new: what replaces the same parts.
        current: keys of all runs and of the deep network; one that was trained in another way
            counts no longer, nor do the claims that were judged by it.
    """
    old = before.table[~before.table["part"].isin(new.table["part"])]
    is_current = old["key"].isin(list(current))
    if not is_current.all():
        networks = old.loc[~is_current, "key"].nunique()
        print(f"Results of {networks} networks that were trained in another way are dropped.")
    kept = old[is_current]
    keep_claims = new.claims.empty and (kept["part"] == "factorial").any()
    claims = before.claims if keep_claims else new.claims
    about = {**new.about, "sets": {**before.about["sets"], **new.about["sets"]}}
    return Comparison(about, pd.concat([kept, new.table]), claims)


def read_comparison(path: Path) -> Comparison:
    """Read `comparison.json`.

    Raises:
        DataError: it is not there, damaged, or has the shape of an earlier version.
    """
    try:
        content = json.loads(path.read_text()) if path.is_file() else {}
    except ValueError:
        content = {}
    table, claims = (pd.DataFrame(content.get(name, [])) for name in ("results", "claims"))
    if "part" not in table:
        raise DataError(
            f"There is no table of results in {path}: remove what is there, "
            "then make it: bash run.sh compare"
        )
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
