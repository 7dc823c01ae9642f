import gzip
import shutil
from pathlib import Path

import pytest
import torch
from torchvision.datasets import MNIST

from errors import DataError
from model.data import mnist as mnist_module
from model.data.mnist import Digits, Mnist, load_mnist

TEST_IMAGES = "t10k-images-idx3-ubyte"


def unpack(folder: Path) -> None:
    for packed in folder.glob("*.gz"):
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def parts(mnist: Mnist) -> tuple[Digits, Digits, Digits]:
    return mnist.training, mnist.validation, mnist.test


def sizes(mnist: Mnist) -> list[int]:
    return [len(part) for part in parts(mnist)]


def test_mnist_is_split_by_digits_the_same_each_time_and_every_picture_keeps_its_label(tiny_mnist):
    mnist = load_mnist(str(tiny_mnist))

    assert sizes(mnist) == [80, 20, 30]
    assert mnist.complete
    for part in parts(mnist):
        assert part.images.shape == (len(part), 28, 28)
        assert part.images.dtype == torch.uint8
        assert part.labels.dtype == torch.int64
        # every pixel of the i-th picture of the file is i, and its label is i % 10
        assert torch.equal(part.images[:, 3, 5] % 10, part.labels)
    numbers = torch.cat([mnist.training.images, mnist.validation.images])[:, 0, 0]
    assert sorted(numbers.tolist()) == list(range(100))
    assert mnist.validation.labels.bincount().tolist() == [2] * 10
    again = load_mnist(str(tiny_mnist))
    assert torch.equal(mnist.validation.images, again.validation.images)


def test_unpacked_files_are_read_too(tiny_mnist):
    packed = load_mnist(str(tiny_mnist))
    unpack(tiny_mnist)
    unpacked = load_mnist(str(tiny_mnist))

    assert torch.equal(packed.training.images, unpacked.training.images)
    assert set(packed.checksums) == {f"{name}.gz" for name in unpacked.checksums}


@pytest.fixture
def mirror(tiny_mnist, monkeypatch) -> Path:
    monkeypatch.setenv("MNIST_MIRROR", str(tiny_mnist))
    return tiny_mnist


def test_what_a_mirror_gave_is_found_in_data_raw_the_next_time(mirror, tmp_path, capsys):
    assert load_mnist("mnist").complete
    shutil.rmtree(mirror)
    capsys.readouterr()

    assert load_mnist("auto").complete
    assert str(tmp_path / "data" / "raw") in capsys.readouterr().out


def test_a_folder_of_the_repository_is_named_without_where_that_lies(
    tiny_mnist, capsys, monkeypatch
):
    monkeypatch.setattr(mnist_module, "REPOSITORY", tiny_mnist.parent)
    load_mnist(str(tiny_mnist))
    assert capsys.readouterr().out.endswith(f" from {tiny_mnist.name}\n")


@pytest.mark.parametrize("packed", [True, False])
def test_a_damaged_file_in_data_raw_is_named_and_the_next_run_repairs_it(mirror, tmp_path, packed):
    raw = tmp_path / "data" / "raw"
    load_mnist("auto")
    if not packed:
        unpack(raw)
    damaged = raw / (f"{TEST_IMAGES}.gz" if packed else TEST_IMAGES)
    shorten(damaged)

    with pytest.raises(DataError, match=f"{damaged} is damaged"):
        load_mnist("auto")
    assert load_mnist("auto").complete


def test_a_damaged_file_in_a_users_folder_is_named_and_left_alone(tiny_mnist):
    damaged = tiny_mnist / f"{TEST_IMAGES}.gz"
    shorten(damaged)
    before = damaged.read_bytes()

    with pytest.raises(DataError, match=f"{damaged} is damaged"):
        load_mnist(str(tiny_mnist))
    assert damaged.read_bytes() == before


def test_a_users_folder_that_lacks_a_file_or_does_not_exist_is_refused(tiny_mnist, tmp_path):
    (tiny_mnist / f"{TEST_IMAGES}.gz").unlink()
    with pytest.raises(DataError, match=f"lacks {TEST_IMAGES}"):
        load_mnist(str(tiny_mnist))
    with pytest.raises(DataError, match="no directory"):
        load_mnist(str(tmp_path / "nowhere"))


def test_auto_falls_back_to_the_5000_digits_with_a_warning(tiny_mnist, capsys):
    mnist = load_mnist("auto")

    assert "WARNING" in capsys.readouterr().out
    assert sizes(mnist) == [4000, 500, 500]
    assert not mnist.complete
    assert "5,000" in mnist.source


def test_mnist_never_falls_back(mirror):
    shutil.rmtree(mirror)
    with pytest.raises(DataError, match="MNIST cannot be had"):
        load_mnist("mnist")


def test_the_sample_is_stratified_and_its_parts_share_no_picture():
    sample = load_mnist("sample")

    for part in parts(sample):
        assert part.labels.bincount().tolist() == [len(part) // 10] * 10
    images = torch.cat([part.images for part in parts(sample)]).flatten(1)
    assert len(images.unique(dim=0)) == 5000


def test_the_real_mnist_reads_as_torchvision_reads_it(mnist_dir, real_mnist, tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for packed in mnist_dir.glob("*.gz"):
        (raw / packed.name).symlink_to(packed)
    theirs = MNIST(str(tmp_path), train=False, download=True)

    assert torch.equal(real_mnist.test.images, theirs.data)
    assert torch.equal(real_mnist.test.labels, theirs.targets)
    assert sizes(real_mnist) == [55_000, 5_000, 10_000]


def test_the_sample_is_taken_from_mnists_training_pictures(real_mnist):
    def labelled(*digits: Digits) -> set[tuple[bytes, int]]:
        return {
            (image.numpy().tobytes(), int(label))
            for part in digits
            for image, label in zip(part.images, part.labels, strict=True)
        }

    known = labelled(real_mnist.training, real_mnist.validation)
    assert labelled(*parts(load_mnist("sample"))) <= known
