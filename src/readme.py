"""Write the README's tables from the files of results: ``bash run.sh readme``.

Each table stands between two markers; ``--check`` writes nothing and fails where one differs.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench import page, serve, train
from errors import DataError, DigitsError
from evaluation import quality
from model.card import ModelCard
from model.checkpoint import write_atomically
from model.config import MODELS_DIR, REPOSITORY
from model.registry import NETWORKS

README = REPOSITORY / "README.md"


def first_screen(results: list[ModelCard]) -> str:
    """Return what each training command reached and how long it took, from the quality's runs."""
    lines = ["| command | reached, of MNIST's test set | took | on |", "| --- | --- | --- | --- |"]
    for result in results:
        if result["name"] in NETWORKS:
            accuracy, seconds = np.mean(result["test_accuracy"]), np.mean(result["seconds"])
            lines.append(
                f"| `bash run.sh {result['name']}` | {accuracy:.2%} | {seconds / 60:.1f} minutes | "
                f"{result['device']} |"
            )
    return "\n".join(lines)


def _table(file: str, make: Callable[..., str]) -> Callable[[Path], str]:
    """A block made from one file of results by the table of the benchmark that wrote it."""

    def block(models: Path) -> str:
        try:
            return make(json.loads((models / file).read_text()))
        except FileNotFoundError:
            command = file.removesuffix(".json").replace("-", " ")
            return f"*Not measured yet: `bash run.sh {command}`.*"

    return block


BLOCKS: dict[str, Callable[[Path], str]] = {
    "first screen": _table("bench-quality.json", first_screen),
    "quality": _table("bench-quality.json", quality.table),
    "bench train": _table("bench-train.json", train.table),
    "bench serve": _table("bench-serve.json", serve.table),
    "bench page": _table("bench-page.json", page.table),
}


def fill(text: str, models: Path = MODELS_DIR) -> str:
    """Return the README's text with every block made anew.

    Raises:
        DataError: a file of results or a marker is missing.
    """
    for name, make in BLOCKS.items():
        begin = f"<!-- {name}, written by: bash run.sh readme -->\n"
        end = f"<!-- end of {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise DataError(f"README.md needs these two lines once each:\n{begin}{end}")
        before, after = text.split(begin)[0], text.split(end)[1]
        text = f"{before}{begin}\n{make(models)}\n\n{end}{after}"
    return text


def main() -> int:
    """Write the tables, or check them."""
    parser = argparse.ArgumentParser(prog="run.sh readme", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    options = parser.parse_args()
    text = README.read_text()
    try:
        filled = fill(text)
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.check:
        return int(filled != text)
    write_atomically(README, lambda file: file.write(filled.encode()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
