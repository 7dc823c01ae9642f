"""Outliers, synthesised: drawings in which no digit can be read.

Training on them with a uniform target is outlier exposure (D. Hendrycks, M. Mazeika and
T. Dietterich, "Deep Anomaly Detection with Outlier Exposure", ICLR 2019). No kind here looks like a
digit: no upright line, no ring, no S. What measures rejection comes from other sources.
"""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn.functional import interpolate

from model.config import DIGIT_SIZE, IMAGE_SIZE, NUM_CLASSES
from model.data.synthetic.deform import CURVE_POINTS, deform, normal, uniform
from model.data.synthetic.digits import (
    FREQUENCY,
    STYLE,
    draw_curves,
    place,
    render,
    resample_by_arc_length,
)
from model.data.synthetic.digits import TEMPLATES as DIGITS
from model.data.synthetic.templates import TEMPLATES_DIR, Templates, curve, read_templates

LETTERS = Templates(read_templates(TEMPLATES_DIR / "letters.txt"))
CHUNK = 2048  # pictures made at once: bounds the memory
LONG = 360  # pen points for lines many times as long as a digit's
SEVERAL = (90.0, 260.0)  # pixels of a canvas of 280 that several digits fill
LARGE = (140.0, 260.0)  # pixels of a canvas of 280 that what has many strokes fills


def synthesize_outliers(count: int, generator: Generator) -> Tensor:
    """Return images (count, 28, 28), uint8, 255 on 0, in which no digit can be read.

    They follow MNIST's rule of size and place. The same generator state gives the same images.
    """
    shares = torch.tensor([*KINDS.values()])
    images = torch.empty(count, IMAGE_SIZE, IMAGE_SIZE, dtype=torch.uint8)
    for start in range(0, count, CHUNK):
        part = images[start : start + CHUNK]
        kind = torch.multinomial(shares, len(part), replacement=True, generator=generator)
        for k, make in enumerate(KINDS):
            if number := int((kind == k).sum()):
                part[kind == k] = make(number, generator)
    return images


def letters(count: int, generator: Generator) -> Tensor:
    """Letters and characters of several scripts."""
    index = torch.multinomial(LETTERS.weights, count, replacement=True, generator=generator)
    return draw_curves(*deform(LETTERS, index, generator, STYLE), generator)


def invented_characters(count: int, generator: Generator) -> Tensor:
    """Five to eight straight or bent strokes between the points of a grid, like unknown writing."""
    strokes = 8
    ends = torch.randint(0, 4, (count, strokes, 2, 2), generator=generator) * 25.0
    same = (ends[:, :, 0] == ends[:, :, 1]).all(-1)
    ends[:, :, 1, 0] += 40 * same
    middle = ends.mean(2, keepdim=True) + normal((count, strokes, 1, 2), 8.0, generator)
    points = torch.cat([ends[:, :, :1], middle, ends[:, :, 1:]], dim=2)
    points = points + normal(points.shape, 3.0, generator)
    present = torch.arange(strokes) < torch.randint(5, 9, (count, 1), generator=generator)
    return draw_curves(_smooth(points), present, generator, LARGE, LONG)


def scribbles(count: int, generator: Generator) -> Tensor:
    """One line through many random places, as when trying out a pen."""
    points = uniform((count, 1, 16, 2), 0.0, 100.0, generator)
    points[..., 0] *= uniform((count, 1, 1), 0.6, 1.6, generator)
    corners = (torch.rand((count, 1, 1), generator=generator) < 0.3).float().expand(-1, -1, 16)
    last = torch.randint(8, 16, (count, 1), generator=generator)
    return draw_curves(_smooth(points, corners, last), None, generator, LARGE, LONG)


def random_curves(count: int, generator: Generator) -> Tensor:
    """Three to six short bent lines anywhere."""
    strokes = 6
    start = uniform((count, strokes, 1, 2), 0.0, 100.0, generator)
    steps = normal((count, strokes, 3, 2), 35.0, generator)
    points = torch.cat([start, start + steps.cumsum(2)], dim=2)
    present = torch.arange(strokes) < torch.randint(4, 7, (count, 1), generator=generator)
    return draw_curves(_smooth(points), present, generator, LARGE, LONG)


