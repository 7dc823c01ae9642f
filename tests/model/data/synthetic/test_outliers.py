import numpy as np
import pytest
import torch
from tests.support.pictures import generator

from model.data.synthetic.outliers import KINDS, synthesize_outliers


def test_a_seed_gives_the_same_pictures_none_blank_and_another_seed_others():
    images = synthesize_outliers(700, generator())
    assert images.shape == (700, 28, 28) and images.dtype == torch.uint8
    assert images.amax((1, 2)).min() > 100
    assert torch.equal(images, synthesize_outliers(700, generator()))
    assert not torch.equal(images, synthesize_outliers(700, generator(1)))
    assert synthesize_outliers(0, generator()).shape == (0, 28, 28)


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_every_kind_is_centred_by_mass_and_fills_the_frame(make):
    images = make(60, generator()).double()
    assert images.shape == (60, 28, 28)
    inked = (images > 20).numpy()
    sides = np.array([np.ptp(np.argwhere(image), axis=0).max() + 1 for image in inked])
    assert sides.max() <= 21
    assert np.median(sides) >= 17
    assert len(torch.unique(images.flatten(1), dim=0)) > 55
