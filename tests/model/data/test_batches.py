"""The batches of training: their parts and their targets."""

from dataclasses import replace
from itertools import chain

import pytest
import torch

from model.config import RECIPES
from model.data.batches import Batches, stream_seed, synthetic_digits
from model.data.mnist import Digits

RECIPE = replace(RECIPES["cnn"], batch_size=30, label_smoothing=0.0)
MIXED = replace(RECIPE, synthetic_fraction=0.25, outlier_ratio=0.1)
PLAIN = replace(RECIPE, synthetic_fraction=0.0, outlier_ratio=0.0)


@pytest.fixture
def digits():
    images = torch.arange(100, dtype=torch.uint8)[:, None, None].expand(100, 28, 28)
    return Digits(images.contiguous(), torch.arange(100) % 10)


def numbers(batches):
    """Which images come, told by the brightness that numbers them."""
    return [(images[:, 0, 0, 0] * 255).round().long().tolist() for images, _ in batches]


def test_an_epoch_holds_every_image_once_with_its_label_in_an_order_of_its_own(digits):
    epochs = Batches(digits, None, PLAIN, "none", seed=0)
    batches = list(epochs)
    assert len(batches) == len(epochs) == 4
    assert numbers(batches) != numbers(epochs)
    assert sorted(chain(*numbers(batches))) == list(range(100))
    for (_, targets), chosen in zip(batches, numbers(batches), strict=True):
        assert targets.argmax(dim=1).tolist() == [number % 10 for number in chosen]


def test_a_quarter_of_the_digits_is_synthetic_and_a_tenth_more_are_outliers(digits):
    _, targets = next(iter(Batches(digits, None, MIXED, "none", seed=0)))
    uniform = (targets == 0.1).all(dim=1)
    assert len(targets) == 30 + 10 + 4
    assert int(uniform.sum()) == 4
    assert (targets[~uniform].amax(dim=1) == 1).all()


def test_a_persons_own_digits_come_as_often_as_synthetic_ones(digits):
    own = Digits(torch.full((3, 28, 28), 177, dtype=torch.uint8), torch.tensor([4, 4, 9]))
    for images, targets in Batches(digits, own, MIXED, "none", seed=0):
        are_own = (images == 177 / 255).flatten(1).all(dim=1)
        assert int(are_own.sum()) == 10
        assert set(targets[are_own].argmax(dim=1).tolist()) <= {4, 9}
        assert int((targets == 0.1).all(dim=1).sum()) == 5


def test_label_smoothing_shares_out_its_part(digits):
    recipe = replace(PLAIN, label_smoothing=0.1)
    _, targets = next(iter(Batches(digits, None, recipe, "none", seed=0)))
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(30))
    torch.testing.assert_close(targets.amax(dim=1), torch.full((30,), 0.91))


def test_a_third_of_the_images_are_as_noisy_as_the_recipe_allows_at_most(digits):
    grey = Digits(torch.full((900, 28, 28), 128, dtype=torch.uint8), torch.zeros(900).long())
    recipe = replace(PLAIN, batch_size=900, noise=0.1)
    images, _ = next(iter(Batches(grey, None, recipe, "none", seed=0)))
    deviations = (images - 128 / 255).std(dim=(1, 2, 3))
    assert 0.28 < (deviations > 0).double().mean() < 0.38
    assert 0.09 < deviations.max() < 0.11
    plain, _ = next(iter(Batches(digits, None, PLAIN, "none", seed=0)))
    assert plain.std(dim=(1, 2, 3)).max() == 0


def test_every_stream_has_random_numbers_of_its_own_whatever_the_seed():
    seeds = (0, 1, 20250101123456, 2**63 - 1)
    assert len({stream_seed(seed, stream) for seed in seeds for stream in range(3)}) == 12


def test_synthetic_digits_are_balanced_and_the_same_for_a_seed():
    first, second = synthetic_digits(25, seed=4), synthetic_digits(25, seed=4)
    assert first.labels.bincount().tolist() == [3] * 5 + [2] * 5
    assert torch.equal(first.images, second.images)
    assert not torch.equal(first.images, synthetic_digits(25, seed=5).images)
