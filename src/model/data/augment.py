"""Random changes of training pictures, a whole batch at once, each picture by its own parameters.

Geometry follows torchvision's RandomAffine and RandomPerspective (same parameters, same
distributions), but both maps are composed into one bilinear resampling, which blurs less and does
not cut off what the first map alone would push outside.

All maps are (3, 3) matrices on pixel coordinates (x, y, 1) whose origin is the middle of the
picture, and lead from the new picture to the old one, as sampling needs it.
"""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from model.config import IMAGE_SIZE

HALF = IMAGE_SIZE / 2
LAST = IMAGE_SIZE - 1
PIXELS = IMAGE_SIZE * IMAGE_SIZE
# Top left, top right, bottom right, bottom left as (x, y), and the way inwards from each
_CORNERS = torch.tensor([[0, 0], [LAST, 0], [LAST, LAST], [0, LAST]])
_INWARDS = torch.tensor([[1, 1], [-1, 1], [-1, -1], [1, -1]])
_SPACING = 4.0  # pixels between the bumps of elastic fields, and their standard deviation


@dataclass(frozen=True)
class Augmentation:
    """What is drawn at random for each picture; the defaults leave it as it is.

    Attributes:
        degrees: rotation by up to this angle, either way.
        translate: shift by up to this fraction of the side, in whole pixels, on each axis.
        scale: range of the enlargement.
        shear: horizontal shear by up to this angle in degrees.
        perspective: each corner moves inwards by up to this fraction of half the side, ...
        perspective_probability: ... in this share of the pictures.
        elastic: standard deviation, in pixels, of a smooth random displacement of each pixel
            (Simard, Steinkraus and Platt, "Best practices for convolutional neural networks
            applied to visual document analysis", 2003, who use about 1.4).
        thinner, thicker: strokes lose or gain up to this share of one pixel on each side.
    """

    degrees: float = 0.0
    translate: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    shear: float = 0.0
    perspective: float = 0.0
    perspective_probability: float = 0.5
    elastic: float = 0.0
    thinner: float = 0.0
    thicker: float = 0.0


# normalised pictures hardly differ in place and size: rotation, shear and perspective remain
MILD = Augmentation(degrees=15, translate=0.04, scale=(0.9, 1.1), shear=15, perspective=0.3)
AUGMENTATIONS: dict[str, Augmentation | None] = {
    "none": None,
    # RandomAffine(degrees=25, translate=(0.2, 0.2), shear=15), RandomPerspective(0.3, p=0.5)
    "affine": Augmentation(degrees=25, translate=0.2, shear=15, perspective=0.3),
    "mild": MILD,
    # half of mild: beside synthetic digits, which have slants of their own, more of it does harm
    "slight": Augmentation(
        degrees=7, translate=0.04, scale=(0.92, 1.08), shear=7, perspective=0.15
    ),
    # what else differs from hand to hand and pen to pen
    "elastic": replace(MILD, elastic=0.8, thinner=0.3, thicker=0.7),
}


