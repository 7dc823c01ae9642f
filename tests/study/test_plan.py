"""What the study trains and asks."""

from collections import defaultdict

import pytest
import torch

from model.data.mnist import make_permutation
from model.mlp import MLP
from model.train import NETWORKS
from study import plan

PIXELS = torch.arange(784)


def block_of(pixels: torch.Tensor, side: int) -> torch.Tensor:
    """The number of the block of side x side pixels in which each pixel lies."""
    return pixels // 28 // side * (28 // side) + pixels % 28 // side


@pytest.mark.parametrize("side", [2, 4, 7, 14])
def test_within_blocks_each_pixel_stays_in_its_block(side):
    permutation = plan.pixel_permutation(f"within {side}", seed=0)
    assert sorted(permutation.tolist()) == PIXELS.tolist()
    assert torch.equal(block_of(permutation, side), block_of(PIXELS, side))
    assert (permutation != PIXELS).float().mean() > 0.5
    moves = (permutation - PIXELS).reshape(28 // side, side, 28 // side, side).transpose(1, 2)
    assert len(moves.reshape(-1, side * side).unique(dim=0)) > 1  # not all blocks alike


@pytest.mark.parametrize("seed", [0, 1])
def test_permuted_is_the_permutation_of_a_training_with_that_seed(seed):
    assert torch.equal(plan.pixel_permutation(plan.PERMUTED, seed), make_permutation(seed))
    assert plan.pixel_permutation(plan.IN_ORDER, seed) is None


def test_the_runs_answer_every_question_and_make_every_step_of_the_ladder():
    seeds = defaultdict(set)
    for run in plan.all_runs(100):
        seeds[run.network, run.augmentation, run.pixels].add(run.seed)
    for _, *rows in plan.QUESTIONS:
        assert all(len(seeds[row[:3]]) == 5 for row in rows)
    assert all(seeds[row[:3]] for row in plan.LADDER.values())


def test_no_run_is_trained_twice_and_each_seed_has_its_own_permutation():
    runs = plan.all_runs(100)
    assert len(set(runs)) == len(runs)
    permuted = [run for run in runs if run.pixels == plan.PERMUTED]
    assert {(run.seed, run.permutation) for run in permuted} == {(seed, seed) for seed in range(5)}


def test_the_small_mlp_has_as_many_parameters_as_the_cnn():
    small, cnn = MLP(hidden=plan.SMALL_HIDDEN), NETWORKS["cnn"]()
    counts = [sum(part.numel() for part in network.parameters()) for network in (small, cnn)]
    assert counts[0] == pytest.approx(counts[1], rel=0.01)
