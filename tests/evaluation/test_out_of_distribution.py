import numpy as np
import pytest

from evaluation.out_of_distribution import KINDS, LETTERS, SYMBOLS, ood_samples


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_comes_as_the_reader_gets_it(kind):
    images = ood_samples(kind, 12, seed=0)
    assert images.shape == (12, 28, 28)
    assert images.dtype == np.uint8
    assert images.max(axis=(1, 2)).min() > 100
    assert np.array_equal(images, ood_samples(kind, 12, seed=0))
    assert not np.array_equal(images, ood_samples(kind, 12, seed=1))


def test_no_letter_or_symbol_is_shaped_like_a_digit():
    assert not set(LETTERS) & set("BDGIJOQSZYCU")
    assert not set(SYMBOLS) & {"minus", "bar", "circle", "ring"}
