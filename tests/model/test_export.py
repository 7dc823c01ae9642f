"""Saving a network: its two files, what ONNX Runtime computes of it, and what is replaced."""

import re
import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.support.networks import card, change_card, save_small_cnn, small_cnn, small_mlp

from errors import ModelFileError
from model.card import find_models
from model.classifier import Classifier, load_classifiers
from model.config import MODELS_DIR
from model.data.mnist import standardize
from model.export import load_network, main, replace_model, save_model

IMAGES = np.random.default_rng(3).integers(0, 256, (5, 28, 28)).astype(np.uint8)
X = torch.from_numpy(IMAGES).unsqueeze(1).float() / 255


def assert_computes(path, network, x, tolerance=1e-5):
    """The file at ``path`` gives what torch computes of a network on x (N, 1, 28, 28)."""
    with torch.inference_mode():
        expected = network.eval()(x).numpy()
    classifier = Classifier.load(path)
    logits, features = classifier.forward(IMAGES)
    weights, bias = classifier.trained_output_layer()
    np.testing.assert_allclose(logits, expected, atol=tolerance)
    np.testing.assert_allclose(features @ weights.T + bias, expected, atol=tolerance)


@pytest.mark.parametrize("name", find_models(MODELS_DIR))
def test_a_shipped_model_computes_what_torch_computes_of_the_weights_beside_it(name):
    path = find_models(MODELS_DIR)[name]
    network, card = load_network(path)
    indices = card.permutation and torch.tensor(card.permutation.indices)
    assert_computes(path, network, standardize(X, indices), tolerance=1e-4)


def test_a_permuted_network_is_given_the_pixels_in_their_places_and_stays_as_it_was(tmp_path):
    indices = torch.randperm(784, generator=torch.Generator().manual_seed(1))
    permutation = {"seed": 1, "indices": indices.tolist()}
    mlp = card("mlp-permuted", {"hidden": [20, 10]}, permutation=permutation)
    network = small_mlp().train()
    path = save_model(network, mlp, tmp_path, {})
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())
    assert_computes(path, network, standardize(X.flatten(1)[:, indices].view_as(X)))


def test_the_layers_before_the_output_layer_are_outputs_with_their_weights(saved):
    layers = small_cnn().eval().features
    classifier = Classifier.load(saved)
    assert classifier.layers == ["features.0", "features.4"]
    for name, depth in zip(classifier.layers, (1, 5), strict=True):
        values = classifier.session.run([name, f"{name}.weight"], {"x": X.numpy()})
        expected = layers[:depth](standardize(X)), layers[depth - 1].weight
        for value, tensor in zip(values, expected, strict=True):
            np.testing.assert_allclose(value, tensor.detach().numpy(), atol=1e-5)


def test_the_weights_are_a_plain_state_dict_to_train_on_from(saved):
    network = small_cnn(seed=1)
    network.load_state_dict(torch.load(saved.with_suffix(".pt"), weights_only=True))
    loaded, card = load_network(saved.with_suffix(".pt"))
    for one in (network, loaded):
        assert all(map(torch.equal, one.parameters(), small_cnn().parameters()))
    assert card == Classifier.load(saved).card


@pytest.fixture(scope="module")
def new_files(tmp_path_factory) -> dict[str, bytes]:
    """The files of another small CNN, in the order in which they are written."""
    path = save_small_cnn(tmp_path_factory.mktemp("new"), seed=1)
    pt = path.with_suffix(".pt")
    return {pt.name: pt.read_bytes(), "figure.png": b"png", path.name: path.read_bytes()}


def contents(path: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in path.parent.iterdir()}


def test_what_is_replaced_stays_as_one_generation(saved, new_files):
    first = contents(saved)
    replace_model(saved, new_files)
    previous = {
        "mnist-0.0.1.previous.pt": first["mnist-0.0.1.pt"],
        "mnist-0.0.1.previous.onnx": first["mnist-0.0.1.onnx"],
    }
    assert contents(saved) == new_files | previous
    replace_model(saved, first)
    assert set(contents(saved)) == set(new_files | previous)
    assert set(find_models(saved.parent)) == {"cnn"}


@pytest.mark.parametrize("moves", range(5))
def test_stopped_between_any_two_moves_the_old_model_is_served(
    saved, new_files, monkeypatch, moves
):
    old, replace, moved = saved.read_bytes(), Path.replace, []

    def stop(self, target):
        if len(moved) == moves:
            raise KeyboardInterrupt
        moved.append(target)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        replace_model(saved, new_files)
    assert saved.read_bytes() == old
    assert set(load_classifiers(saved.parent)[0]) == {"cnn"}
    assert not list(saved.parent.glob(".*"))


def test_a_full_disk_is_one_sentence_and_changes_nothing(saved, new_files):
    before, limits = contents(saved), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before[saved.name]) - 1, limits[1]))
    try:
        with pytest.raises(ModelFileError, match=r"cannot be saved in .*unchanged"):
            replace_model(saved, new_files)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert contents(saved) == before


def test_the_weights_of_a_network_that_does_not_go_into_onnx_are_saved(tmp_path):
    network = torch.nn.Flatten()  # ends in no linear layer
    with pytest.raises(ModelFileError, match=r"cannot be exported.*weights are in .*\.pt: "):
        save_model(network, card(), tmp_path, {})
    assert [path.name for path in tmp_path.iterdir()] == ["mnist-0.0.1.pt"]


def test_export_writes_the_weights_beside_the_card(saved, capsys):
    card = Classifier.load(saved).card
    torch.save(small_cnn(seed=1).state_dict(), saved.with_suffix(".pt"))
    assert main([str(saved.with_suffix(".pt"))]) == 0
    assert capsys.readouterr().out == f"written: {saved}\n"
    assert Classifier.load(saved).card == card
    assert_computes(saved, small_cnn(seed=1), standardize(X))


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda path: path.unlink(), "onnx cannot be used: .*No such file.*train it with"),
        (lambda path: path.with_suffix(".pt").unlink(), "pt cannot be used: .*No such file"),
        (lambda path: path.with_suffix(".pt").write_bytes(b"PK"), "do not fit the card"),
        (lambda path: change_card(path, config={"channels": [4, 4]}), "do not fit the card"),
        (lambda path: change_card(path, network="nosuch"), "do not fit the card: 'nosuch'"),
    ],
)
def test_export_refuses_what_is_missing_damaged_or_of_another_network(saved, damage, fault, capsys):
    damage(saved)
    assert main([str(saved)]) == 1
    assert re.search(fault, capsys.readouterr().err)
