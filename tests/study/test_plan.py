"""What the study trains and asks."""

from collections import defaultdict

import pytest

from model.mlp import MLP
from model.train import NETWORKS
from study import plan


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
    permuted = [run for run in runs if run.pixels != plan.IN_ORDER]
    assert {(run.seed, run.permutation) for run in permuted} == {(seed, seed) for seed in range(5)}


def test_the_small_mlp_has_as_many_parameters_as_the_cnn():
    small, cnn = MLP(hidden=plan.SMALL_HIDDEN), NETWORKS["cnn"]()
    counts = [sum(part.numel() for part in network.parameters()) for network in (small, cnn)]
    assert counts[0] == pytest.approx(counts[1], rel=0.01)
