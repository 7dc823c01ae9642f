from collections import Counter

import pytest

from model.config import RECIPES
from study.permutations import PERMUTED, UNPERMUTED
from study.runs import (
    AUGMENTATIONS,
    EPOCHS,
    SIZES,
    SMALL_MLP,
    SYNTHETIC,
    factorial,
    make_run,
    parameters_of,
    patches,
    sizes,
    small_hidden,
    sweeps,
)


def test_the_factorial_has_every_combination_at_three_seeds():
    runs = Counter((c.network, c.pixels, c.augmentation) for c in factorial())
    for network in ("mlp", "cnn"):
        for pixels in (UNPERMUTED, PERMUTED):
            for augmentation in ("none", "mild", "mild + handwriting"):
                assert runs.pop((network, pixels, augmentation)) == 3
    assert runs == {(SMALL_MLP, pixels, "none"): 3 for pixels in (UNPERMUTED, PERMUTED)}


def test_other_networks_come_only_when_asked_for():
    assert {c.network for c in factorial(("deep",))} == {"deep"}


def test_the_small_mlp_has_as_many_parameters_as_the_cnn():
    parameters = parameters_of("mlp", hidden=small_hidden())
    assert parameters == pytest.approx(parameters_of("cnn"), rel=0.01)


def test_patches_are_permuted_inside_and_by_blocks_of_every_size():
    names = {f"{kind} {block}" for kind in ("within", "among") for block in (2, 4, 7, 14)}
    counts = Counter((c.network, c.pixels) for c in patches())
    for name in names | {UNPERMUTED, PERMUTED}:
        assert counts["cnn", name] == 3
        assert counts["mlp", name] == 1


def test_training_sets_reach_from_100_to_all_images():
    assert SIZES[0] == 100
    assert SIZES[-1] is None
    assert {c.pictures for c in sizes()} == set(SIZES)


def test_keys_are_unique_and_fit_for_files():
    runs = {*factorial(("mlp", "cnn", "deep")), *sweeps()}
    keys = {c.key for c in runs}
    assert len(keys) == len(runs)
    assert not any(set(key) & set(" /,") for key in keys)


def test_sweeps_share_runs_with_the_factorial_and_train_none_twice():
    assert len(sweeps()) == len(set(sweeps()))
    assert set(factorial()) & set(sweeps())


def test_synthetic_images_come_only_where_the_augmentation_says_so():
    for augmentation in AUGMENTATIONS:
        recipe = make_run("cnn", UNPERMUTED, augmentation, 0).recipe
        served = augmentation == SYNTHETIC
        assert (recipe.synthetic_fraction, recipe.outlier_ratio) == (
            (RECIPES["cnn"].synthetic_fraction, RECIPES["cnn"].outlier_ratio) if served else (0, 0)
        )
        assert recipe.epochs == EPOCHS["cnn"][augmentation]
