"""Types of command-line arguments: a wrong one is reported before any work begins."""

import os
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path


def at_least(least: int) -> Callable[[str], int]:
    def integer(text: str) -> int:
        if int(text) < least:
            raise ArgumentTypeError(f"give {least} or more")
        return int(text)

    return integer


def output_folder(text: str) -> Path:
    """Return a folder that can be written into; make it if it is not there."""
    try:
        Path(text).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentTypeError(f"{text}: {error.strerror}") from error
    if not os.access(text, os.W_OK):
        raise ArgumentTypeError(f"{text} cannot be written into")
    return Path(text)


def output_file(text: str) -> Path:
    if Path(text).is_dir():
        raise ArgumentTypeError(f"{text} is a folder: name a file in it")
    return output_folder(str(Path(text).parent)) / Path(text).name
