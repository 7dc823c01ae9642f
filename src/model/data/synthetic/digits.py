"""Handwritten digits synthesised from strokes, for training without a download.

MNIST's writers are American; much of the world crosses its 7, flags its 1 and curls its 9.
`digits.txt` holds the forms, `deform` varies them, `render` draws them as a round brush on a canvas
would, sized and placed by MNIST's rule.
"""

import math
from pathlib import Path

import torch
from torch import Generator, Tensor

from model.config import CENTER_INDEX, DIGIT_SIZE, IMAGE_SIZE, NUM_CLASSES
from model.data.synthetic.deform import deform, uniform
from model.data.synthetic.templates import Templates

CHUNK = 1024  # digits drawn at once: bounds the memory
TEMPLATES = Templates(Path(__file__).with_name("digits.txt").read_text("utf-8"))
# How often each template (column) is drawn for each digit (row).
FREQUENCY = torch.stack([TEMPLATES.frequency(str(digit)) for digit in range(NUM_CLASSES)])
DRAWN_SIZE = DIGIT_SIZE + 2  # a digit with the edge of its anti-aliased line
PEN_POINTS = 112  # on a whole digit: less than a pixel apart, so that the line has no gaps
DISTANCES_AT_ONCE = 1_500_000  # held in memory, 6 MB: they stay in the cache of a processor
BRUSH = (8.0, 29.0)  # pixels of a canvas of 280; finer ones preprocessing itself thickens
CURVE_SIDE = (90.0, 230.0)  # longest side of what is drawn, the same pixels


def synthesize_digits(labels: Tensor, generator: Generator) -> Tensor:
    """Return handwritten digits (N, 28, 28), uint8, ink 255 on 0, for `labels` (N,) of 0 to 9.

    They follow MNIST's rule of size and place. The same generator state gives the same pictures.
    """
    images = torch.empty(len(labels), IMAGE_SIZE, IMAGE_SIZE, dtype=torch.uint8)
    for start in range(0, len(labels), CHUNK):
        part = slice(start, start + CHUNK)
        images[part] = render(resample(*write_digits(labels[part], generator)), generator)
    return images


