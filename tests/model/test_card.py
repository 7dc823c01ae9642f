"""Model files: their names, odd files, and writing that may be interrupted."""

import os
from pathlib import Path

import pytest

from errors import ModelFileError
from model.card import (
    MAX_MODEL_BYTES,
    find_model,
    find_models,
    model_path,
    read_file,
    training_command,
    write_atomically,
)


def test_the_file_of_the_cnn_carries_no_name_and_the_highest_version_is_found(tmp_path):
    for name, version in (("cnn", "0.0.9"), ("cnn", "0.0.10"), ("cnn-permuted", "0.0.1")):
        model_path(name, version, tmp_path).touch()
    for other in ("mnist-notes.onnx", "mnist-0.0.11.previous.onnx", "mnist-1.0.0.pt"):
        (tmp_path / other).touch()
    assert {name: path.name for name, path in find_models(tmp_path).items()} == {
        "cnn": "mnist-0.0.10.onnx",
        "cnn-permuted": "mnist-cnn-permuted-0.0.1.onnx",
    }


def test_a_model_is_found_by_its_name_or_by_either_of_its_files():
    assert find_model("cnn").name == "mnist-0.0.1.onnx"
    assert find_model("elsewhere/mine.pt") == Path("elsewhere/mine.onnx")
    with pytest.raises(ModelFileError, match=r"there: cnn, .*bash run\.sh nosuch$"):
        find_model("nosuch")


def test_a_permuted_model_is_trained_with_its_option():
    assert training_command("mlp") == "bash run.sh mlp"
    assert training_command("mlp-permuted") == "bash run.sh mlp --permute 0"


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda path: None, "no such file"),
        (Path.mkdir, "no regular file"),
        (os.mkfifo, "no regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "no regular file"),
        (lambda path: (path.touch(), os.truncate(path, MAX_MODEL_BYTES + 1)), "100 MB"),
    ],
)
def test_only_a_regular_file_of_moderate_size_is_read(tmp_path, make, fault):
    make(tmp_path / "file")
    with pytest.raises(ModelFileError, match=fault):
        read_file(tmp_path / "file")


def test_files_are_replaced_when_all_are_complete_or_not_at_all(tmp_path):
    file = tmp_path / "file"
    file.write_text("old")
    with pytest.raises(OSError, match="name too long"):
        write_atomically({file: b"new", tmp_path / ("x" * 255): b"new"})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert file.read_text() == "old"


def test_what_a_killed_process_left_is_removed_by_the_next_write(tmp_path):
    (tmp_path / ".file.1").touch()
    write_atomically({tmp_path / "file": b"new"})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"new"
