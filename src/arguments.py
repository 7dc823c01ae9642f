"""Types of command-line arguments: what is wrong with one is said before any work begins."""

import tempfile
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path

GREATEST = 2**63 - 1  # as a generator of random numbers takes it


def at_least(least: int) -> Callable[[str], int]:
    """Return a type for argparse, which reports a number below ``least``."""

    def integer(text: str) -> int:
        number = int(text)
        if not least <= number <= GREATEST:
            raise ArgumentTypeError(f"must be at least {least} and at most {GREATEST}")
        return number

    return integer


def output_file(text: str) -> Path:
    """Return the path of a file that can be written: its results may take hours."""
    path = Path(text)
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise ArgumentTypeError(f"cannot write into {path.parent}: {error.strerror}") from error
    if path.is_dir():
        raise ArgumentTypeError(f"{path} is a folder: name a file in it")
    return path


def output_folder(text: str) -> Path:
    """Return a folder that can be written into; it is made where it is not there."""
    path = Path(text)
    try:
        path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except OSError as error:
        raise ArgumentTypeError(f"cannot write into {path}: {error.strerror}") from error
    return path
