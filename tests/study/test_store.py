"""A finished run is valid only while all that decides its result is as it was."""

from dataclasses import replace

import pytest
import torch

from evaluation import results
from model.config import RECIPES
from model.data.augment import AUGMENTATIONS
from model.data.mnist import Digits, Mnist
from model.registry import NETWORKS
from study import store as store_module
from study.permutations import PERMUTED, UNPERMUTED
from study.runs import Run
from study.store import Store

RUN = Run("mlp", PERMUTED, "mild", seed=0, epochs=1)


@pytest.fixture
def mnist() -> Mnist:
    images = torch.randint(256, (30, 28, 28), generator=torch.Generator().manual_seed(0)).byte()
    every = Digits(images, torch.arange(30) % 10)
    return Mnist(every[:10], every[10:20], every[20:], "noise", {"file": "same"}, complete=False)


@pytest.fixture
def open_store(tmp_path, mnist):
    """Opens a store in which the run is finished, under conditions that may differ."""

    def open_(data: Mnist = mnist, **conditions) -> Store:
        how = {"device": "cpu", "precision": "float32", "max_doublings": 2}
        return Store(tmp_path, data, **{**how, **conditions})

    store = open_()
    store.save(RUN, {"test_accuracy": 0.9}, NETWORKS["mlp"]())
    return open_


def test_a_finished_run_is_found_again_with_its_network(open_store):
    assert open_store().load(RUN)["test_accuracy"] == 0.9
    assert not open_store().network(RUN).training


@pytest.mark.parametrize(
    "changes",
    [{"seed": 1}, {"epochs": 2}, {"network": "cnn"}, {"pixels": UNPERMUTED}, {"pictures": 100}],
)
def test_another_run_is_not_finished(open_store, changes):
    assert open_store().load(replace(RUN, **changes)) is None


@pytest.mark.parametrize(
    "conditions", [{"device": "cuda"}, {"precision": "bfloat16"}, {"max_doublings": 0}]
)
def test_other_conditions_of_training_repeat_the_run(open_store, conditions):
    assert open_store(**conditions).load(RUN) is None


def test_another_image_or_another_split_repeats_the_run(open_store, mnist):
    training = replace(mnist.training, images=mnist.training.images.flip(2))
    assert open_store(replace(mnist, training=training)).load(RUN) is None
    split = replace(mnist, training=mnist.validation, validation=mnist.training)
    assert open_store(split).load(RUN) is None


def test_another_permutation_of_that_name_repeats_the_run(open_store, monkeypatch):
    monkeypatch.setattr(store_module, "pixel_permutation", lambda name: torch.arange(784).flip(0))
    assert open_store().load(RUN) is None


def test_another_recipe_repeats_the_run(open_store, monkeypatch):
    monkeypatch.setitem(RECIPES, "mlp", replace(RECIPES["mlp"], weight_decay=0.5))
    assert open_store().load(RUN) is None


def test_another_augmentation_of_that_name_repeats_the_run(open_store, monkeypatch):
    monkeypatch.setitem(AUGMENTATIONS, "mild", AUGMENTATIONS["affine"])
    assert open_store().load(RUN) is None


def test_another_rule_of_stopping_repeats_the_run(open_store, monkeypatch):
    monkeypatch.setattr(store_module, "PLATEAU_TOLERANCE", 0.1)
    assert open_store().load(RUN) is None


def test_other_code_repeats_the_run(open_store, monkeypatch, tmp_path):
    (tmp_path / "model.py").write_text("x = 1")
    monkeypatch.setattr(results, "CODE", tmp_path)
    assert open_store().load(RUN) is None
