from collections import Counter

import pytest

from model.config import RECIPES
from study.permutations import ORDERS, PERMUTED, UNPERMUTED
from study.runs import (
    AUGMENTATIONS,
    RECIPE,
    SEEDS,
    SIZES,
    SMALL_MLP,
    Run,
    doubled,
    factorial,
    ladder,
    sweeps,
)

IMAGES = 55_000


def parameters_of(network: str) -> int:
    return sum(p.numel() for p in Run(network, UNPERMUTED, "none", 1, 1, 0).build().parameters())


def test_the_factorial_has_every_row_with_every_augmentation_at_five_seeds():
    runs = Counter((c.network, c.pixels, c.augmentation) for c in factorial(IMAGES, SEEDS))
    rows = {("mlp", UNPERMUTED), ("mlp", PERMUTED), ("cnn", UNPERMUTED), ("cnn", PERMUTED)}
    rows |= {(SMALL_MLP, UNPERMUTED)}
    names = ("none", "affine", "slight", "slight + synthetic")
    assert runs == {(*row, name): 5 for row in rows for name in names}


def test_the_small_mlp_has_as_many_parameters_as_the_cnn():
    assert parameters_of(SMALL_MLP) == pytest.approx(parameters_of("cnn"), rel=0.01)


def test_each_run_is_repeated_with_twice_the_epochs():
    runs = doubled(IMAGES, [0])
    once, twice = runs[: len(runs) // 2], runs[len(runs) // 2 :]
    assert [2 * run.epochs for run in once] == [run.epochs for run in twice]


def test_the_ladder_needs_no_run_that_the_factorial_has_not():
    assert set(ladder(IMAGES, SEEDS)) < set(factorial(IMAGES, SEEDS))


def test_the_sweeps_have_every_order_and_every_size_and_no_run_twice():
    runs = sweeps(IMAGES, SEEDS)
    assert len(runs) == len(set(runs))
    cnn = [run for run in runs if run.network == "cnn" and run.augmentation == "none"]
    assert {run.pixels for run in cnn if run.images == IMAGES} == set(ORDERS)
    assert {run.images for run in cnn if run.pixels == UNPERMUTED} == {*SIZES, IMAGES}
    assert max(run.images for run in sweeps(3_000, SEEDS)) == 3_000


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_synthetic_images_come_only_where_the_augmentation_says_so(augmentation):
    recipe = Run("cnn", UNPERMUTED, augmentation, IMAGES, 6, 0).recipe
    served = RECIPES["cnn"] if augmentation == RECIPE else None
    assert recipe.synthetic_fraction == (served.synthetic_fraction if served else 0)
    assert recipe.outlier_ratio == (served.outlier_ratio if served else 0)
    assert recipe.epochs == 6
