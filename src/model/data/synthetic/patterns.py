"""Outliers made of pixels: patches, shapes, codes, stripes, blurs and noise."""

import math

import torch
from torch import Generator, Tensor, randint
from torch.nn.functional import interpolate

from model.config import DIGIT_SIZE, IMAGE_SIZE
from model.data.synthetic.deform import normal, some, uniform
from model.data.synthetic.digits import place


def filled_shapes(count: int, generator: Generator) -> Tensor:
    """Filled blobs, boxes and triangles; none upright and narrow, as a thick 1 is."""
    corners = randint(3, 9, (count, 1, 1), generator=generator)
    x, y = _grid(count, generator)
    angle = torch.atan2(y, x) + uniform((count, 1, 1), 0, 2 * math.pi, generator)
    sector = 2 * math.pi / corners
    polygon = (sector / 2).cos() / ((angle % sector) - sector / 2).cos()
    wobble = 1 + 0.15 * (angle * corners + 1).sin()
    reach = torch.where(some((count, 1, 1), 0.5, generator), polygon, wobble)
    return place(((reach - (x * x + y * y).sqrt()) * 8 + 0.5).clamp(0, 1))


def textures(count: int, generator: Generator) -> Tensor:
    """Patches as of a photograph: smooth noise, hard or soft, and gradients."""
    images = torch.empty(count, DIGIT_SIZE, DIGIT_SIZE)
    size = randint(3, 12, (count,), generator=generator)
    for side in range(3, 12):
        of_size = size == side
        noise = torch.randn((int(of_size.sum()), 1, side, side), generator=generator)
        images[of_size] = interpolate(noise, DIGIT_SIZE, mode="bicubic", align_corners=True)[:, 0]
    x, y = _grid(count, generator)
    slope = normal((count, 2, 1, 1), 0.7, generator)
    hardness = uniform((count, 1, 1), 0.3, 8, generator)
    level = uniform((count, 1, 1), -0.3, 0.8, generator)
    images = images + slope[:, 0] * x + slope[:, 1] * y
    return place(torch.sigmoid(images * hardness + level))


def codes(count: int, generator: Generator) -> Tensor:
    """Black and white squares at random, like a QR code, and upright or lying bars."""
    side = randint(5, 13, (count, 1, 1), generator=generator)
    columns = torch.arange(DIGIT_SIZE) * side // DIGIT_SIZE
    bits = some((count, 12, 12), 0.5, generator).float()
    rows = torch.where(some((count, 1, 1), 0.2, generator), 0, columns.transpose(1, 2))  # bars
    bits[:, 0, :3] = torch.tensor([1.0, 0.0, 1.0])  # never blank, never a single upright bar
    return place(bits[torch.arange(count)[:, None, None], rows, columns])


def stripes(count: int, generator: Generator) -> Tensor:
    """Three stripes or more, hard or soft, of any direction."""
    x, y = _grid(count, generator)
    angle = uniform((count, 1, 1), 0, math.pi, generator)
    wave = math.pi * uniform((count, 1, 1), 2.2, 7, generator)
    phase = uniform((count, 1, 1), 0, 2 * math.pi, generator)
    height = (wave * (x * angle.cos() + y * angle.sin()) + phase).sin()
    return place(torch.sigmoid(height * uniform((count, 1, 1), 1, 10, generator)))


def blurs(count: int, generator: Generator) -> Tensor:
    """Two to four soft spots that run into each other, or a single one that does not stand."""
    spots = 4
    line = torch.linspace(-1, 1, DIGIT_SIZE)
    middle = uniform((count, spots, 2, 1, 1), -0.6, 0.6, generator)
    x, y = line - middle[:, :, 0], line[:, None] - middle[:, :, 1]
    wide = uniform((count, spots, 1, 1), 0.2, 0.7, generator)
    high = wide * uniform((count, spots, 1, 1), 0.3, 1.3, generator)
    tilt = normal((count, spots, 1, 1), 0.3, generator)
    heights = torch.exp(-((x / wide) ** 2) - ((y + tilt * x) / high) ** 2)
    present = torch.arange(spots) < randint(1, spots + 1, (count, 1), generator=generator)
    return place((heights * present[..., None, None]).sum(1).tanh())


def noise(count: int, generator: Generator) -> Tensor:
    """Noise over the whole image: even, with bright and dark pixels, or with few bright ones."""
    levels = torch.rand((count, IMAGE_SIZE, IMAGE_SIZE), generator=generator)
    return place(levels ** uniform((count, 1, 1), -1, 4, generator).exp2())


def _grid(count: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return coordinates x, y (n, 20, 20) from -1 to 1, of boxes less high or less wide than 20."""
    squeeze = uniform((count, 1, 1), 0.6, 1.0, generator)
    lying = some((count, 1, 1), 0.7, generator)
    line = torch.linspace(-1, 1, DIGIT_SIZE)
    return line / torch.where(lying, 1.0, squeeze), line[:, None] / torch.where(lying, squeeze, 1.0)
