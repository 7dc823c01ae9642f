"""Saving and loading: weights and card belong together or are refused."""

import hashlib
import json
import signal
from pathlib import Path

import pytest
import torch

from errors import ModelFileError
from model.checkpoint import (
    checkpoint_path,
    find_checkpoints,
    load_checkpoint,
    replace_model,
    save_checkpoint,
    write_atomically,
)
from model.convnet import ConvNet

PERMUTATION = torch.randperm(784, generator=torch.Generator().manual_seed(0))


def card_of(network, **more):
    return {
        "name": "cnn",
        "version": "0.0.1",
        "architecture": {"network": "cnn", "settings": network.config},
        "permutation": None,
        **more,
    }


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    network = ConvNet(channels=(2, 3), kernel=3)
    path = checkpoint_path("cnn", "0.0.1", tmp_path)
    save_checkpoint(network, card_of(network), path)
    return network, path


def change_card(path, **entries):
    file = path.with_suffix(".json")
    file.write_text(json.dumps(json.loads(file.read_text()) | entries))


def test_what_is_saved_is_loaded(saved):
    network, path = saved
    loaded = load_checkpoint(path)
    images = torch.rand(3, 1, 28, 28)
    assert torch.equal(loaded.network(images), network.eval()(images))
    assert not loaded.network.training
    assert loaded.permutation is None


def test_the_weights_are_a_plain_state_dict_that_loads_in_three_lines(saved):
    network, path = saved
    other = ConvNet(channels=(2, 3), kernel=3)
    other.load_state_dict(torch.load(path, weights_only=True))
    assert all(map(torch.equal, other.parameters(), network.parameters()))


def test_the_permutation_is_kept_with_the_model(saved):
    network, path = saved
    entry = {"seed": 0, "indices": PERMUTATION.tolist()}
    save_checkpoint(network, card_of(network, permutation=entry), path)
    assert torch.equal(load_checkpoint(path).permutation, PERMUTATION)


def test_weights_that_are_not_the_cards_are_refused(saved):
    _, path = saved
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ModelFileError, match=r"mnist-0\.0\.1\.pt .*sha256"):
        load_checkpoint(path)


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
    _, path = saved
    change_card(path, **{key: value})
    with pytest.raises(ModelFileError, match=message):
        load_checkpoint(path)


def test_truncated_weights_with_a_card_that_agrees_are_refused(saved):
    _, path = saved
    path.write_bytes(path.read_bytes()[:500])
    change_card(path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(ModelFileError, match="damaged"):
        load_checkpoint(path)


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_card_that_is_no_json_object_is_refused(saved, text):
    _, path = saved
    path.with_suffix(".json").write_text(text)
    with pytest.raises(ModelFileError, match="card"):
        load_checkpoint(path)


def test_missing_weights_and_a_missing_card_are_named(saved, tmp_path):
    _, path = saved
    with pytest.raises(ModelFileError, match=r"bash run\.sh cnn"):
        load_checkpoint(tmp_path / "mnist-9.9.9.pt")
    path.with_suffix(".json").unlink()
    with pytest.raises(ModelFileError, match="no model card"):
        load_checkpoint(path)


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
