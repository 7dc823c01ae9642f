import numpy as np
import pytest
from scipy.stats import t

from study.statistics import interval, mcnemar


def test_mcnemar_agrees_with_a_hand_calculation():
    pairs = [(True, True)] * 50 + [(True, False)] * 5 + [(False, True)] + [(False, False)] * 3
    one, other = np.array(pairs).T
    # of 6 images that one alone gets right, at most 1 on one side: 2 (1 + 6) / 2^6
    assert mcnemar(one, other) == pytest.approx(2 * 7 / 64)


def test_networks_that_agree_do_not_differ():
    correct = np.tile(np.arange(100) < 90, (3, 1))
    assert interval(correct, correct, np.arange(100), 0.95) == (0, 0, 0)


def test_with_equal_seeds_the_interval_is_that_of_paired_images():
    correct = np.tile(np.arange(1000) < 900, (2, 1))
    other = np.tile(np.arange(1000) >= 150, (2, 1))
    found = interval(correct, other, np.arange(1000), 0.95)
    difference = correct[0].astype(float) - other[0]
    half = t.ppf(0.975, 999) * difference.std(ddof=1) / 1000**0.5
    assert found == pytest.approx((5, 100 * (0.05 - half), 100 * (0.05 + half)))


def test_with_every_image_alike_the_interval_is_welchs_of_the_seeds():
    # networks with 10, 11, 12 of 1,000 wrong, and each wrong image is a writer of its own
    rng = np.random.default_rng(0)
    seeds, others = rng.random((5, 200_000)) < 0.98, rng.random((5, 200_000)) < 0.98
    seeds[0] &= rng.random(200_000) < 0.9
    found = interval(seeds, others, np.arange(200_000), 0.95)
    a, b = seeds.mean(axis=1), others.mean(axis=1)
    error = (a.var(ddof=1) / 5 + b.var(ddof=1) / 5) ** 0.5
    assert found.high - found.points == pytest.approx(100 * t.ppf(0.975, 4) * error, rel=0.05)


def test_digits_of_one_writer_count_as_less_than_those_of_many():
    correct = np.tile(np.repeat([True, True, True, False], 250), (3, 1))
    many = interval(correct, None, np.arange(1000), 0.95)
    four = interval(correct, None, np.repeat(np.arange(4), 250), 0.95)
    assert four.points == many.points == 75
    assert four.high - four.low > 10 * (many.high - many.low)


def test_digits_of_one_writer_alone_are_taken_as_of_many():
    correct = np.tile(np.repeat([True, True, True, False], 250), (3, 1))
    one = interval(correct, None, np.full(1000, "me"), 0.95)
    assert one == interval(correct, None, np.arange(1000), 0.95)


def test_networks_that_are_alike_are_seldom_told_apart():
    rng = np.random.default_rng(0)
    false_alarms = 0
    for _ in range(400):
        level = 0.95 + 0.01 * rng.standard_normal((10, 1))  # seeds differ by a point
        correct = rng.random((10, 500)) < level
        found = interval(correct[:5], correct[5:], np.arange(500), 0.95)
        false_alarms += found.low > 0 or found.high < 0
    assert false_alarms <= 0.06 * 400
