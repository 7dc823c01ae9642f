from itertools import pairwise

import numpy as np
import pytest

from model.data.strokes import StrokeSample
from model.numbers.write import GAPS, HEIGHT, numbers_of_writers, synthetic_samples, write_number

ONE = StrokeSample(label=1, writer="ada", strokes=[[(0, 0), (0, 100)]])
ZERO = StrokeSample(label=0, writer="bob", strokes=[[(0, 0), (60, 0), (60, 100), (0, 100), (0, 0)]])


def extents(image: np.ndarray) -> list[tuple[int, int]]:
    """First and last column of each run of ink."""
    edges = np.flatnonzero(np.diff(image.any(axis=0), prepend=False, append=False))
    return list(zip(edges[::2], edges[1::2], strict=True))


def test_digits_stand_from_left_to_right_with_the_gap_between_their_edges():
    for seed in range(10):
        number = write_number([ONE, ZERO, ONE], (0.3, 0.3), np.random.default_rng(seed))
        assert number.text == "101"
        runs = extents(number.image >= 128)
        height = np.ptp(np.flatnonzero(number.image.any(axis=1))) + 1
        gaps = [start - end for (_, end), (start, _) in pairwise(runs)]
        assert len(gaps) == 2
        assert gaps == pytest.approx([0.3 * height] * 2, abs=0.06 * height + 2)


def test_a_number_has_one_writer_and_a_seed_always_gives_the_same():
    first, again = (numbers_of_writers([ONE, ZERO], 20, GAPS["apart"], seed=4) for _ in range(2))
    assert all(len(set(number.text)) == 1 and 2 <= len(number.text) <= 6 for number in first)
    assert {(number.text[0], number.writer) for number in first} == {("0", "bob"), ("1", "ada")}
    assert all((a.image == b.image).all() for a, b in zip(first, again, strict=True))
    heights = [number.image.any(axis=1).sum() for number in first]
    assert min(heights) > 0.7 * HEIGHT[0] and max(heights) < 1.5 * HEIGHT[1]


def test_synthetic_samples_are_of_all_digits_and_a_seed_always_gives_the_same():
    samples, again = (synthetic_samples(60, seed=2) for _ in range(2))
    assert {sample.label for sample in samples} == set(range(10))
    assert [sample.strokes for sample in samples] == [sample.strokes for sample in again]
    assert all(len(stroke) > 1 for sample in samples for stroke in sample.strokes)
