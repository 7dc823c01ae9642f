"""The four files of MNIST: their checksums, and where they can be fetched."""

import hashlib
import os
import shutil
import threading
from pathlib import Path
from typing import BinaryIO

from errors import DataError

# The original files by what they hold: name, md5 of NAME.gz, md5 of NAME unpacked.
FILES = {
    "training images": (
        "train-images-idx3-ubyte",
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "6bbc9ace898e44ae57da46a324031adb",
    ),
    "training labels": (
        "train-labels-idx1-ubyte",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "a25bea736e30d166cdddb491f175f624",
    ),
    "test images": (
        "t10k-images-idx3-ubyte",
        "9fb629c4189551a2d022fa330f9573f3",
        "2646ac647ad5339dbf082846283269ea",
    ),
    "test labels": (
        "t10k-labels-idx1-ubyte",
        "ec29112dd5afa0611ce80d1b7f02629c",
        "27ae3e4e09519cfbb04c329615203637",
    ),
}
MIRRORS = (  # torchvision's; naming them here spares 3 s of importing torchvision
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
PROBE_SECONDS = 3.0  # a mirror that has not begun to answer by then is passed over
STALL_SECONDS = 15.0  # a download that brings nothing for so long is given up


def missing_files(directory: Path) -> list[str]:
    """Return the names, without .gz, of which `directory` has neither form."""
    names = [name for name, _, _ in FILES.values()]
    return [
        name
        for name in names
        if not (directory / name).is_file() and not (directory / f"{name}.gz").is_file()
    ]


def md5_of(data: bytes) -> str:
    """Return the md5 of `data` as 32 hexadecimal digits."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def say(text: str) -> None:
    """Print a line at once, so that it stands before the progress bar it announces."""
    print(text, flush=True)


def fetch_missing(raw: Path, own_mirror: str | None) -> list[str]:
    """Bring what `raw` lacks from the first mirror that can give it; return what failed.

    Raises:
        DataError: the user's own mirror has a damaged file. Of the public ones, for which a
            hotel's log-in page may answer, the next is tried.
    """
    problems = []
    for mirror in (own_mirror, *MIRRORS):
        missing = missing_files(raw)
        if not mirror or not missing:
            continue
        say(f"Looking for MNIST at {mirror}")
        try:
            if _is_url(mirror):
                _probe(f"{mirror.rstrip('/')}/{missing[0]}.gz")
            for name in missing:
                _fetch_file(f"{name}.gz", mirror, raw)
        except (OSError, DataError) as error:  # requests' exceptions are OSErrors
            if mirror == own_mirror and isinstance(error, DataError):
                raise
            problems.append(f"{mirror} failed ({error})")
            say(problems[-1])
    return problems


def _is_url(mirror: str) -> bool:
    return mirror.startswith(("http://", "https://"))


def _fetch_file(file_name: str, mirror: str, raw: Path) -> None:
    """Write a checked `file_name` into `raw`, atomically.

    Raises:
        OSError: it cannot be read from the mirror.
        DataError: what came is not MNIST's file.
    """
    raw.mkdir(parents=True, exist_ok=True)
    part = raw / f"{file_name}.{os.getpid()}.part"
    try:
        with part.open("wb") as file:
            if _is_url(mirror):
                _download(f"{mirror.rstrip('/')}/{file_name}", file)
            else:
                with (Path(mirror) / file_name).open("rb") as original:
                    shutil.copyfileobj(original, file)
        packed_md5 = {f"{name}.gz": md5 for name, md5, _ in FILES.values()}[file_name]
        if md5_of(part.read_bytes()) != packed_md5:
            raise DataError(
                f"{mirror.rstrip('/')}/{file_name} is damaged (its md5 is not MNIST's). "
                "Replace the file, or unset MNIST_MIRROR."
            )
        part.replace(raw / file_name)
    finally:
        part.unlink(missing_ok=True)


def _download(url: str, file: BinaryIO) -> None:
    import requests
    from tqdm import tqdm

    with requests.get(
        url,
        stream=True,
        timeout=(PROBE_SECONDS, STALL_SECONDS),
        headers={"Accept-Encoding": "identity"},
    ) as response:
        response.raise_for_status()
        size = int(response.headers.get("Content-Length", 0))
        say(f"Downloading {url} ({size / 1e6:.1f} MB)")
        # disable=None: a bar on a terminal, nothing where the output is a file
        with tqdm(total=size or None, unit="B", unit_scale=True, disable=None) as bar:
            for block in response.iter_content(1 << 16):
                file.write(block)
                bar.update(len(block))


def _probe(url: str) -> None:
    """Return if `url` begins to answer within PROBE_SECONDS, name look-up and redirects included.

    Raises:
        OSError: it does not. A time-out of the socket would not cover the name look-up, hence
            the thread.
    """
    import requests

    outcome: list[OSError | None] = []

    def ask() -> None:
        try:
            # not HEAD, which some servers refuse
            with requests.get(url, stream=True, timeout=PROBE_SECONDS) as response:
                response.raise_for_status()
            outcome.append(None)
        except requests.ConnectionError:
            outcome.append(ConnectionError("it cannot be reached"))
        except requests.Timeout:
            outcome.append(TimeoutError(f"no answer within {PROBE_SECONDS:g} s"))
        except OSError as error:
            outcome.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS + 0.5)
    if not outcome:
        raise TimeoutError(f"no answer within {PROBE_SECONDS:g} s")
    if outcome[0] is not None:
        raise outcome[0]
