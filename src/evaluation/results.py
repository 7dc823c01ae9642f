"""Files of results: JSON for programs, a Markdown page beside it for people."""

import ast
import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import pandas as pd
import torch

from model.checkpoint import write_atomically, write_json
from model.config import REPOSITORY
from model.data.mnist import Mnist

CODE = REPOSITORY / "src" / "model"
# what only reads images or numbers decides no training run
NOT_TRAINING = ("numbers", "preprocessing", "adaptation.py", "examples.py", "reading.py")


def write_results(path: Path, results: object, page: str) -> None:
    """Write results as JSON to ``path``, and the page beside it as ``.md``; print the page."""
    write_json(path, results)
    write_page(path.with_suffix(".md"), page)
    print(page)


def write_page(path: Path, page: str) -> None:
    """Write a Markdown page, atomically."""
    write_atomically(path, lambda file: file.write(page.rstrip().encode() + b"\n"))


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table: the first column to the left, the others to the right."""
    align = ["left", *["right"] * (len(header) - 1)]
    frame = pd.DataFrame(rows, columns=list(header))
    return frame.to_markdown(index=False, disable_numparse=True, colalign=align)


def fingerprint(data: str, *, code: Iterable[Path] | None = None, **settings: object) -> str:
    """Return a hash of what decides the result of a training run.

    Args:
        data: what `data_checksum` gave.
        code: source files that matter (the training code of ``src/model``); comments and layout
            do not.
        settings: all else, torch's version aside.
    """
    checksums = [_code_checksum(path) for path in (code or _model_code())]
    parts = {**settings, "data": data, "code": checksums, "torch": torch.__version__}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def data_checksum(mnist: Mnist) -> str:
    """Return a hash of every image and label of the split data."""
    content = hashlib.sha256()
    for digits in (mnist.training, mnist.validation, mnist.test):
        content.update(digits.images.numpy().tobytes() + digits.labels.numpy().tobytes())
    return content.hexdigest()


def _model_code() -> list[Path]:
    files = (path for path in CODE.rglob("*") if path.suffix in (".py", ".txt"))
    return sorted(f for f in files if f.relative_to(CODE).parts[0] not in NOT_TRAINING)


@cache
def _code_checksum(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    content = ast.dump(ast.parse(text)) if path.suffix == ".py" else text
    return hashlib.sha256(content.encode()).hexdigest()
