import pytest
import torch

from model.training.pipeline import make_permutation
from study.permutations import BLOCKS, ORDERS, PERMUTED, UNPERMUTED, pixel_permutation

ROWS, COLUMNS = torch.arange(784) // 28, torch.arange(784) % 28


def blocks_of(indices: torch.Tensor, block: int) -> torch.Tensor:
    """The number of the block in which each pixel lies."""
    return indices // 28 // block * (28 // block) + indices % 28 // block


@pytest.mark.parametrize("order", [order for order in ORDERS if order != UNPERMUTED])
def test_every_order_is_a_permutation_and_always_the_same(order):
    permutation = pixel_permutation(order)
    assert sorted(permutation.tolist()) == list(range(784))
    assert torch.equal(permutation, pixel_permutation(order))


@pytest.mark.parametrize("block", BLOCKS)
def test_intra_block_each_pixel_stays_in_its_block(block):
    permutation = pixel_permutation(f"within {block}")
    pixels = torch.arange(784)
    assert torch.equal(blocks_of(permutation, block), blocks_of(pixels, block))
    assert (permutation != pixels).float().mean() > 0.5


def test_each_block_is_permuted_in_its_own_way():
    permutation = pixel_permutation("within 4").reshape(28, 28)
    offsets = permutation - torch.arange(784).reshape(28, 28)
    tiles = offsets.reshape(7, 4, 7, 4).transpose(1, 2).reshape(49, 16)
    assert len(tiles.unique(dim=0)) == 49


@pytest.mark.parametrize("block", BLOCKS)
def test_inter_block_nothing_changes_inside_and_no_block_stays(block):
    permutation = pixel_permutation(f"among {block}")
    place_inside = ROWS % block * block + COLUMNS % block
    assert torch.equal(place_inside[permutation], place_inside)
    assert (blocks_of(permutation, block) != blocks_of(torch.arange(784), block)).all()
    # what comes to lie in one block was one block before
    for number in range((28 // block) ** 2):
        there = blocks_of(torch.arange(784), block) == number
        assert len(blocks_of(permutation[there], block).unique()) == 1


def test_the_full_permutation_is_the_pipelines_and_unpermuted_is_none():
    assert pixel_permutation(UNPERMUTED) is None
    assert torch.equal(pixel_permutation(PERMUTED), make_permutation(0))
