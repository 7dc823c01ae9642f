"""torchvision is the oracle: the same parameters must give the same grids and images."""

from dataclasses import replace

import pytest
import torch
from scipy.stats import ks_2samp
from tests.support.pictures import generator
from torchvision.transforms import InterpolationMode as Mode
from torchvision.transforms import RandomAffine, RandomPerspective, functional

from model.config import AUGMENTATIONS, Augmentation
from model.data import augment as ours
from model.data.augment import augment

AFFINE = AUGMENTATIONS["affine"]
COUNT = 200


@pytest.fixture
def images() -> torch.Tensor:
    """Blurred noise with an empty border, as MNIST's images have."""
    noise = torch.rand(COUNT, 1, 28, 28, generator=generator(1))
    inside = torch.nn.functional.pad(noise[:, :, 2:-2, 2:-2], (2, 2, 2, 2))
    return torch.nn.functional.avg_pool2d(inside, 3, stride=1, padding=1)


def test_affine_images_are_torchvisions(images):
    settings = Augmentation(degrees=25, translate=0.2, shear=15, scale=(0.7, 1.4))
    drawn = ours.random_affine(settings, COUNT, generator())
    changed = ours.warp(images, ours.affine_matrices(*drawn))
    for index, (angle, shift, scale, shear) in enumerate(zip(*drawn, strict=True)):
        theirs = functional.affine(
            images[index],
            *(angle.item(), shift.int().tolist(), scale.item(), [shear.item(), 0.0]),
            interpolation=Mode.BILINEAR,
        )
        assert (changed[index] - theirs).abs().max() < 1 / 255


def test_perspective_images_are_torchvisions(images):
    corners = ours.random_corners(0.5, COUNT, generator())
    changed = ours.warp(images, ours.perspective_matrices(corners))
    start = [[0, 0], [27, 0], [27, 27], [0, 27]]
    for index, ends in enumerate(corners.tolist()):
        theirs = functional.perspective(images[index], start, ends, interpolation=Mode.BILINEAR)
        assert (changed[index] - theirs).abs().max() < 1 / 255


def test_random_affine_parameters_have_torchvisions_distributions():
    """Kolmogorov-Smirnov on each parameter; seeds are fixed, so the outcome is too."""
    count = 4000
    settings = Augmentation(degrees=25, translate=0.2, scale=(0.9, 1.1), shear=15)
    angle, shift, scale, shear = ours.random_affine(settings, count, generator())
    torch.manual_seed(1)
    theirs = [
        RandomAffine.get_params([-25.0, 25.0], [0.2, 0.2], [0.9, 1.1], [-15.0, 15.0], [28, 28])
        for _ in range(count)
    ]
    flat = torch.tensor([(angle, *shift, scale, shear[0]) for angle, shift, scale, shear in theirs])
    for mine, other in zip((angle, *shift.T, scale, shear), flat.T, strict=True):
        assert ks_2samp(mine.numpy(), other.numpy()).pvalue > 0.01
    assert torch.equal(shift, shift.round())


def test_random_corners_have_torchvisions_distributions():
    count = 4000
    corners = ours.random_corners(0.3, count, generator())
    torch.manual_seed(1)
    theirs = torch.tensor([RandomPerspective.get_params(28, 28, 0.3)[1] for _ in range(count)])
    for corner in range(4):
        for axis in range(2):
            mine, other = corners[:, corner, axis], theirs[:, corner, axis]
            assert set(mine.tolist()) == set(other.tolist())
            assert ks_2samp(mine.numpy(), other.numpy()).pvalue > 0.01


def test_half_of_the_images_are_seen_in_perspective_by_the_original_augmentation():
    matrices = ours.random_matrices(AFFINE, 4000, generator())
    with_perspective = (matrices[:, 2, :2].abs().amax(dim=1) > 1e-7).float().mean().item()
    # of all draws of corners, 1 in 5^8 is the identity
    assert abs(with_perspective - 0.5) < 4 * (0.25 / 4000) ** 0.5


def test_one_resampling_is_affine_then_perspective(images):
    """On a smooth image both resamplings agree but for the second one's blur."""
    smooth = torch.nn.functional.avg_pool2d(images, 5, stride=1, padding=2)
    settings = replace(AFFINE, perspective_probability=1.0)
    both = ours.random_matrices(settings, COUNT, generator())
    draws = generator()  # gives the same parameters once more
    affine = ours.affine_matrices(*ours.random_affine(settings, COUNT, draws))
    perspective = ours.perspective_matrices(ours.random_corners(0.3, COUNT, draws))
    at_once = ours.warp(smooth, both)
    in_turn = ours.warp(ours.warp(smooth, affine), perspective)
    other_order = ours.warp(smooth, perspective @ affine)

    middle = slice(8, 20)  # away from what the first resampling cuts off
    error = (at_once - in_turn)[..., middle, middle].abs().mean()
    assert error < 0.01
    assert error < (other_order - in_turn)[..., middle, middle].abs().mean() / 2


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_seed_alone_decides_how_each_image_is_changed_and_the_input_stays_as_it_is(
    name, images
):
    before = images.clone()
    first = augment(images, name, generator(3))
    torch.manual_seed(99)  # the global generator plays no part
    assert torch.equal(first, augment(images, name, generator(3)))
    assert torch.equal(images, before)
    assert first.shape == images.shape
    assert first.min() >= 0 and first.max() <= 1
    same = images[:1].expand(50, -1, -1, -1).contiguous()
    each = augment(same, name, generator()).flatten(1).unique(dim=0)
    assert len(each) == (1 if name == "none" else 50)
    assert torch.equal(first, images) == (name == "none")
