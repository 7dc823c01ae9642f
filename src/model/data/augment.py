"""Random changes of training images, a whole batch at once, each image by its own parameters.

Parameters and distributions are those of torchvision's RandomAffine and RandomPerspective. Both
maps are composed into one bilinear resampling, which blurs less and cuts off less. The grid is
computed here, for `torch.nn.functional.affine_grid` knows no perspective.

Maps are (3, 3) matrices on pixel coordinates (x, y, 1); the origin is the middle of the image.
They lead from the new image to the old one, as sampling needs it.
"""

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from model.config import AUGMENTATIONS, IMAGE_SIZE, Augmentation

HALF = IMAGE_SIZE / 2
LAST = IMAGE_SIZE - 1
# Top left, top right, bottom right, bottom left as (x, y), and the way inwards from each
_CORNERS = torch.tensor([[0, 0], [LAST, 0], [LAST, LAST], [0, LAST]])
_INWARDS = torch.tensor([[1, 1], [-1, 1], [-1, -1], [1, -1]])


def augment(images: Tensor, name: str, generator: Generator) -> Tensor:
    """Return changed copies of the images, each changed in its own way.

    Images are floats (N, 1, 28, 28), background 0; what comes in from outside is 0 too. The
    generator is the CPU's, so that a seed gives the same parameters on every device.
    """
    settings = AUGMENTATIONS[name]
    if settings is None:
        return images
    return warp(images, random_matrices(settings, len(images), generator))


def random_matrices(settings: Augmentation, count: int, generator: Generator) -> Tensor:
    """Return maps (count, 3, 3): a random affine one, then for some images a perspective one."""
    matrices = affine_matrices(*random_affine(settings, count, generator))
    if settings.perspective:
        corners = random_corners(settings.perspective, count, generator)
        chosen = torch.rand(count, generator=generator) < settings.perspective_probability
        # the new image is sampled from the affinely changed one, hence this order
        matrices[chosen] = matrices[chosen] @ perspective_matrices(corners[chosen])
    return matrices


def random_affine(
    settings: Augmentation, count: int, generator: Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return angle (N,), shift (N, 2), scale (N,), shear (N,) as RandomAffine draws them."""

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.empty(count, *shape).uniform_(low, high, generator=generator)

    shift = settings.translate * IMAGE_SIZE
    return (
        uniform(-settings.degrees, settings.degrees),
        uniform(-shift, shift, 2).round(),
        uniform(*settings.scale),
        uniform(-settings.shear, settings.shear),
    )


def random_corners(distortion: float, count: int, generator: Generator) -> Tensor:
    """Return the pixel indices (N, 4, 2) to which RandomPerspective moves the `_CORNERS`."""
    inwards = torch.randint(0, int(distortion * HALF) + 1, (count, 4, 2), generator=generator)
    return _CORNERS + _INWARDS * inwards


def affine_matrices(angle: Tensor, shift: Tensor, scale: Tensor, shear: Tensor) -> Tensor:
    """Return the maps (N, 3, 3) of `torchvision.transforms.functional.affine`.

    The clockwise angle and the horizontal shear are in degrees, shifts (x, y) in pixels.
    """
    rotation, tangent = angle.deg2rad(), shear.deg2rad().tan()
    cos, sin = rotation.cos(), rotation.sin()
    # The inverse of: shear, then rotate, then enlarge, then shift
    linear = torch.stack([cos - sin * tangent, sin + cos * tangent, -sin, cos], dim=-1)
    linear = linear.reshape(-1, 2, 2) / scale[:, None, None]
    matrices = torch.eye(3).repeat(len(angle), 1, 1)
    matrices[:, :2, :2] = linear
    matrices[:, :2, 2] = -(linear @ shift[:, :, None])[:, :, 0]
    return matrices


def perspective_matrices(corners: Tensor) -> Tensor:
    """Return the maps (N, 3, 3) of `torchvision.transforms.functional.perspective`.

    A map (x, y) -> (ax + by + c, dx + ey + f) / (gx + hy + 1) has eight unknowns. It leads the new
    `corners` (N, 4, 2) to the old ones, which gives eight equations. Like torchvision's, it takes
    the corners' indices for coordinates, half a pixel away.
    """
    x, y = (corners.double() - HALF).unbind(-1)
    old_x, old_y = (_CORNERS.double() - HALF).expand_as(corners).unbind(-1)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    rows_x = torch.stack([x, y, one, zero, zero, zero, -old_x * x, -old_x * y], dim=-1)
    rows_y = torch.stack([zero, zero, zero, x, y, one, -old_y * x, -old_y * y], dim=-1)
    equations = torch.cat([rows_x, rows_y], dim=1)
    unknowns = torch.linalg.solve(equations, torch.cat([old_x, old_y], dim=1))
    return torch.cat([unknowns, one[:, :1]], dim=1).reshape(-1, 3, 3).float()


def warp(images: Tensor, matrices: Tensor) -> Tensor:
    """Return the images (N, 1, 28, 28) sampled bilinearly by maps (N, 3, 3), 0 outside of them."""
    centred = torch.arange(IMAGE_SIZE, device=images.device) + 0.5 - HALF
    x, y = torch.meshgrid(centred, centred, indexing="xy")
    pixels = torch.stack([x, y, torch.ones_like(x)]).reshape(3, -1)
    # One product for the whole batch: (3N, 3) by (3, 784)
    sources = matrices.to(images.device).reshape(-1, 3) @ pixels
    sources = sources.reshape(len(images), 3, -1)
    sources = sources[:, :2] / sources[:, 2:]
    grid = (sources / HALF).transpose(1, 2).reshape(-1, IMAGE_SIZE, IMAGE_SIZE, 2)
    return F.grid_sample(images, grid, align_corners=False)