def write_digits(labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return the strokes of handwritten digits, as `deform` does, for `labels` (n,) of 0 to 9."""
    index = torch.multinomial(FREQUENCY[labels], 1, generator=generator)[:, 0]
    return deform(TEMPLATES, index, generator)


def resample(curves: Tensor, present: Tensor | None = None, count: int = PEN_POINTS) -> Tensor:
    """Return `count` points (n, count, 2) evenly spaced along all strokes (n, S, K, 2) of drawings.

    `present` (n, S) is false where a drawing has fewer strokes than others. What is much longer
    than a digit needs more points.
    """
    n, strokes, points, _ = curves.shape
    if present is not None:  # what is absent collapses onto the first stroke's end, without extent
        curves = torch.where(present[:, :, None, None], curves, curves[:, :1, -1:])
    length = torch.zeros(n, strokes, points)
    length[..., 1:] = (curves[:, :, 1:] - curves[:, :, :-1]).norm(dim=-1)
    arc_length = length.view(n, -1).cumsum(1)
    curves = curves.reshape(n, -1, 2)
    target = arc_length[:, -1:] * torch.linspace(0, 1, count)
    after = torch.searchsorted(arc_length, target).clamp(1, arc_length.shape[1] - 1)
    way_before, way_after = arc_length.gather(1, after - 1), arc_length.gather(1, after)
    part = ((target - way_before) / (way_after - way_before).clamp_min(1e-6)).clamp(0, 1)
    pick = after[..., None].expand(n, count, 2)
    return torch.lerp(curves.gather(1, pick - 1), curves.gather(1, pick), part[..., None])


def render(
    pen: Tensor, generator: Generator, curve_side: tuple[float, float] = CURVE_SIDE
) -> Tensor:
    """Draw pen points (n, M, 2) as pictures (n, 28, 28), uint8, ink 255 on 0.

    As if drawn with a round brush of random width on a canvas, cropped to the ink, scaled to a
    longest side of 20 pixels with an area filter and shifted by whole pixels until the centre of
    mass rounds to index (14, 14): size and brush are worked out before, so nothing is resampled.
    `curve_side` is the range of the pen's longest side on a canvas of 280 pixels; the larger, the
    finer the line.
    """
    n = len(pen)
    # Evenly on a logarithmic scale: fine pens are as common as broad ones.
    brush = uniform((n, 1), math.log(BRUSH[0]), math.log(BRUSH[1]), generator).exp()
    brush = brush / uniform((n, 1), *curve_side, generator)
    low, high = pen.amin(1), pen.amax(1)
    side = (high - low).amax(1, keepdim=True).clamp_min(1e-3)
    # The ink's box is the pen's way with half a brush all round. A crop is scaled to whole pixels,
    # which squeezes or stretches its shorter side a little, the width of the line included.
    scale = DIGIT_SIZE / (side * (1 + brush))
    radius = 0.5 * brush * side * scale
    box = (high - low) * scale + 2 * radius
    pixels = torch.arange(DRAWN_SIZE) - 0.5  # from the box's corner
    pixels = pixels * (box / box.round().clamp_min(1))[..., None]  # (n, 2, 22)
    pen = (pen - low[:, None]) * scale[..., None] + radius[..., None]
    chunk = max(1, DISTANCES_AT_ONCE // (DRAWN_SIZE * DRAWN_SIZE * pen.shape[1]))
    parts = zip(pen.split(chunk), radius.split(chunk), pixels.split(chunk), strict=True)
    return place(torch.cat([_coverage(*part) for part in parts]))


def _coverage(pen: Tensor, radius: Tensor, pixels: Tensor) -> Tensor:
    """Return how much (n, 22, 22), 0-1, of each pixel lies within the pen's reach.

    `pixels` (n, 2, 22) holds where the columns and the rows of pixels lie among the pen points.
    """
    apart = (pixels[..., None] - pen.transpose(1, 2)[:, :, None, :]) ** 2  # (n, 2, 22, M)
    nearest = (apart[:, 1, :, None, :] + apart[:, 0, None, :, :]).amin(-1).sqrt()
    return (radius[:, :, None] + 0.5 - nearest).clamp(0, 1)


def place(foreground: Tensor) -> Tensor:
    """Put foregrounds (n, h, h) in [0, 1], h at most 28, into images (n, 28, 28), uint8.

    As in `normalize.center_by_mass`, the largest level becomes 255, the centre of mass comes as
    near to the centre as whole pixels allow, and nothing is left out of the image.
    """
    n, side = foreground.shape[:2]
    foreground = (foreground * 255 / foreground.amax((1, 2), keepdim=True).clamp_min(1e-3)).round()
    rows, columns = _shift(foreground.sum(2)), _shift(foreground.sum(1))
    images = torch.zeros(n, IMAGE_SIZE, IMAGE_SIZE, dtype=torch.uint8)
    images[:, :side, :side] = foreground
    here = torch.arange(IMAGE_SIZE)
    y, x = ((here - shift[:, None]) % IMAGE_SIZE for shift in (rows, columns))
    return images[torch.arange(n)[:, None, None], y[:, :, None], x[:, None, :]]


def _shift(profile: Tensor) -> Tensor:
    """Return the whole-pixel shifts (n,) that bring profiles of foreground (n, h) to the centre."""
    index = torch.arange(profile.shape[1], dtype=torch.float32)
    centre = (profile * index).sum(1) / profile.sum(1).clamp_min(1)
    occupied = profile > 0
    first = occupied.to(torch.uint8).argmax(1)
    after = profile.shape[1] - occupied.flip(1).to(torch.uint8).argmax(1)
    shift = (CENTER_INDEX - centre + 0.5).floor().long()
    return shift.maximum(-first).minimum(IMAGE_SIZE - after)
