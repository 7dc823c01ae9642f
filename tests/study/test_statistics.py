import numpy as np
import pytest

from study.statistics import compare, mcnemar


def answers(*counts: tuple[bool, bool, int]) -> tuple[np.ndarray, np.ndarray]:
    """Right or wrong of two networks, from how many images have which pair of answers."""
    pairs = np.array([(a, b) for a, b, count in counts for _ in range(count)], dtype=bool)
    return pairs[:, :1].T, pairs[:, 1:].T


def test_mcnemar_agrees_with_a_hand_calculation():
    a, b = answers((True, True, 50), (True, False, 5), (False, True, 1), (False, False, 3))
    # of 6 images that one alone gets right, at most 1 on one side: 2 (1 + 6) / 2^6
    assert mcnemar(a[0], b[0]) == pytest.approx(2 * 7 / 64)


def test_networks_that_agree_do_not_differ():
    a, b = answers((True, True, 90), (False, False, 10))
    difference = compare(a, b, 0.95)
    assert (difference.points, difference.low, difference.high) == (0, 0, 0)
    assert difference.mcnemar == 1
    assert not difference.shown


def test_the_interval_of_single_networks_is_the_normal_one():
    a, b = answers((True, True, 9500), (True, False, 300), (False, True, 200))
    difference = compare(a, b, 0.95)
    # of 10,000 paired differences: mean 0.01, variance (500 / 10,000) - 0.01^2
    deviation = 100 * ((0.05 - 0.01**2) / 10_000) ** 0.5
    assert difference.points == pytest.approx(1)
    assert difference.low == pytest.approx(1 - 1.96 * deviation, abs=0.03)
    assert difference.high == pytest.approx(1 + 1.96 * deviation, abs=0.03)
    assert difference.shown


def test_a_higher_confidence_gives_a_wider_interval():
    a, b = answers((True, True, 9500), (True, False, 300), (False, True, 200))
    narrow, wide = compare(a, b, 0.9), compare(a, b, 0.999)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_the_spread_of_the_seeds_widens_the_interval():
    rng = np.random.default_rng(0)
    b = rng.random((3, 10_000)) < 0.97
    level = rng.random((3, 10_000)) < 0.98
    spread = rng.random((3, 10_000)) < np.array([[0.97], [0.98], [0.99]])
    narrow, wide = compare(level, b, 0.95), compare(spread, b, 0.95)
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_swapping_the_sets_turns_the_sign():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 3, 1000)) < 0.9
    one, other = compare(a, b, 0.95), compare(b, a, 0.95)
    assert one.points == pytest.approx(-other.points)
    assert one.mcnemar == other.mcnemar