def zigzags(count: int, generator: Generator) -> Tensor:
    """Lines to and fro, from left to right or downwards, round or pointed."""
    along = torch.linspace(0, 1, 15).expand(count, 1, 15)
    length = uniform((count, 1, 1), 60, 220, generator)
    turns = (torch.arange(15) % 2).float()
    height = uniform((count, 1, 15), 50, 100, generator) * (turns - 0.5)
    points = torch.stack([along * length + normal((count, 1, 15), 4.0, generator), height], dim=-1)
    downwards = torch.rand((count, 1, 1, 1), generator=generator) < 0.3
    points = torch.where(downwards, points.flip(-1), points)
    corners = torch.rand((count, 1, 1), generator=generator).expand(-1, -1, 15)
    # Fewer than seven turns downwards could be read as a Z or a 3.
    last = torch.randint(7, 15, (count, 1), generator=generator)
    return draw_curves(_smooth(points, corners, last), None, generator, LARGE, LONG)


def spirals(count: int, generator: Generator) -> Tensor:
    """Two to four turns inwards."""
    t = torch.linspace(0, 1, 3 * CURVE_POINTS)
    turns = uniform((count, 1), 2.2, 4.5, generator)
    sense = torch.randint(0, 2, (count, 1), generator=generator) * 2 - 1
    angle = 2 * math.pi * turns * t * sense + uniform((count, 1), 0, 2 * math.pi, generator)
    radius = 5 + 45 * t ** uniform((count, 1), 0.7, 1.3, generator)
    squeeze = uniform((count, 1), 0.7, 1.4, generator)
    return _pen(torch.stack([radius * angle.cos() * squeeze, radius * angle.sin()], -1), generator)


def coils(count: int, generator: Generator) -> Tensor:
    """Three to six loops in a row, like a telephone cord, from left to right."""
    t = torch.linspace(0, 1, 4 * CURVE_POINTS)
    loops = uniform((count, 1), 3, 6, generator)
    angle = 2 * math.pi * loops * t + uniform((count, 1), 0, 2 * math.pi, generator)
    advance = uniform((count, 1), 120, 260, generator)
    height = uniform((count, 1), 25, 55, generator) * (1 + 0.3 * (5 * t).sin())
    x = advance * t + uniform((count, 1), 20, 40, generator) * angle.cos()
    rise = uniform((count, 1), -50, 50, generator) * t
    return _pen(torch.stack([x, height * angle.sin() + rise], -1), generator)


def knots(count: int, generator: Generator) -> Tensor:
    """Closed curves that cross themselves many times (Lissajous)."""
    t = torch.linspace(0, 2 * math.pi, 4 * CURVE_POINTS)
    a = torch.randint(3, 6, (count, 1), generator=generator)
    b = a + torch.randint(1, 3, (count, 1), generator=generator)
    phase = uniform((count, 1), 0.3, 1.2, generator)
    squeeze = uniform((count, 1), 0.7, 1.4, generator)
    return _pen(torch.stack([(a * t + phase).sin() * squeeze, (b * t).sin()], -1), generator)


def flat_lines(count: int, generator: Generator) -> Tensor:
    """A single line or shallow arc that lies rather than stands."""
    angle = uniform((count, 1, 1), -0.4, 0.4, generator)
    x = torch.tensor([-50.0, 0.0, 50.0])
    sag = torch.tensor([0.0, 1.0, 0.0]) * uniform((count, 1, 1), -40, 40, generator)
    sag = sag * (torch.rand((count, 1, 1), generator=generator) < 0.6)
    cos, sin = angle.cos(), angle.sin()
    points = torch.stack([x * cos - sag * sin, x * sin + sag * cos], -1)
    return draw_curves(_smooth(points), None, generator)


