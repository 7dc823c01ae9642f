"""Random changes of training images, a whole batch at once, each image by its own parameters.

Geometry follows torchvision's RandomAffine and RandomPerspective (same parameters, same
distributions), but both maps are composed into one bilinear resampling, which blurs less and does
not cut off what the first map alone would push outside. `torch.nn.functional.affine_grid` knows
no perspective, so the grid is computed here.

All maps are (3, 3) matrices on pixel coordinates (x, y, 1) whose origin is the middle of the
image. They lead from the new image to the old one, as sampling needs it.
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

    Args:
        images: float (N, 1, 28, 28), background 0: what comes in from outside is 0 too.
        name: a key of AUGMENTATIONS.
        generator: a CPU generator, so that a seed gives the same parameters on every device.

    Returns:
        Same shape, device and range; `images` itself for "none".
    """
    settings = AUGMENTATIONS[name]
    if settings is None:
        return images
    matrices = random_matrices(settings, len(images), generator)
    return warp(images, sampling_grid(matrices.to(images.device)))


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
    """Return angle (N,), shift in pixels (N, 2), scale (N,), shear (N,) as RandomAffine draws them.

    Angles are in degrees; x comes before y.
    """

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


def affine_matrices(angle: Tensor, translate: Tensor, scale: Tensor, shear: Tensor) -> Tensor:
    """Return the maps (N, 3, 3) of `torchvision.transforms.functional.affine`.

    `angle`, clockwise, and `shear`, horizontal, are in degrees (N,); `translate` (N, 2) is in
    pixels, x before y; `scale` (N,) is the enlargement.
    """
    rotation, tangent = angle.deg2rad(), shear.deg2rad().tan()
    cos, sin = rotation.cos(), rotation.sin()
    # the inverse of: shear, then rotate, then enlarge ...
    linear = torch.stack([cos - sin * tangent, sin + cos * tangent, -sin, cos], dim=-1)
    linear = linear.reshape(-1, 2, 2) / scale[:, None, None]
    # ... after the shift is taken back
    matrices = torch.eye(3).repeat(len(angle), 1, 1)
    matrices[:, :2, :2] = linear
    matrices[:, :2, 2] = -(linear @ translate[:, :, None])[:, :, 0]
    return matrices


def perspective_matrices(corners: Tensor) -> Tensor:
    """Return the maps (N, 3, 3) of `torchvision.transforms.functional.perspective`.

    `corners` (N, 4, 2) are the pixel indices to which the `_CORNERS` move. A map
    (x, y) -> (ax + by + c, dx + ey + f) / (gx + hy + 1) has eight unknowns; that it leads the four
    new corners to the four old ones gives eight linear equations. Like torchvision's, it takes the
    indices of corners for coordinates, which differ from them by half a pixel.
    """
    x, y = (corners.double() - HALF).unbind(-1)
    old_x, old_y = (_CORNERS.double() - HALF).expand_as(corners).unbind(-1)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    rows_x = torch.stack([x, y, one, zero, zero, zero, -old_x * x, -old_x * y], dim=-1)
    rows_y = torch.stack([zero, zero, zero, x, y, one, -old_y * x, -old_y * y], dim=-1)
    equations = torch.cat([rows_x, rows_y], dim=1)
    unknowns = torch.linalg.solve(equations, torch.cat([old_x, old_y], dim=1))
    return torch.cat([unknowns, one[:, :1]], dim=1).reshape(-1, 3, 3).float()


def sampling_grid(matrices: Tensor) -> Tensor:
    """Return the grid (N, 28, 28, 2) of `grid_sample` for maps (N, 3, 3) from new to old pixels."""
    centred = torch.arange(IMAGE_SIZE, device=matrices.device) + 0.5 - HALF
    x, y = torch.meshgrid(centred, centred, indexing="xy")
    pixels = torch.stack([x, y, torch.ones_like(x)]).reshape(3, -1)
    # one product for the whole batch: (3N, 3) by (3, 784)
    sources = (matrices.reshape(-1, 3) @ pixels).reshape(len(matrices), 3, -1)
    sources = sources[:, :2] / sources[:, 2:]
    return (sources / HALF).transpose(1, 2).reshape(-1, IMAGE_SIZE, IMAGE_SIZE, 2)


def warp(images: Tensor, grid: Tensor) -> Tensor:
    """Return the images (N, 1, 28, 28) sampled bilinearly at `grid`, 0 outside of them."""
    return F.grid_sample(images, grid.to(images.dtype), align_corners=False)
