"""Saving a network: its two files, what ONNX Runtime computes of it, and what is replaced."""

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
from model.export import export, load_network, main, replace_model, save_model

X = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("name", find_models(MODELS_DIR))
def test_a_shipped_model_computes_what_torch_computes_of_the_weights_beside_it(name):
    path = find_models(MODELS_DIR)[name]
    network, card = load_network(path)
    indices = card.permutation and torch.tensor(card.permutation.indices)
    with torch.inference_mode():
        expected = network(standardize(X, indices)).numpy()
    logits, features = Classifier.load(path).onnx(X.numpy())
    weights, bias = Classifier.load(path).onnx.output_layer
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    np.testing.assert_allclose(features @ weights.T + bias, expected, atol=1e-4)


def test_a_permuted_network_is_given_the_pixels_in_their_places(tmp_path):
    indices = torch.randperm(784, generator=torch.Generator().manual_seed(1))
    permutation = {"seed": 1, "indices": indices.tolist()}
    mlp = card("mlp-permuted", {"hidden": [20, 10]}, permutation=permutation)
    classifier = Classifier.load(save_model(small_mlp(), mlp, tmp_path, {}))
    mixed = X.flatten(1)[:, indices].view_as(X)
    expected = small_mlp().eval()(standardize(mixed)).detach().numpy()
    np.testing.assert_allclose(classifier.onnx(X.numpy())[0], expected, atol=1e-5)
    assert classifier.onnx.feature_maps(X.numpy()) == []


def test_feature_maps_are_what_each_convolution_gives(saved):
    layers = small_cnn().eval().features
    maps = Classifier.load(saved).onnx.feature_maps(X.numpy())
    assert [name for name, _ in maps] == ["features.0", "features.4"]
    for (_, values), depth in zip(maps, (1, 5), strict=True):
        expected = layers[:depth](standardize(X)).detach().numpy()
        np.testing.assert_allclose(values, expected, atol=1e-5)


def test_the_weights_are_a_plain_state_dict_that_loads_in_three_lines(saved):
    network = small_cnn(seed=1)
    network.load_state_dict(torch.load(saved.with_suffix(".pt"), weights_only=True))
    assert all(map(torch.equal, network.parameters(), small_cnn().parameters()))


def test_saving_leaves_the_network_as_it_was(tmp_path):
    network = small_mlp().train()
    save_model(network, card("mlp", {"hidden": [20, 10]}), tmp_path, {})
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())


def test_a_network_is_loaded_with_its_weights_to_train_on(saved):
    network, card = load_network(saved.with_suffix(".pt"))
    assert torch.equal(network(X), small_cnn().eval()(X))
    assert card == Classifier.load(saved).card


FIGURE = "mnist-0.0.1-reliability.png"


@pytest.fixture(scope="module")
def new_files(tmp_path_factory) -> dict[str, bytes]:
    """The files of another small CNN, in the order in which they are written."""
    path = save_small_cnn(tmp_path_factory.mktemp("new"), seed=1)
    pt = path.with_suffix(".pt")
    return {pt.name: pt.read_bytes(), FIGURE: b"png", path.name: path.read_bytes()}


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


def test_a_model_that_cannot_be_saved_is_kept_elsewhere_and_the_sentence_says_where(
    tmp_path, monkeypatch, new_files
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = tmp_path / "removed" / "mnist-0.0.1.onnx"
    with pytest.raises(ModelFileError, match=r"cannot be written \(No such file.*model are in"):
        replace_model(path, new_files)
    (rescue,) = tmp_path.iterdir()
    assert contents(rescue / path.name) == new_files


def test_the_weights_of_a_network_that_does_not_go_into_onnx_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    network = torch.nn.Flatten()  # ends in no linear layer
    with pytest.raises(ModelFileError, match=r"cannot be exported.*model are in"):
        save_model(network, card(), tmp_path / "models", {})
    (rescue,) = tmp_path.iterdir()
    assert [path.name for path in rescue.iterdir()] == ["mnist-0.0.1.pt"]


def test_export_writes_the_weights_beside_the_card_and_says_that_its_results_are_older(
    saved, capsys
):
    weights = saved.with_suffix(".pt")
    torch.save(small_cnn(seed=1).state_dict(), weights)
    with pytest.raises(ModelFileError, match=f"bash run.sh export {weights}$"):
        load_network(saved)
    assert main([str(weights)]) == 0
    output = capsys.readouterr()
    assert output.out == f"written: {saved}\n" and "earlier weights" in output.err
    expected = small_cnn(seed=1).eval()(standardize(X)).detach().numpy()
    np.testing.assert_allclose(Classifier.load(saved).onnx(X.numpy())[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda path: path.unlink(), "no such file.*train it with"),
        (lambda path: path.with_suffix(".pt").unlink(), "no such file.*train them again with"),
        (lambda path: path.with_suffix(".pt").write_bytes(b"PK"), "do not fit their card"),
        (lambda path: change_card(path, config={"channels": [4, 4]}), "do not fit their card"),
        (lambda path: change_card(path, network="nosuch"), "do not fit their card: 'nosuch'"),
    ],
)
def test_export_refuses_what_is_missing_damaged_or_of_another_network(saved, damage, fault):
    damage(saved)
    with pytest.raises(ModelFileError, match=fault):
        export(saved)


def test_export_of_an_empty_folder_says_how_to_train(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("model.export.MODELS_DIR", tmp_path)
    assert main([]) == 1
    assert capsys.readouterr().err.startswith("error: There are no models")
