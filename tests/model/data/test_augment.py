"""torchvision is the oracle: the same parameters must give the same grids and pictures."""

from dataclasses import replace

import pytest
import torch
from scipy.stats import ks_2samp
from tests.support.pictures import generator
from torchvision.transforms import (
    InterpolationMode,
    RandomAffine,
    RandomPerspective,
    functional,
)

from model.data import augment as ours
from model.data.augment import AUGMENTATIONS, Augmentation, augment

AFFINE = AUGMENTATIONS["affine"]
COUNT = 200


@pytest.fixture
def images() -> torch.Tensor:
    """Blurred noise with an empty border, as MNIST's pictures have."""
    noise = torch.rand(COUNT, 1, 28, 28, generator=generator(1))
    inside = torch.nn.functional.pad(noise[:, :, 2:-2, 2:-2], (2, 2, 2, 2))
    return torch.nn.functional.avg_pool2d(inside, 3, stride=1, padding=1)


def test_affine_pictures_are_torchvisions(images):
    settings = Augmentation(degrees=25, translate=0.2, shear=15, scale=(0.7, 1.4))
    drawn = ours.random_affine(settings, COUNT, generator())
    changed = ours.warp(images, ours.sampling_grid(ours.affine_matrices(*drawn)))
    for index, (angle, shift, scale, shear) in enumerate(zip(*drawn, strict=True)):
        theirs = functional.affine(
            images[index],
            angle.item(),
            shift.int().tolist(),
            scale.item(),
            [shear.item(), 0.0],
            interpolation=InterpolationMode.BILINEAR,
        )
        assert (changed[index] - theirs).abs().max() < 1 / 255


def test_perspective_pictures_are_torchvisions(images):
    corners = ours.random_corners(0.5, COUNT, generator())
    changed = ours.warp(images, ours.sampling_grid(ours.perspective_matrices(corners)))
    start = [[0, 0], [27, 0], [27, 27], [0, 27]]
    for index, ends in enumerate(corners.tolist()):
        theirs = functional.perspective(
            images[index], start, ends, interpolation=InterpolationMode.BILINEAR
        )
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


def test_half_of_the_pictures_are_seen_in_perspective_by_the_original_augmentation():
    matrices = ours.random_matrices(AFFINE, 4000, generator())
    with_perspective = (matrices[:, 2, :2].abs().amax(dim=1) > 1e-7).float().mean().item()
    # of all draws of corners, 1 in 5^8 is the identity
    assert abs(with_perspective - 0.5) < 4 * (0.25 / 4000) ** 0.5


def test_one_resampling_is_affine_then_perspective(images):
    """On a smooth picture both resamplings agree but for the second one's blur."""
    smooth = torch.nn.functional.avg_pool2d(images, 5, stride=1, padding=2)
    settings = replace(AFFINE, perspective_probability=1.0)
    both = ours.random_matrices(settings, COUNT, generator())
    draws = generator()  # gives the same parameters once more
    affine = ours.affine_matrices(*ours.random_affine(settings, COUNT, draws))
    perspective = ours.perspective_matrices(ours.random_corners(0.3, COUNT, draws))
    at_once = ours.warp(smooth, ours.sampling_grid(both))
    in_turn = ours.warp(
        ours.warp(smooth, ours.sampling_grid(affine)), ours.sampling_grid(perspective)
    )
    other_order = ours.warp(smooth, ours.sampling_grid(perspective @ affine))

    middle = slice(8, 20)  # away from what the first resampling cuts off
    error = (at_once - in_turn)[..., middle, middle].abs().mean()
    assert error < 0.01
    assert error < (other_order - in_turn)[..., middle, middle].abs().mean() / 2


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_seed_alone_decides_how_each_picture_is_changed_and_the_input_stays_as_it_is(
    name, images
):
    before = images.clone()
    first = augment(images, name, generator(3))
    torch.manual_seed(99)  # the global generator plays no part
    second = augment(images, name, generator(3))

    assert torch.equal(first, second)
    assert torch.equal(images, before)
    assert first.shape == images.shape
    assert first.dtype == images.dtype
    assert first.min() >= 0
    assert first.max() <= 1
    same = images[:1].expand(50, -1, -1, -1).contiguous()
    each = augment(same, name, generator()).flatten(1).unique(dim=0)
    assert len(each) == (1 if name == "none" else 50)
    assert torch.equal(first, images) == (name == "none")


def test_elastic_displacement_is_smooth_and_has_the_given_deviation():
    field = ours.random_displacement(1.4, 2000, generator()).reshape(2000, 2, 28, 28)

    deviation = field.std(dim=(0, 1))
    assert ((deviation - 1.4).abs() < 0.1).all()
    # Gaussian bumps of width s correlate by exp(-d^2 / 4s^2) at distance d: 0.98 at 1, s = 4
    neighbours = torch.corrcoef(torch.stack([field[..., 1:].flatten(), field[..., :-1].flatten()]))
    assert abs(neighbours[0, 1] - 0.98) < 0.01


def test_elastic_displacement_moves_the_sources_by_that_many_pixels():
    still = ours.sampling_grid(torch.eye(3)[None])
    displacement = torch.zeros(1, 2, 784)
    displacement[0, 0, 28 * 5 + 7] = 2.0  # x of the pixel in row 5, column 7
    moved = (ours.sampling_grid(torch.eye(3)[None], displacement) - still) * 14

    assert moved[0, 5, 7].tolist() == pytest.approx([2.0, 0.0], abs=1e-5)
    assert moved.abs().sum().item() == pytest.approx(2.0, abs=1e-3)


def test_strokes_grow_and_shrink_by_a_pixel_on_each_side():
    stroke = torch.zeros(4, 1, 28, 28)
    stroke[:, :, 5:20, 10:15] = 1.0
    changed = ours.change_stroke_width(stroke, torch.tensor([1.0, -1.0, 0.0, 0.5]))

    assert changed.sum(dim=3)[:, 0, 12].tolist() == [7.0, 3.0, 5.0, 6.0]
    assert torch.equal(changed[2], stroke[2])
    # its ends too
    assert changed.sum(dim=2)[:, 0, 12].tolist() == [17.0, 13.0, 15.0, 16.0]


def test_random_stroke_widths_fill_their_range():
    settings = Augmentation(thinner=0.3, thicker=0.7)
    widths = ours.random_stroke_width(settings, 4000, generator())

    assert -0.3 <= widths.min() < -0.29
    assert 0.69 < widths.max() <= 0.7
