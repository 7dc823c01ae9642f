"""Files of results: JSON for programs, a Markdown page beside it for people."""

import ast
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pandas as pd
import torch

from model.checkpoint import write_atomically, write_json
from model.config import REPOSITORY
from model.data.mnist import Mnist

CODE = REPOSITORY / "src" / "model"


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


def fingerprint(mnist: Mnist, **settings: object) -> str:
    """Return a hash of what decides the result of a training run.

    That is the settings, every image and label of the split data, the code of ``src/model``
    (comments and layout do not count) and torch's version.
    """
    parts = {**settings, "data": _data(mnist), "code": _code(), "torch": torch.__version__}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _data(mnist: Mnist) -> str:
    content = hashlib.sha256()
    for digits in (mnist.training, mnist.validation, mnist.test):
        content.update(digits.images.numpy().tobytes() + digits.labels.numpy().tobytes())
    return content.hexdigest()


@cache
def _code() -> str:
    content = hashlib.sha256()
    for path in sorted(CODE.rglob("*")):
        if path.suffix in (".py", ".txt"):
            text = path.read_text(encoding="utf-8")
            content.update((text if path.suffix == ".txt" else ast.dump(ast.parse(text))).encode())
    return content.hexdigest()
