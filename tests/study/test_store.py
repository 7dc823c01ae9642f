"""A finished run is found again only while all that decides its result is as it was."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from evaluation import results
from model.config import RECIPES
from model.data.augment import AUGMENTATIONS
from model.data.mnist import Digits, Mnist
from model.train import predict_logits
from study import permutations
from study import store as store_module
from study.permutations import PERMUTED, UNPERMUTED, pixel_permutation
from study.pictures import TestSet
from study.runs import Run
from study.store import Store

RUN = Run("mlp", PERMUTED, "slight", images=30, epochs=1, seed=0)
EVERY = Digits(
    torch.randint(256, (50, 28, 28), generator=torch.Generator().manual_seed(0)).byte(),
    torch.arange(50) % 10,
)
MNIST = Mnist(EVERY[:30], EVERY[30:40], EVERY[40:], "noise", {"file": "same"}, complete=False)


def one_set(digits: Digits) -> TestSet:
    return TestSet("noise", "", digits, np.arange(len(digits)))


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path, MNIST)


def test_a_finished_run_is_not_trained_again_and_classifies_only_what_is_new(store, monkeypatch):
    first = store.finish(RUN, [one_set(MNIST.test)])
    monkeypatch.setattr(store_module, "train_run", lambda *_: pytest.fail("trained again"))
    again = store.finish(RUN, [one_set(MNIST.test), one_set(MNIST.validation)])
    assert set(again["predictions"]) == {one_set(d).key for d in (MNIST.test, MNIST.validation)}
    for key, digits in first["predictions"].items():
        assert torch.equal(digits, again["predictions"][key])


def test_a_network_of_permuted_pixels_classifies_permuted_pixels(store, monkeypatch):
    torch.manual_seed(0)
    network = RUN.build().eval()
    with torch.no_grad():
        network.layers[-1].weight.mul_(1000)  # untrained, it would give one digit for all
    monkeypatch.setattr(store_module, "train_run", lambda *_: network)
    (predicted,) = store.finish(RUN, [one_set(MNIST.test)])["predictions"].values()
    permuted, as_they_are = (
        predict_logits(network, MNIST.test.images, permutation=permutation).argmax(dim=1).byte()
        for permutation in (pixel_permutation(PERMUTED), None)
    )
    assert torch.equal(predicted, permuted)
    assert not torch.equal(predicted, as_they_are)


def test_another_permutation_gives_another_key(store, monkeypatch):
    before = store.key(RUN)
    monkeypatch.setattr(permutations, "PERMUTATION_SEED", 1)
    assert store.key(RUN) != before


@pytest.mark.parametrize(
    "changes", [{"seed": 1}, {"epochs": 2}, {"network": "cnn"}, {"pixels": UNPERMUTED}]
)
def test_another_run_has_another_key(store, changes):
    assert store.key(replace(RUN, **changes)) != store.key(RUN)


def test_another_image_or_another_split_gives_another_key(store, tmp_path):
    flipped = replace(MNIST.training, images=MNIST.training.images.flip(2))
    for changes in ({"training": flipped}, {"training": MNIST.test, "test": MNIST.training}):
        assert Store(tmp_path, replace(MNIST, **changes)).key(RUN) != store.key(RUN)


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        (RECIPES, "mlp", replace(RECIPES["mlp"], weight_decay=0.5)),
        (AUGMENTATIONS, "slight", AUGMENTATIONS["affine"]),
    ],
)
def test_another_recipe_or_augmentation_of_that_name_gives_another_key(
    store, monkeypatch, where, name, value
):
    before = store.key(RUN)
    monkeypatch.setitem(where, name, value)
    assert store.key(RUN) != before


def test_other_code_of_training_gives_another_key(store, monkeypatch, tmp_path):
    before = store.key(RUN)
    (tmp_path / "training.py").write_text("x = 1")
    monkeypatch.setattr(store_module, "TRAINING_CODE", [tmp_path / "training.py"])
    results._code_checksum.cache_clear()
    assert store.key(RUN) != before
