import pytest
import torch

from study.corruptions import SEVERITIES, corrupt


@pytest.fixture
def images() -> torch.Tensor:
    """Random images with 6 empty pixels all around."""
    inside = torch.randint(0, 256, (8, 16, 16), generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.pad(inside, (6, 6, 6, 6)).byte()


@pytest.mark.parametrize("kind", SEVERITIES)
def test_one_severity_of_each_corruption_leaves_the_images_as_they_are(kind, images):
    neutral = 1 if kind == "scale" else 0
    assert neutral in SEVERITIES[kind]
    assert torch.equal(corrupt(images, kind, neutral), images)


def test_a_shift_moves_images_right_left_down_and_up_in_turn(images):
    moved = corrupt(images, "shift", 3)
    for index, (shift, axis) in enumerate([(3, 1), (-3, 1), (3, 0), (-3, 0)]):
        assert torch.equal(moved[index], images[index].roll(shift, axis))
        assert torch.equal(moved[index + 4], images[index + 4].roll(shift, axis))


def test_a_rotation_is_clockwise(images):
    turned = corrupt(images, "rotation", 90)
    assert torch.equal(turned, images.rot90(-1, (1, 2)))


def test_scaling_by_two_makes_the_foreground_four_times_as_much():
    images = torch.zeros(1, 28, 28, dtype=torch.uint8)
    images[0, 10:18, 11:17] = 200
    assert corrupt(images, "scale", 2).sum() == pytest.approx(4 * images.sum().item(), rel=0.02)


def test_noise_has_the_given_deviation_and_is_the_same_for_every_network():
    grey = torch.full((500, 28, 28), 128, dtype=torch.uint8)
    noisy = corrupt(grey, "noise", 0.1)
    assert noisy.float().std() == pytest.approx(25.5, rel=0.02)
    assert torch.equal(noisy, corrupt(grey, "noise", 0.1))
