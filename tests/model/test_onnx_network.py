"""The form that is served: it computes what torch computes and belongs to the weights beside it."""

import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from tests.support.networks import change_card, save, small_cnn

from errors import ModelFileError
from model import onnx_network
from model.checkpoint import find_checkpoints, load_checkpoint
from model.config import MODELS_DIR
from model.mlp import MLP
from model.onnx_network import OnnxNetwork, load_network, onnx_path
from model.registry import standardize
from model.training.export import export, main

X = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("name", find_checkpoints(MODELS_DIR))
def test_the_shipped_form_computes_what_the_weights_beside_it_compute(name):
    path = find_checkpoints(MODELS_DIR)[name]
    form = OnnxNetwork(onnx_path(path).read_bytes())
    checkpoint = load_checkpoint(path)
    assert form.sha256 == checkpoint.card["sha256"]
    with torch.inference_mode():
        expected = checkpoint.network(standardize(X, checkpoint.permutation)).numpy()
    logits, features = form(X.numpy())
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    weights, bias = form.output_layer
    np.testing.assert_allclose(features @ weights.T + bias, expected, atol=1e-4)


def test_a_permuted_network_is_given_the_pixels_in_their_places(tmp_path):
    torch.manual_seed(0)
    network, permutation = MLP(hidden=(20, 10)).eval(), torch.randperm(784)
    path = save(network, tmp_path, permutation)
    export(path)
    form, _ = load_network(path)
    mixed = X.flatten(1)[:, permutation].view_as(X)
    expected = network(standardize(mixed)).detach().numpy()
    np.testing.assert_allclose(form(X.numpy())[0], expected, atol=1e-5)
    assert form.feature_maps(X.numpy()) == []


def test_feature_maps_are_what_each_convolution_gives(saved):
    export(saved)
    network = load_checkpoint(saved).network
    first = network.features[:1](standardize(X))
    second = network.features[:5](standardize(X))
    form, _ = load_network(saved)
    maps = form.feature_maps(X.numpy())
    assert [name for name, _ in maps] == ["features.0", "features.4"]
    for (_, values), expected in zip(maps, (first, second), strict=True):
        np.testing.assert_allclose(values, expected.detach().numpy(), atol=1e-5)


def test_where_the_form_cannot_be_kept_it_is_used_from_memory(saved, monkeypatch):
    def refuse(path, write):
        raise PermissionError("read-only")

    monkeypatch.setattr(onnx_network, "write_atomically", refuse)
    form, card = load_network(saved)
    assert form.sha256 == card["sha256"]
    assert not onnx_path(saved).exists()


@pytest.mark.parametrize(
    "fault", ["is missing", "belongs to other weights", "is damaged", "cannot be read"]
)
def test_without_torch_a_form_of_other_weights_is_refused_with_the_command_that_writes_it(
    saved, tmp_path, monkeypatch, fault
):
    if fault == "cannot be read":
        onnx_path(saved).mkdir()
    elif fault != "is missing":
        export(saved)
    if fault == "belongs to other weights":
        save(small_cnn(seed=1), tmp_path)
    elif fault == "is damaged":
        onnx_path(saved).write_bytes(onnx_path(saved).read_bytes()[:1000])
    monkeypatch.setattr(onnx_network.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelFileError, match=f"{fault}.*bash run.sh export .*docker compose"):
        load_network(saved)


def test_a_form_that_cannot_be_read_or_replaced_is_made_in_memory(saved):
    onnx_path(saved).mkdir()
    form, card = load_network(saved)
    assert form.sha256 == card["sha256"]


@pytest.mark.parametrize("child", [["sleep", "9"], ["false"]])
def test_a_child_that_is_too_slow_or_dies_silently_leaves_the_command_to_run(
    saved, monkeypatch, child
):
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda command, **options: run(child, **options))
    monkeypatch.setattr(onnx_network, "EXPORT_SECONDS", 0.1)
    with pytest.raises(ModelFileError, match=f"write it with: bash run.sh export {saved}"):
        load_network(saved)


def test_weights_that_cannot_be_exported_say_why(saved):
    change_card(saved, architecture={"network": "cnn", "settings": {"channels": [4, 4]}})
    with pytest.raises(ModelFileError, match="do not fit"):
        load_network(saved)


@pytest.mark.parametrize("damage", ["no weights", "other weights"])
def test_weights_that_are_missing_or_not_the_cards_are_refused_whatever_form_there_is(
    saved, damage
):
    export(saved)
    if damage == "no weights":
        saved.unlink()
    else:
        saved.write_bytes(saved.read_bytes() + b"x")
    with pytest.raises(ModelFileError, match=r"no model at|sha256"):
        load_network(saved)


def test_the_command_writes_the_form_beside_the_weights(saved, capsys):
    assert main([str(saved)]) == 0
    assert str(onnx_path(saved)) in capsys.readouterr().out
    assert main([str(saved.with_name("nosuch.pt"))]) == 1
    assert "train one" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "There are no models in .*train one with: bash run.sh cnn"),
        (["--stdout"], "0 are named: name exactly one"),
        (["--stdout", "cnn", "mlp"], "2 are named: name exactly one"),
    ],
)
def test_the_command_refuses_to_write_nothing_or_several_forms_in_one(
    tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.setattr("model.training.export.MODELS_DIR", tmp_path)
    monkeypatch.setattr("model.training.export.to_onnx", lambda path: b"form")
    assert main(arguments) == 1
    output = capsys.readouterr()
    assert output.out == "" and re.match(f"error: .*{message}", output.err)


def test_ctrl_c_ends_the_command_with_a_sentence(saved, monkeypatch, capsys):
    def interrupt(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("model.training.export.to_onnx", interrupt)
    assert main([str(saved)]) == 130
    assert capsys.readouterr().err == "\nStopped. What has been written is kept.\n"


def test_a_missing_form_is_written_by_a_child_and_the_process_itself_imports_no_torch(saved):
    code = (
        "import sys; from pathlib import Path; from model.onnx_network import load_network\n"
        f"load_network(Path({str(saved)!r})); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": "src"}, check=True)
    checkpoint = load_checkpoint(saved)
    written = OnnxNetwork(onnx_path(saved).read_bytes())
    assert written.sha256 == checkpoint.card["sha256"]
    expected = checkpoint.network(standardize(X)).detach().numpy()
    np.testing.assert_allclose(written(X.numpy())[0], expected, atol=1e-5)
