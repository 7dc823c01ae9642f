from collections import Counter
from dataclasses import replace

import pytest

from model.config import RECIPES
from study.permutations import ORDERS, PERMUTED, UNPERMUTED
from study.runs import (
    AUGMENTATIONS,
    PARTS,
    RECIPE,
    SEEDS,
    SMALL_MLP,
    Run,
)

IMAGES = 55_000


def parameters_of(network: str) -> int:
    return sum(p.numel() for p in Run(network, UNPERMUTED, "none", 1, 1, 0).build().parameters())


def test_the_factorial_has_every_row_with_every_augmentation_at_five_seeds():
    runs = Counter(
        (c.network, c.pixels, c.augmentation) for c in PARTS["factorial"].runs(IMAGES, SEEDS)
    )
    rows = {("mlp", UNPERMUTED), ("mlp", PERMUTED), ("cnn", UNPERMUTED), ("cnn", PERMUTED)}
    rows |= {(SMALL_MLP, UNPERMUTED)}
    names = ("none", "affine", "slight", "slight + synthetic")
    assert runs == {(*row, name): 5 for row in rows for name in names}


def test_the_small_mlp_has_as_many_parameters_as_the_cnn():
    assert parameters_of(SMALL_MLP) == pytest.approx(parameters_of("cnn"), rel=0.01)


def test_each_run_with_least_and_most_variety_is_repeated_with_twice_the_epochs():
    factorial = PARTS["factorial"].runs(IMAGES, [0])
    once = [run for run in factorial if run.augmentation in ("none", RECIPE)]
    twice = {replace(run, epochs=2 * run.epochs) for run in once}
    runs = PARTS["doubled"].runs(IMAGES, SEEDS)
    assert len(runs) == 2 * len(once)
    assert set(runs) == {*once, *twice}


def test_the_ladder_needs_no_run_that_the_factorial_has_not():
    assert set(PARTS["ladder"].runs(IMAGES, SEEDS)) < set(PARTS["factorial"].runs(IMAGES, SEEDS))


def test_the_sweeps_have_every_order_and_three_seeds_of_every_size_up_to_all_images():
    orders = Counter((run.network, run.pixels) for run in PARTS["orders"].runs(IMAGES, SEEDS))
    assert orders == {(network, order): 1 for network in ("mlp", "cnn") for order in ORDERS}
    sizes = Counter((run.network, run.images) for run in PARTS["sizes"].runs(1_000, SEEDS))
    assert sizes == {(network, size): 3 for network in ("mlp", "cnn") for size in (100, 300, 1_000)}
    every = {100, 300, 1_000, 3_000, 10_000, 30_000, IMAGES}
    assert {run.images for run in PARTS["sizes"].runs(IMAGES, SEEDS)} == every


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_synthetic_images_come_only_where_the_augmentation_says_so(augmentation):
    recipe = Run("cnn", UNPERMUTED, augmentation, IMAGES, 6, 0).recipe
    served = RECIPES["cnn"] if augmentation == RECIPE else None
    assert recipe.synthetic_fraction == (served.synthetic_fraction if served else 0)
    assert recipe.outlier_ratio == (served.outlier_ratio if served else 0)
    assert recipe.epochs == 6
