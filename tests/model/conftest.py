"""What several tests of the model share: its files, and MNIST."""

import shutil
from pathlib import Path

import pytest
from tests.support.networks import save_small_cnn

from model.card import find_line_model, find_model
from model.classifier import Classifier
from model.config import MODELS_DIR
from model.data.mnist import Mnist, load_mnist
from model.numbers.line import LineNetwork


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
def line_network() -> LineNetwork:
    """The shipped network for lines."""
    return LineNetwork.load(find_line_model(MODELS_DIR))


@pytest.fixture(scope="session")
def real_mnist(mnist_dir: Path) -> Mnist:
    """MNIST itself; skipped where it cannot be had."""
    return load_mnist(str(mnist_dir))
