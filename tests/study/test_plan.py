"""What the study trains and asks."""

from collections import defaultdict

import pytest

from model.networks import MLP, NETWORKS
from study import plan

RUNS = plan.all_runs(100)


def test_the_runs_answer_every_question():
    seeds = defaultdict(set)
    for run in RUNS:
        seeds[run.network, run.augmentation, run.pixels].add(run.seed)
    for _, *rows in plan.QUESTIONS:
        assert all(len(seeds[row[:3]]) == 5 for row in rows)


def test_no_run_is_trained_twice_and_each_seed_has_its_own_permutation():
    assert len(set(RUNS)) == len(RUNS)
    permuted = [run for run in RUNS if run.pixels != plan.IN_ORDER]
    assert {(run.seed, run.permutation) for run in permuted} == {(seed, seed) for seed in range(5)}


def test_the_small_mlp_has_as_many_parameters_as_the_cnn():
    small, cnn = MLP(hidden=plan.SMALL_HIDDEN), NETWORKS["cnn"]()
    counts = [sum(part.numel() for part in network.parameters()) for network in (small, cnn)]
    assert counts[0] == pytest.approx(counts[1], rel=0.01)