def dots(count: int, generator: Generator) -> Tensor:
    """Two to five dots; a single one, scaled, is among the filled shapes."""
    number = torch.randint(2, 6, (count, 1), generator=generator)
    middle = uniform((count, 5, 1, 2), 0.0, 60.0, generator)
    middle[:, 1] = (middle[:, 0] + 30) % 60  # two dots are never one
    wide = torch.tensor([1.5, 0.7])  # dots above each other could be a thick 1 or an 8
    points = middle * wide + normal((count, 5, 3, 2), 0.7, generator)
    return draw_curves(_smooth(points), torch.arange(5) < number, generator)


def filled_shapes(count: int, generator: Generator) -> Tensor:
    """Filled blobs, boxes and triangles; none upright and narrow, as a thick 1 is."""
    corners = torch.randint(3, 9, (count, 1, 1), generator=generator)
    y, x = _grid(count, generator)
    angle = torch.atan2(y, x) + uniform((count, 1, 1), 0, 2 * math.pi, generator)
    sector = 2 * math.pi / corners
    polygon = (sector / 2).cos() / ((angle % sector) - sector / 2).cos()
    wobble = 1 + 0.15 * (angle * corners + 1).sin()
    reach = torch.where(torch.rand((count, 1, 1), generator=generator) < 0.5, polygon, wobble)
    return place(((reach - (x * x + y * y).sqrt()) * 8 + 0.5).clamp(0, 1))


def textures(count: int, generator: Generator) -> Tensor:
    """Patches as of a photograph: smooth noise, hard or soft, and gradients."""
    images = torch.empty(count, DIGIT_SIZE, DIGIT_SIZE)
    size = torch.randint(3, 12, (count,), generator=generator)
    for side in range(3, 12):
        of_size = size == side
        noise = torch.randn((int(of_size.sum()), 1, side, side), generator=generator)
        images[of_size] = interpolate(noise, DIGIT_SIZE, mode="bicubic", align_corners=True)[:, 0]
    y, x = _grid(count, generator)
    slope = normal((count, 2, 1, 1), 0.7, generator)
    hardness = uniform((count, 1, 1), 0.3, 8, generator)
    level = uniform((count, 1, 1), -0.3, 0.8, generator)
    return place(torch.sigmoid((images + slope[:, 0] * x + slope[:, 1] * y) * hardness + level))


def codes(count: int, generator: Generator) -> Tensor:
    """Black and white squares at random, like a QR code, and upright or lying bars."""
    side = torch.randint(5, 13, (count, 1, 1), generator=generator)
    cell = torch.arange(DIGIT_SIZE) * side // DIGIT_SIZE
    bits = (torch.rand((count, 12, 12), generator=generator) < 0.5).float()
    rows = cell.transpose(1, 2).expand(-1, -1, DIGIT_SIZE)
    columns = cell.expand(-1, DIGIT_SIZE, -1)
    bars = torch.rand((count, 1, 1), generator=generator) < 0.2
    rows = torch.where(bars, 0, rows)
    bits[:, 0, :3] = torch.tensor([1.0, 0.0, 1.0])  # never blank, never a single upright bar
    return place(bits[torch.arange(count)[:, None, None], rows, columns])


def pieces(count: int, generator: Generator) -> Tensor:
    """Parts of digits that are no digits: the foot of a 2, the head of a 5, half of a 0."""
    part = torch.randint(0, len(PIECES), (count,), generator=generator)
    labels, low, high = torch.tensor(PIECES).unbind(1)
    index = torch.multinomial(FREQUENCY[labels[part].long()], 1, generator=generator)[:, 0]
    pen = resample_by_arc_length(*deform(DIGITS, index, generator, STYLE), LONG)
    y = pen[..., 1]
    top, bottom = y.amin(1, keepdim=True), y.amax(1, keepdim=True)
    height = (y - top) / (bottom - top)
    kept = (height >= low[part, None]) & (height <= high[part, None])
    first = kept.to(torch.uint8).argmax(1)
    pen = torch.where(kept[..., None], pen, pen[torch.arange(count), first][:, None])
    return render(pen, generator)


