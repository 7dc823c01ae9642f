import numpy as np
import pytest
import torch
from tests.support.pictures import generator

from model.data.synthetic.outliers import KINDS, synthesize_outliers
from model.data.synthetic.patterns import noise


def test_a_seed_gives_the_same_pictures_none_blank_and_another_seed_others():
    images = synthesize_outliers(700, generator())
    assert images.shape == (700, 28, 28) and images.dtype == torch.uint8
    assert images.amax((1, 2)).min() > 100
    assert torch.equal(images, synthesize_outliers(700, generator()))
    assert not torch.equal(images, synthesize_outliers(700, generator(1)))
    assert synthesize_outliers(0, generator()).shape == (0, 28, 28)


@pytest.mark.parametrize(
    "make", [kind for kind in KINDS if kind is not noise], ids=lambda make: make.__name__
)
def test_every_kind_but_noise_is_centred_by_mass_and_fills_the_frame(make):
    images = make(60, generator()).double()
    assert images.shape == (60, 28, 28)
    inked = (images > 20).numpy()
    sides = np.array([np.ptp(np.argwhere(image), axis=0).max() + 1 for image in inked])
    assert sides.max() <= 21
    assert np.median(sides) >= 17
    assert len(torch.unique(images.flatten(1), dim=0)) > 55


def test_noise_covers_the_whole_image_with_few_bright_pixels_or_with_many():
    images = noise(200, generator()) / 255
    inked = (images > 0.2).double().mean(0)
    assert inked.min() > 0.2
    assert inked.max() - inked.min() < 0.3
    brightness = images.mean((1, 2))
    assert brightness.min() < 0.1
    assert brightness.max() > 0.6
