"""Model files: how they are found, and writing that may be interrupted."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from errors import ModelFileError
from model.card import (
    find_line_model,
    find_model,
    find_models,
    model_path,
    read_file,
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


def test_the_network_for_lines_is_found_apart_from_the_classifiers(tmp_path):
    with pytest.raises(ModelFileError, match=r"no model 'line' .*: bash run.sh line$"):
        find_line_model(tmp_path)
    for version in ("0.0.9", "0.0.10"):
        model_path("line", version, tmp_path).touch()
    assert find_line_model(tmp_path).name == "mnist-line-0.0.10.onnx"
    assert find_models(tmp_path) == {}


def test_a_model_is_found_by_its_name_or_by_either_of_its_files():
    assert find_model("cnn").name == "mnist-0.0.1.onnx"
    assert find_model("elsewhere/mine.pt") == Path("elsewhere/mine.onnx")
    with pytest.raises(ModelFileError, match=r"there: cnn, cnn-permuted, .*"):
        find_model("nosuch")


def test_files_are_replaced_when_all_are_complete_or_not_at_all(tmp_path):
    file = tmp_path / "file"
    file.write_text("old")
    with pytest.raises(OSError, match="name too long"):
        write_atomically({file: b"new", tmp_path / ("x" * 255): b"new"})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert file.read_text() == "old"


def test_a_killed_write_leaves_the_old_file_and_the_next_write_nothing_else(tmp_path):
    file = tmp_path / "file"
    file.write_text("old")
    code = (
        "import os, sys; from pathlib import Path; from model.card import write_atomically\n"
        "Path.replace = lambda *_: os.kill(os.getpid(), 9)\n"
        "write_atomically({Path(sys.argv[1]): b'new'})"
    )
    killed = subprocess.run([sys.executable, "-c", code, file], env={"PYTHONPATH": "src"})
    assert killed.returncode == -signal.SIGKILL
    assert (file.read_text(), len(list(tmp_path.iterdir()))) == ("old", 2)
    write_atomically({file: b"new"})
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_models_that_this_user_may_not_read_are_not_called_missing(tmp_path):
    shutil.copy(find_model("cnn"), tmp_path)
    tmp_path.chmod(0)
    user = os.geteuid()
    if user == 0:  # who may read everything
        os.seteuid(65534)
    try:
        for look in (find_models, lambda folder: read_file(folder / "mnist-0.0.1.onnx")):
            with pytest.raises(ModelFileError, match=r"may not read .* chmod -R"):
                look(tmp_path)
    finally:
        os.seteuid(user)
        tmp_path.chmod(0o700)