# The digit and which part of its height is left (0 is the top).
PIECES = ((2, 0.62, 1.0), (5, 0.0, 0.4), (0, 0.0, 0.5), (0, 0.5, 1.0))


def several_digits(count: int, generator: Generator) -> Tensor:
    """Two or three digits side by side, which touch now and then; the last may be cut off."""
    number = 3
    labels = torch.randint(0, NUM_CLASSES, (count * number,), generator=generator)
    index = torch.multinomial(FREQUENCY[labels], 1, generator=generator)[:, 0]
    curves, present = deform(DIGITS, index, generator, STYLE)
    low = curves.amin((1, 2), keepdim=True)
    size = curves.amax((1, 2), keepdim=True) - low
    curves = (curves - low) / size[..., 1:] * 100  # as high as each other, left edge at 0
    width = (size[..., 0] / size[..., 1] * 100).view(count, number)
    gap = uniform((count, number), -8.0, 30.0, generator)
    left = torch.cat([torch.zeros(count, 1), (width + gap).cumsum(1)[:, :-1]], dim=1)
    shift = torch.stack([left, normal((count, number), 6.0, generator)], dim=-1)
    curves = curves.view(count, number, *curves.shape[1:]) + shift[:, :, None, None, :]
    present = present.view(count, number, -1).clone()
    present[torch.rand(count, generator=generator) < 0.7, 2] = False
    pen = resample_by_arc_length(curves.flatten(1, 2), present.flatten(1, 2), LONG)
    # A quarter end at a border inside the last digit.
    last = torch.where(present[:, 2].any(1), left[:, 2], left[:, 1])
    border = last + uniform((count,), 15.0, 45.0, generator)
    border[torch.rand(count, generator=generator) < 0.75] = torch.inf
    pen = torch.where(pen[..., :1] <= border[:, None, None], pen, pen[:, :1])
    return render(pen, generator, SEVERAL)


Maker = Callable[[int, Generator], Tensor]
KINDS: dict[Maker, float] = {
    letters: 0.24,
    invented_characters: 0.08,
    scribbles: 0.08,
    random_curves: 0.06,
    zigzags: 0.05,
    spirals: 0.03,
    coils: 0.04,
    knots: 0.03,
    flat_lines: 0.03,
    dots: 0.03,
    filled_shapes: 0.04,
    textures: 0.05,
    codes: 0.02,
    pieces: 0.04,
    several_digits: 0.18,
}  # the kinds and their shares


def _smooth(points: Tensor, corners: Tensor | None = None, last: Tensor | None = None) -> Tensor:
    """Return curves (n, S, K, 2) through all control points (n, S, P, 2), or as far as `last`."""
    n, strokes, width, _ = points.shape
    corners = torch.zeros(n, strokes, width) if corners is None else corners
    last = torch.full((n, strokes), width - 1) if last is None else last
    return curve(points, corners, last, last[..., None] * torch.linspace(0, 1, 2 * CURVE_POINTS))


def _pen(arc_length: Tensor, generator: Generator) -> Tensor:
    """Draw single curves given as many points (n, K, 2)."""
    extent = (arc_length.amax(1) - arc_length.amin(1))[:, None]
    shaken = arc_length + normal(arc_length.shape, 0.01, generator) * extent
    return draw_curves(shaken[:, None], None, generator, LARGE, LONG)


def _grid(count: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return coordinates y, x (n, 20, 20) from -1 to 1, of boxes less high or less wide than 20."""
    squeeze = uniform((count, 1, 1), 0.6, 1.0, generator)
    lying = torch.rand((count, 1, 1), generator=generator) < 0.7
    line = torch.linspace(-1, 1, DIGIT_SIZE)
    y = line[:, None] / torch.where(lying, squeeze, 1.0)
    x = line / torch.where(lying, 1.0, squeeze)
    return y, x
