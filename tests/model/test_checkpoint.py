"""Saving and loading: weights and card belong together or are refused."""

import hashlib
import signal
from pathlib import Path

import pytest
import torch
from tests.support.networks import change_card, save, small_cnn

from errors import ModelFileError
from model import checkpoint
from model.checkpoint import (
    checkpoint_path,
    find_checkpoints,
    find_model,
    load_checkpoint,
    replace_model,
    write_atomically,
)


def test_what_is_saved_is_loaded(saved):
    loaded = load_checkpoint(saved)
    images = torch.rand(3, 1, 28, 28)
    assert torch.equal(loaded.network(images), small_cnn().eval()(images))
    assert not loaded.network.training
    assert loaded.permutation is None


def test_the_weights_are_a_plain_state_dict_that_loads_in_three_lines(saved):
    network = small_cnn(seed=1)
    network.load_state_dict(torch.load(saved, weights_only=True))
    assert all(map(torch.equal, network.parameters(), small_cnn().parameters()))


def test_the_permutation_is_kept_with_the_model(tmp_path):
    permutation = torch.randperm(784, generator=torch.Generator().manual_seed(0))
    path = save(small_cnn(), tmp_path, permutation)
    assert torch.equal(load_checkpoint(path).permutation, permutation)


def truncate(path):
    """Cut the weights off, and let the card agree with what is left."""
    path.write_bytes(path.read_bytes()[:500])
    change_card(path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def put_a_folder_in_place_of(path):
    """What not even root can read as a file."""
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (Path.unlink, r"bash run\.sh cnn"),
        (put_a_folder_in_place_of, r"mnist-0\.0\.1\.pt cannot be read .*let this user read"),
        (lambda path: path.with_suffix(".json").unlink(), "no model card"),
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), r"mnist-0\.0\.1\.pt .*sha256"),
        (truncate, "damaged"),
        (lambda path: path.with_suffix(".json").write_text(""), "card .* cannot be read"),
        (lambda path: path.with_suffix(".json").write_text("{"), "card .* cannot be read"),
        (lambda path: path.with_suffix(".json").write_text("[]"), "card .* is no JSON object"),
    ],
)
def test_files_that_are_missing_damaged_or_of_another_model_are_refused(saved, damage, message):
    damage(saved)
    with pytest.raises(ModelFileError, match=message):
        load_checkpoint(saved)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("architecture", {"network": "cnn", "settings": {"channels": [4, 4]}}, "do not fit"),
        ("architecture", {"network": "nosuch", "settings": {}}, "lacks"),
        ("architecture", {"network": "cnn", "settings": {"colour": 1}}, "lacks"),
        ("permutation", {"indices": [0, 0]}, "permutation"),
        ("permutation", {}, "lacks"),
    ],
)
def test_a_card_that_does_not_fit_the_weights_is_refused(saved, key, value, message):
    change_card(saved, **{key: value})
    with pytest.raises(ModelFileError, match=message):
        load_checkpoint(saved)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("cnn", "bash run.sh cnn"),
        ("mlp-permuted", "bash run.sh mlp --permute 0"),
        ("cnn-permuted", "bash run.sh cnn --permute 0"),
    ],
)
def test_what_is_said_to_train_a_model_trains_that_very_model(saved, monkeypatch, name, command):
    monkeypatch.setattr(checkpoint, "MODELS_DIR", saved.parent / "empty")
    with pytest.raises(ModelFileError, match=f"train it with: {command}$"):
        find_model(name)
    change_card(saved, name=name, sha256="")
    with pytest.raises(ModelFileError, match=f"train it again with: {command}$"):
        load_checkpoint(saved)


def test_the_plain_file_is_the_cnns_and_the_highest_version_is_found(tmp_path):
    for name, version in (("cnn", "0.0.9"), ("cnn", "0.0.10"), ("cnn-permuted", "0.0.1")):
        checkpoint_path(name, version, tmp_path).touch()
    (tmp_path / "mnist-notes.pt").touch()
    found = find_checkpoints(tmp_path)
    assert {name: path.name for name, path in found.items()} == {
        "cnn": "mnist-0.0.10.pt",
        "cnn-permuted": "mnist-cnn-permuted-0.0.1.pt",
    }


def test_an_interrupted_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def interrupted(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, interrupted)
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "old"


def write_pair(content):
    def write(folder):
        (folder / "mnist-0.0.1.pt").write_text(content)
        (folder / "mnist-0.0.1.json").write_text(content)

    return write


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def test_every_replaced_model_is_moved_to_a_folder_of_its_own(tmp_path):
    path = tmp_path / "mnist-0.0.1.pt"
    (tmp_path / "mnist-0.0.12.pt").write_text("another version")
    assert replace_model(path, write_pair("first")) is None
    places = [replace_model(path, write_pair(text)) for text in ("second", "third")]
    assert path.read_text() == path.with_suffix(".json").read_text() == "third"
    assert [set(contents(place).values()) for place in places] == [{"first"}, {"second"}]
    assert {place.parent for place in places} == {tmp_path / "previous"}
    assert (tmp_path / "mnist-0.0.12.pt").read_text() == "another version"


def test_a_model_that_is_not_written_to_the_end_replaces_nothing(tmp_path):
    path = tmp_path / "mnist-0.0.1.pt"
    replace_model(path, write_pair("old"))

    def fail(folder):
        write_pair("new")(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace_model(path, fail)
    assert set(contents(tmp_path).values()) == {"old"}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["mnist-0.0.1.json", path.name]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_the_files_move_waits_until_all_have_moved(
    tmp_path, monkeypatch, number
):
    path = tmp_path / "mnist-0.0.1.pt"
    replace_model(path, write_pair("old"))
    replace, before = Path.replace, signal.signal(number, signal.default_int_handler)

    def interrupted(self, target):
        signal.raise_signal(number)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            replace_model(path, write_pair("new"))
    finally:
        signal.signal(number, before)
    assert contents(tmp_path) == {path.name: "new", "mnist-0.0.1.json": "new"}
