"""The batches of training: their parts, their targets, their shards."""

from dataclasses import replace
from itertools import chain

import pytest
import torch

from model.config import RECIPES
from model.data.loader import AUGMENTATION, BATCHES, WEIGHTS, Batches, stream_seed
from model.data.mnist import Digits

RECIPE = replace(RECIPES["cnn"], batch_size=30, label_smoothing=0.0)
MIXED = replace(RECIPE, synthetic_fraction=0.25, outlier_ratio=0.1)
PLAIN = replace(RECIPE, synthetic_fraction=0.0, outlier_ratio=0.0)


@pytest.fixture
def digits():
    images = torch.arange(100, dtype=torch.uint8)[:, None, None].expand(100, 28, 28)
    return Digits(images.contiguous(), torch.arange(100) % 10)


def numbers(batches):
    """Which pictures come, told by the brightness that numbers them."""
    return [(batch.images[:, 0, 0, 0] * 255).round().long().tolist() for batch in batches]


def test_an_epoch_holds_every_picture_once_with_its_label_in_an_order_of_its_own(digits):
    epochs = Batches(digits, PLAIN, "none", seed=0)
    batches = list(epochs)
    assert numbers(batches) != numbers(epochs)
    assert sorted(chain(*numbers(batches))) == list(range(100))
    for batch, chosen in zip(batches, numbers(batches), strict=True):
        assert batch.targets.argmax(dim=1).tolist() == [number % 10 for number in chosen]


def test_a_quarter_of_the_digits_is_handwriting_and_a_tenth_more_is_none(digits):
    batch = next(iter(Batches(digits, MIXED, "none", seed=0)))
    flat = (batch.targets == 0.1).all(dim=1)
    assert len(batch.targets) == batch.size == 30 + 10 + 4
    assert int(flat.sum()) == 4
    assert (batch.targets[~flat].amax(dim=1) == 1).all()


def test_a_persons_own_digits_come_as_often_as_synthetic_ones(digits):
    recorded = Digits(torch.full((3, 28, 28), 77, dtype=torch.uint8), torch.tensor([4, 4, 9]))
    for batch in Batches(digits, MIXED, "none", seed=0, recorded=recorded):
        are_own = (batch.images == 77 / 255).flatten(1).all(dim=1)
        are_own &= torch.tensor([t.argmax() in (4, 9) for t in batch.targets])
        rest = len(batch.targets) - 10 - 10 - 5
        assert len(batch.targets) == batch.size and rest in (30, 10)
        assert 10 <= int(are_own.sum()) <= 11  # MNIST's stand-in has one such image
    flat = (batch.targets == 0.1).all(dim=1)
    assert int(flat.sum()) == 5


def test_label_smoothing_shares_out_its_part(digits):
    recipe = replace(PLAIN, label_smoothing=0.1)
    targets = next(iter(Batches(digits, recipe, "none", seed=0))).targets
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(30))
    torch.testing.assert_close(targets.amax(dim=1), torch.full((30,), 0.91))


@pytest.mark.parametrize("world_size", [2, 3])
def test_the_shards_are_disjoint_and_together_the_batch_of_one_process(digits, world_size):
    whole = list(Batches(digits, MIXED, "none", seed=0))
    shards = [
        list(Batches(digits, MIXED, "none", seed=0, rank=rank, world_size=world_size))
        for rank in range(world_size)
    ]
    for step, batch in enumerate(whole):
        parts = [shard[step] for shard in shards]
        assert {part.size for part in parts} == {batch.size}
        rows = torch.cat([part.images.flatten(1) for part in parts])
        expected = batch.images.flatten(1)
        assert sorted(map(tuple, rows.tolist())) == sorted(map(tuple, expected.tolist()))


def test_processes_augment_by_different_random_numbers(digits):
    same = Digits(digits.images[50:51].expand(100, 28, 28).contiguous(), digits.labels)
    same.images[:, 5:9] = 255
    first, second = (
        next(iter(Batches(same, PLAIN, "mild", seed=0, rank=rank, world_size=2)))
        for rank in range(2)
    )
    assert not torch.equal(first.images, second.images)


@pytest.mark.parametrize("seed", [0, 1, 20250101123456, 2**70])
def test_every_stream_of_every_process_has_random_numbers_of_its_own(seed):
    streams = [(stream, rank) for stream in (WEIGHTS, BATCHES, AUGMENTATION) for rank in range(3)]
    first = {
        torch.rand(1, generator=torch.Generator().manual_seed(stream_seed(seed, *stream))).item()
        for stream in streams
    }
    assert len(first) == len(streams)


def test_order_and_augmentation_draw_from_different_streams(digits):
    batches = Batches(digits, PLAIN, "none", seed=0)
    assert batches.rng.initial_seed() != batches.rank_rng.initial_seed()
