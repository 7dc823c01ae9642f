"""What several tests of the model share: its files, MNIST, and a stand-in for MNIST's files."""

import gzip
import hashlib
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from tests.support.networks import save_small_cnn
from torchvision.datasets import MNIST

from model.card import find_model
from model.classifier import Classifier
from model.data import mnist
from model.data.mnist import Mnist


def idx(array: np.ndarray) -> bytes:
    """Return the array in the IDX format: header of big-endian sizes, then the bytes."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def tiny_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with four .gz files that pass for MNIST's; the network is out of reach.

    They hold 100 training pictures, of which 20 are for validation, and 30 test pictures; the
    labels go 0, 1, ... 9, 0, 1, ..., every pixel of picture i is i.
    """
    folder = tmp_path / "mirror"
    folder.mkdir()
    for name in mnist.FILES:
        numbers = np.arange(30 if name.startswith("t10k") else 100)
        images = np.broadcast_to(numbers[:, None, None], (len(numbers), 28, 28))
        unpacked = idx(images if "images" in name else numbers % 10)
        packed = gzip.compress(unpacked)
        (folder / f"{name}.gz").write_bytes(packed)
        monkeypatch.setitem(mnist.MD5, f"{name}.gz", hashlib.md5(packed).hexdigest())
        monkeypatch.setitem(mnist.MD5, name, hashlib.md5(unpacked).hexdigest())
    monkeypatch.setattr(mnist, "DATA_DIR", tmp_path / "data")
    monkeypatch.setattr(mnist, "VALIDATION_SIZE", 20)
    monkeypatch.setattr(MNIST, "mirrors", [])
    monkeypatch.delenv("MNIST_MIRROR", raising=False)
    return folder


@pytest.fixture(scope="session")
def saved_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small_cnn(tmp_path_factory.mktemp("saved"))


@pytest.fixture
def saved(saved_once: Path, tmp_path: Path) -> Path:
    """The ``.onnx`` file of a small CNN, with its ``.pt`` file beside it."""
    shutil.copytree(saved_once.parent, tmp_path / "saved")
    return tmp_path / "saved" / saved_once.name


@pytest.fixture(scope="session")
def cnn() -> Classifier:
    """The shipped CNN."""
    return Classifier.load(find_model("cnn"))


@pytest.fixture(scope="session")
def real_mnist(mnist_dir: Path) -> Mnist:
    """MNIST itself; skipped where it cannot be had."""
    return mnist.load_mnist(str(mnist_dir))