def augment(images: Tensor, name: str, generator: torch.Generator) -> Tensor:
    """Return changed copies of the pictures, each changed in its own way.

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
    if settings.thinner or settings.thicker:
        images = change_stroke_width(images, random_stroke_width(settings, len(images), generator))
    matrices = random_matrices(settings, len(images), generator)
    displacement = None
    if settings.elastic:
        displacement = random_displacement(settings.elastic, len(images), generator).to(
            images.device
        )
    return warp(images, sampling_grid(matrices.to(images.device), displacement))


def random_matrices(settings: Augmentation, count: int, generator: torch.Generator) -> Tensor:
    """Return maps (count, 3, 3): a random affine one, then for some pictures a perspective one."""
    matrices = affine_matrices(*random_affine(settings, count, generator))
    if settings.perspective:
        corners = random_corners(settings.perspective, count, generator)
        chosen = torch.rand(count, generator=generator) < settings.perspective_probability
        # the new picture is sampled from the affinely changed one, hence this order
        matrices[chosen] = matrices[chosen] @ perspective_matrices(corners[chosen])
    return matrices


def random_affine(
    settings: Augmentation, count: int, generator: torch.Generator
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


def random_corners(distortion: float, count: int, generator: torch.Generator) -> Tensor:
    """Return the pixel indices (N, 4, 2) to which RandomPerspective moves the `_CORNERS`."""
    inwards = torch.randint(0, int(distortion * HALF) + 1, (count, 4, 2), generator=generator)
    return _CORNERS + _INWARDS * inwards


def random_displacement(deviation: float, count: int, generator: torch.Generator) -> Tensor:
    """Return smooth displacements (N, 2, 784) in pixels with this standard deviation.

    They are sums of Gaussian bumps with random weights, on a lattice.
    """
    nodes = torch.arange(-2 * _SPACING, IMAGE_SIZE + 2 * _SPACING + 1, _SPACING)
    bumps = torch.exp(-(((nodes[:, None] - torch.arange(IMAGE_SIZE)) / _SPACING) ** 2) / 2)
    basis = torch.einsum("ay,bx->abyx", bumps, bumps).reshape(-1, PIXELS)
    basis = basis / basis.square().sum(dim=0).sqrt()
    return deviation * (torch.randn(count, 2, len(basis), generator=generator) @ basis)


def random_stroke_width(settings: Augmentation, count: int, generator: torch.Generator) -> Tensor:
    """Return by how much of a pixel strokes grow (> 0) or shrink (< 0) on each side, (N,)."""
    return torch.empty(count).uniform_(-settings.thinner, settings.thicker, generator=generator)


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
    equations = torch.cat(
        [
            torch.stack([x, y, one, zero, zero, zero, -old_x * x, -old_x * y], dim=-1),
            torch.stack([zero, zero, zero, x, y, one, -old_y * x, -old_y * y], dim=-1),
        ],
        dim=1,
    )
    unknowns = torch.linalg.solve(equations, torch.cat([old_x, old_y], dim=1))
    return torch.cat([unknowns, one[:, :1]], dim=1).reshape(-1, 3, 3).float()


def sampling_grid(matrices: Tensor, displacement: Tensor | None = None) -> Tensor:
    """Return where each pixel comes from, as `grid_sample` wants it: (N, 28, 28, 2), float32.

    Args:
        matrices: maps (N, 3, 3) from new to old pixels.
        displacement: pixels (N, 2, 784) by which each source moves further, x before y.
    """
    centred = torch.arange(IMAGE_SIZE, device=matrices.device) + 0.5 - HALF
    x, y = torch.meshgrid(centred, centred, indexing="xy")
    pixels = torch.stack([x, y, torch.ones_like(x)]).reshape(3, PIXELS)
    # one product for the whole batch: (3N, 3) by (3, 784)
    sources = (matrices.reshape(-1, 3) @ pixels).reshape(-1, 3, PIXELS)
    sources = sources[:, :2] / sources[:, 2:]
    if displacement is not None:
        sources = sources + displacement
    return (sources / HALF).transpose(1, 2).reshape(-1, IMAGE_SIZE, IMAGE_SIZE, 2)


def warp(images: Tensor, grid: Tensor) -> Tensor:
    """Return the pictures (N, 1, 28, 28) sampled bilinearly at `grid`, 0 outside of them."""
    return F.grid_sample(images, grid.to(images.dtype), align_corners=False)


def change_stroke_width(images: Tensor, width: Tensor) -> Tensor:
    """Return the pictures (N, 1, 28, 28) with wider (`width` > 0) or narrower strokes.

    Between the picture and its 3x3 dilation (or erosion), which is one pixel wider (narrower) on
    each side, the picture is blended linearly by `width` (N,) in [-1, 1].
    """
    width = width.to(images.device)[:, None, None, None]
    sign = width.sign()  # an erosion is a dilation of the negative
    target = sign * F.max_pool2d(sign * images, 3, stride=1, padding=1)
    return torch.lerp(images, target, width.abs())
