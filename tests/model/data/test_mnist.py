"""Where MNIST comes from: a folder, a mirror, a download, or at last 5,000 of its digits."""

import gzip
import hashlib
import http.server
import shutil
import socket
import struct
import threading
import time
from contextlib import contextmanager
from functools import partial
from itertools import chain

import numpy as np
import pytest
import torch
from torchvision.datasets import MNIST

from errors import DataError
from model.data import mnist
from model.data.mnist import Digits, load_mnist, make_permutation, standardize

TEST_IMAGES = "t10k-images-idx3-ubyte.gz"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with four .gz files that pass for MNIST's; no server is in reach.

    They hold 100 training images, of which 20 are for validation, and 30 test images; the labels go
    0, 1, ... 9, 0, 1, ..., every pixel of image i is i.
    """
    folder = tmp_path / "mirror"
    folder.mkdir()
    resources = []
    for name in mnist.FILES:
        numbers = np.arange(30 if name.startswith("t10k") else 100, dtype=np.uint8)
        array = numbers % 10
        if "images" in name:
            array = np.broadcast_to(numbers[:, None, None], (len(numbers), 28, 28))
        header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
        packed = gzip.compress(header + array.tobytes())
        (folder / name).write_bytes(packed)
        resources.append((name, hashlib.md5(packed).hexdigest()))
    monkeypatch.setattr(mnist, "VALIDATION_SIZE", 20)
    monkeypatch.setattr(mnist, "STALL_SECONDS", 0.7)
    monkeypatch.setattr(MNIST, "resources", resources)
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])
    monkeypatch.delenv("MNIST_MIRROR", raising=False)
    return folder


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "data"


def splits(data):
    return data.training, data.validation, data.test


def assert_is_whole(data):
    assert [len(split) for split in splits(data)] == [80, 20, 30]
    assert data.complete


# --- Splits ---------------------------------------------------------------------------------------


def test_each_class_is_split_in_proportion_and_every_image_keeps_its_label(folder):
    data = load_mnist(str(folder))
    assert_is_whole(data)
    for split in splits(data):
        assert (split.images.dtype, split.labels.dtype) == (torch.uint8, torch.int64)
        assert split.images.shape == (len(split), 28, 28)
        assert torch.equal(split.images[:, 3, 5] % 10, split.labels)
    numbers = torch.cat([data.training.images, data.validation.images])[:, 0, 0]
    assert sorted(numbers.tolist()) == list(range(100))
    assert data.validation.labels.bincount().tolist() == [2] * 10
    again = load_mnist(str(folder))
    assert torch.equal(data.validation.images, again.validation.images)


def test_the_real_mnist_reads_as_torchvision_reads_it(mnist_dir, tmp_path):
    shutil.copytree(mnist_dir, tmp_path / "MNIST" / "raw")
    theirs = MNIST(str(tmp_path), train=False, download=True)
    ours = load_mnist(str(mnist_dir))
    assert torch.equal(ours.test.images, theirs.data)
    assert torch.equal(ours.test.labels, theirs.targets)
    assert [len(split) for split in splits(ours)] == [55_000, 5_000, 10_000]


def test_the_sample_is_balanced_and_its_splits_are_distinct_training_images(real_mnist):
    def labelled(*parts: Digits):
        pairs = (zip(part.images.numpy(), part.labels.tolist(), strict=True) for part in parts)
        return {(image.tobytes(), label) for image, label in chain(*pairs)}

    sample = load_mnist("sample")
    for split in splits(sample):
        assert split.labels.bincount().tolist() == [len(split) // 10] * 10
    assert len(labelled(*splits(sample))) == 5000
    assert labelled(*splits(sample)) <= labelled(real_mnist.training, real_mnist.validation)
    assert not sample.complete


# --- A folder that the user names -----------------------------------------------------------------


@pytest.fixture(params=["--data", "MNIST_MIRROR"])
def load_folder(request, folder, data_dir, monkeypatch):
    """Loads from the folder, which the user names in one way or the other."""
    if request.param == "--data":
        return lambda: load_mnist(str(folder), data_dir=data_dir)
    monkeypatch.setenv("MNIST_MIRROR", str(folder))
    return lambda: load_mnist(data_dir=data_dir)


def test_a_folder_is_read_in_place(load_folder, folder, data_dir):
    before = sorted(folder.iterdir())
    assert_is_whole(load_folder())
    assert sorted(folder.iterdir()) == before
    assert not data_dir.exists()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda file: shutil.rmtree(file.parent), "There is no folder"),
        (lambda file: file.unlink(), f"{TEST_IMAGES} cannot be read .*No such file"),
        (lambda file: file.write_bytes(file.read_bytes()[:-1]), f"{TEST_IMAGES} cannot be read"),
        (lambda file: file.write_bytes(b"a login page"), f"{TEST_IMAGES} cannot be read"),
    ],
)
def test_a_folder_that_cannot_be_used_is_an_error_with_its_reason(
    load_folder, folder, spoil, reason
):
    spoil(folder / TEST_IMAGES)
    with pytest.raises(DataError, match=reason):
        load_folder()


# --- Download -------------------------------------------------------------------------------------


class Server(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


class BreakingServer(Server):
    """Sends the first half of a file, then closes the connection."""

    def copyfile(self, source, outputfile):
        content = source.read()
        outputfile.write(content[: len(content) // 2])


class SilentServer(Server):
    def send_head(self):
        time.sleep(2 * mnist.STALL_SECONDS)


@contextmanager
def serving(folder, handler=Server):
    handler = partial(handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_what_was_downloaded_is_used_the_next_time(folder, data_dir, monkeypatch):
    with serving(folder) as url:
        monkeypatch.setenv("MNIST_MIRROR", url)
        load_mnist(data_dir=data_dir)
        (data_dir / "raw" / TEST_IMAGES).unlink()
        assert_is_whole(load_mnist(data_dir=data_dir))  # what is missing comes again
    assert_is_whole(load_mnist(data_dir=data_dir))
    assert len(list((data_dir / "raw").iterdir())) == 4


@pytest.mark.parametrize(
    ("handler", "reason"),
    [(BreakingServer, "corrupted"), (SilentServer, "timed out"), (None, "refused")],
)
def test_a_mirror_that_the_user_names_and_that_fails_is_an_error_and_leaves_nothing(
    folder, data_dir, monkeypatch, handler, reason
):
    with serving(folder, handler or Server) as url:
        monkeypatch.setenv("MNIST_MIRROR", url if handler else "http://127.0.0.1:9")
        with pytest.raises(DataError, match=reason):
            load_mnist(data_dir=data_dir)
    assert list((data_dir / "raw").iterdir()) == []
    assert socket.getdefaulttimeout() is None


@pytest.mark.usefixtures("folder")
def test_only_if_nothing_was_named_5000_digits_are_used_and_that_is_said(data_dir, capsys):
    sample = load_mnist(data_dir=data_dir)
    said = capsys.readouterr().out
    assert "WARNING" in said and "5,000" in said and "refused" in said
    assert [len(split) for split in splits(sample)] == [4000, 500, 500]
    with pytest.raises(DataError, match="MNIST cannot be downloaded"):
        load_mnist("mnist", data_dir=data_dir)


# --- Preprocessing --------------------------------------------------------------------------------


def test_the_training_pixels_are_standardized_to_mean_0_and_deviation_1(real_mnist):
    images = torch.cat((real_mnist.training.images, real_mnist.validation.images))
    x = standardize(images[:, None] / 255)
    assert abs(x.mean().item()) < 0.001
    assert abs(x.std().item() - 1) < 0.001


def test_a_permutation_moves_pixels_and_its_seed_decides_it():
    permutation = make_permutation(5)
    assert torch.equal(permutation, torch.randperm(784, generator=torch.manual_seed(5)))
    x = torch.rand(2, 1, 28, 28)
    moved = standardize(x, permutation).flatten(1)
    assert torch.equal(moved, standardize(x).flatten(1)[:, permutation])
