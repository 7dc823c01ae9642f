from collections import Counter

import pytest

from model.config import RECIPES
from study.permutations import BLOCKS, IN_ORDER, PERMUTED
from study.runs import (
    AUGMENTATIONS,
    EPOCHS,
    HANDWRITING,
    SIZES,
    SMALL_MLP,
    axes,
    cell,
    grid,
    parameters_of,
    patches,
    sizes,
    small_hidden,
)


def test_the_grid_has_every_combination_at_three_seeds():
    cells = Counter((c.network, c.pixels, c.augmentation) for c in grid())
    for network in ("mlp", "cnn"):
        for pixels in (IN_ORDER, PERMUTED):
            for augmentation in ("none", "mild", "mild + handwriting"):
                assert cells.pop((network, pixels, augmentation)) == 3
    assert cells == {(SMALL_MLP, pixels, "none"): 3 for pixels in (IN_ORDER, PERMUTED)}


def test_other_networks_come_only_when_asked_for():
    assert {c.network for c in grid(("deep",))} == {"deep"}


def test_the_small_mlp_has_as_many_parameters_as_the_cnn():
    parameters = parameters_of("mlp", hidden=small_hidden())
    assert parameters == pytest.approx(parameters_of("cnn"), rel=0.01)


def test_patches_are_permuted_within_and_among_blocks_of_every_size():
    names = {f"{kind} {block}" for kind in ("within", "among") for block in (2, 4, 7, 14)}
    counts = Counter((c.network, c.pixels) for c in patches())
    assert BLOCKS == (2, 4, 7, 14)
    for name in names | {IN_ORDER, PERMUTED}:
        assert counts["cnn", name] == 3
        assert counts["mlp", name] == 1


def test_training_sets_reach_from_100_to_all_pictures():
    assert SIZES[0] == 100
    assert SIZES[-1] is None
    assert {c.pictures for c in sizes()} == set(SIZES)


def test_keys_are_unique_and_fit_for_files():
    cells = {*grid(("mlp", "cnn", "deep")), *axes()}
    keys = {c.key for c in cells}
    assert len(keys) == len(cells)
    assert not any(set(key) & set(" /,") for key in keys)


def test_axes_share_the_grids_cells_and_train_none_twice():
    assert len(axes()) == len(set(axes()))
    assert set(grid()) & set(axes())


def test_synthetic_pictures_come_only_with_handwriting():
    for augmentation in AUGMENTATIONS:
        recipe = cell("cnn", IN_ORDER, augmentation, 0).recipe
        served = augmentation == HANDWRITING
        assert (recipe.synthetic_fraction, recipe.outlier_ratio) == (
            (RECIPES["cnn"].synthetic_fraction, RECIPES["cnn"].outlier_ratio) if served else (0, 0)
        )
        assert recipe.epochs == EPOCHS["cnn"][augmentation]
