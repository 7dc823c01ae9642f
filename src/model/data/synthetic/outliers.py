"""Outliers, synthesised: drawings in which no digit can be read.

Training on them with a uniform target is outlier exposure (D. Hendrycks, M. Mazeika and
T. Dietterich, "Deep Anomaly Detection with Outlier Exposure", ICLR 2019). No kind here looks like a
digit: no upright line, no ring, no S. What measures rejection comes from other sources.
"""

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Generator, Tensor, randint
from torch.nn.functional import interpolate

from model.config import DIGIT_SIZE, IMAGE_SIZE, NUM_CLASSES
from model.data.synthetic.deform import CURVE_POINTS, deform, normal, uniform
from model.data.synthetic.digits import place, render, resample, write_digits
from model.data.synthetic.templates import Templates, curve

LETTERS = Templates(Path(__file__).with_name("letters.txt").read_text("utf-8"))
CHUNK = 2048  # pictures made at once: bounds the memory
LONG = 360  # pen points for lines many times as long as a digit's
SEVERAL = (90.0, 260.0)  # pixels of a canvas of 280 that several digits fill
LARGE = (140.0, 260.0)  # pixels of a canvas of 280 that what has many strokes fills
# Parts of digits that are no digits: the digit, and which part of its height is left (0: the top).
PIECES = ((2, 0.62, 1.0), (5, 0.0, 0.4), (0, 0.0, 0.5), (0, 0.5, 1.0))


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
    return render(resample(*deform(LETTERS, index, generator)), generator)


def invented_characters(count: int, generator: Generator) -> Tensor:
    """Five to eight straight or bent strokes between the points of a grid, like unknown writing."""
    strokes = 8
    ends = randint(0, 4, (count, strokes, 2, 2), generator=generator) * 25.0
    same = (ends[:, :, 0] == ends[:, :, 1]).all(-1)
    ends[:, :, 1, 0] += 40 * same
    middle = ends.mean(2, keepdim=True) + normal((count, strokes, 1, 2), 8.0, generator)
    points = torch.cat([ends[:, :, :1], middle, ends[:, :, 1:]], dim=2)
    points = points + normal(points.shape, 3.0, generator)
    present = torch.arange(strokes) < randint(5, 9, (count, 1), generator=generator)
    return _draw(_smooth(points), generator, present)


def scribbles(count: int, generator: Generator) -> Tensor:
    """One line through many random places, as when trying out a pen."""
    points = uniform((count, 1, 16, 2), 0.0, 100.0, generator)
    points[..., 0] *= uniform((count, 1, 1), 0.6, 1.6, generator)
    corners = _some((count, 1, 1), 0.3, generator).float().expand(-1, -1, 16)
    last = randint(8, 16, (count, 1), generator=generator)
    return _draw(_smooth(points, corners, last), generator)


def random_curves(count: int, generator: Generator) -> Tensor:
    """Three to six short bent lines anywhere."""
    strokes = 6
    start = uniform((count, strokes, 1, 2), 0.0, 100.0, generator)
    steps = normal((count, strokes, 3, 2), 35.0, generator)
    points = torch.cat([start, start + steps.cumsum(2)], dim=2)
    present = torch.arange(strokes) < randint(4, 7, (count, 1), generator=generator)
    return _draw(_smooth(points), generator, present)


def zigzags(count: int, generator: Generator) -> Tensor:
    """Lines to and fro, from left to right or downwards, round or pointed."""
    along = torch.linspace(0, 1, 15) * uniform((count, 1, 1), 60, 220, generator)
    turns = (torch.arange(15) % 2).float()
    height = uniform((count, 1, 15), 50, 100, generator) * (turns - 0.5)
    points = torch.stack([along + normal((count, 1, 15), 4.0, generator), height], dim=-1)
    points = torch.where(_some((count, 1, 1, 1), 0.3, generator), points.flip(-1), points)
    corners = torch.rand((count, 1, 1), generator=generator).expand(-1, -1, 15)
    # Fewer than seven turns downwards could be read as a Z or a 3.
    last = randint(7, 15, (count, 1), generator=generator)
    return _draw(_smooth(points, corners, last), generator)


def spirals(count: int, generator: Generator) -> Tensor:
    """Two to four turns inwards."""
    t = torch.linspace(0, 1, 3 * CURVE_POINTS)
    turns = uniform((count, 1), 2.2, 4.5, generator)
    sense = randint(0, 2, (count, 1), generator=generator) * 2 - 1
    angle = 2 * math.pi * turns * t * sense + uniform((count, 1), 0, 2 * math.pi, generator)
    radius = 5 + 45 * t ** uniform((count, 1), 0.7, 1.3, generator)
    squeeze = uniform((count, 1), 0.7, 1.4, generator)
    return _draw_line(radius * angle.cos() * squeeze, radius * angle.sin(), generator)


def coils(count: int, generator: Generator) -> Tensor:
    """Three to six loops in a row, like a telephone cord, from left to right."""
    t = torch.linspace(0, 1, 4 * CURVE_POINTS)
    loops = uniform((count, 1), 3, 6, generator)
    angle = 2 * math.pi * loops * t + uniform((count, 1), 0, 2 * math.pi, generator)
    advance = uniform((count, 1), 120, 260, generator)
    height = uniform((count, 1), 25, 55, generator) * (1 + 0.3 * (5 * t).sin())
    x = advance * t + uniform((count, 1), 20, 40, generator) * angle.cos()
    y = height * angle.sin() + uniform((count, 1), -50, 50, generator) * t
    return _draw_line(x, y, generator)


def knots(count: int, generator: Generator) -> Tensor:
    """Closed curves that cross themselves many times (Lissajous)."""
    t = torch.linspace(0, 2 * math.pi, 4 * CURVE_POINTS)
    a = randint(3, 6, (count, 1), generator=generator)
    b = a + randint(1, 3, (count, 1), generator=generator)
    phase = uniform((count, 1), 0.3, 1.2, generator)
    squeeze = uniform((count, 1), 0.7, 1.4, generator)
    return _draw_line((a * t + phase).sin() * squeeze, (b * t).sin(), generator)


def flat_lines(count: int, generator: Generator) -> Tensor:
    """A single line or shallow arc that lies rather than stands."""
    angle = uniform((count, 1, 1), -0.4, 0.4, generator)
    x = torch.tensor([-50.0, 0.0, 50.0])
    sag = torch.tensor([0.0, 1.0, 0.0]) * uniform((count, 1, 1), -40, 40, generator)
    sag = sag * _some((count, 1, 1), 0.6, generator)
    cos, sin = angle.cos(), angle.sin()
    points = torch.stack([x * cos - sag * sin, x * sin + sag * cos], -1)
    return render(resample(_smooth(points)), generator)


def dots(count: int, generator: Generator) -> Tensor:
    """Two to five dots; a single one, scaled, is among the filled shapes."""
    number = randint(2, 6, (count, 1), generator=generator)
    middle = uniform((count, 5, 1, 2), 0.0, 60.0, generator)
    middle[:, 1] = (middle[:, 0] + 30) % 60  # two dots are never one
    wide = torch.tensor([1.5, 0.7])  # dots above each other could be a thick 1 or an 8
    points = middle * wide + normal((count, 5, 3, 2), 0.7, generator)
    return render(resample(_smooth(points), torch.arange(5) < number), generator)


def filled_shapes(count: int, generator: Generator) -> Tensor:
    """Filled blobs, boxes and triangles; none upright and narrow, as a thick 1 is."""
    corners = randint(3, 9, (count, 1, 1), generator=generator)
    x, y = _grid(count, generator)
    angle = torch.atan2(y, x) + uniform((count, 1, 1), 0, 2 * math.pi, generator)
    sector = 2 * math.pi / corners
    polygon = (sector / 2).cos() / ((angle % sector) - sector / 2).cos()
    wobble = 1 + 0.15 * (angle * corners + 1).sin()
    reach = torch.where(_some((count, 1, 1), 0.5, generator), polygon, wobble)
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
    bits = _some((count, 12, 12), 0.5, generator).float()
    rows = torch.where(_some((count, 1, 1), 0.2, generator), 0, columns.transpose(1, 2))  # bars
    bits[:, 0, :3] = torch.tensor([1.0, 0.0, 1.0])  # never blank, never a single upright bar
    return place(bits[torch.arange(count)[:, None, None], rows, columns])


def pieces(count: int, generator: Generator) -> Tensor:
    """Parts of digits: the foot of a 2, the head of a 5, half of a 0."""
    part = randint(0, len(PIECES), (count,), generator=generator)
    labels, low, high = torch.tensor(PIECES)[part].T
    pen = resample(*write_digits(labels.long(), generator), LONG)
    top, bottom = pen[..., 1].aminmax(dim=1, keepdim=True)
    height = (pen[..., 1] - top) / (bottom - top)
    kept = (height >= low[:, None]) & (height <= high[:, None])
    first = kept.to(torch.uint8).argmax(1)
    pen = torch.where(kept[..., None], pen, pen[torch.arange(count), first][:, None])
    return render(pen, generator)


def several_digits(count: int, generator: Generator) -> Tensor:
    """Two or three digits side by side, which touch now and then; the last may be cut off."""
    number = 3
    labels = randint(0, NUM_CLASSES, (count * number,), generator=generator)
    curves, present = write_digits(labels, generator)
    low = curves.amin((1, 2), keepdim=True)
    size = curves.amax((1, 2), keepdim=True) - low
    curves = (curves - low) / size[..., 1:] * 100  # as high as each other, left edge at 0
    width = (size[..., 0] / size[..., 1] * 100).view(count, number)
    gap = uniform((count, number), -8.0, 30.0, generator)
    left = torch.cat([torch.zeros(count, 1), (width + gap).cumsum(1)[:, :-1]], dim=1)
    shift = torch.stack([left, normal((count, number), 6.0, generator)], dim=-1)
    curves = curves.view(count, number, *curves.shape[1:]) + shift[:, :, None, None, :]
    present = present.view(count, number, -1)
    present[_some((count,), 0.7, generator), 2] = False
    pen = resample(curves.flatten(1, 2), present.flatten(1, 2), LONG)
    # A quarter end at a border inside the last digit.
    last = torch.where(present[:, 2].any(1), left[:, 2], left[:, 1])
    border = last + uniform((count,), 15.0, 45.0, generator)
    border[_some((count,), 0.75, generator)] = torch.inf
    pen = torch.where(pen[..., :1] <= border[:, None, None], pen, pen[:, :1])
    return render(pen, generator, SEVERAL)


KINDS: dict[Callable[[int, Generator], Tensor], float] = {
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


def _some(shape: tuple[int, ...], share: float, generator: Generator) -> Tensor:
    """Return booleans, `share` of them true."""
    return torch.rand(shape, generator=generator) < share


def _smooth(points: Tensor, corners: Tensor | None = None, last: Tensor | None = None) -> Tensor:
    """Return curves (n, S, K, 2) through all control points (n, S, P, 2), or as far as `last`."""
    corners = torch.zeros(points.shape[:3]) if corners is None else corners
    last = torch.full(points.shape[:2], points.shape[2] - 1) if last is None else last
    return curve(points, corners, last, last[..., None] * torch.linspace(0, 1, 2 * CURVE_POINTS))


def _draw(curves: Tensor, generator: Generator, present: Tensor | None = None) -> Tensor:
    """Draw curves (n, S, K, 2) that fill the canvas."""
    return render(resample(curves, present, LONG), generator, LARGE)


def _draw_line(x: Tensor, y: Tensor, generator: Generator) -> Tensor:
    """Draw single curves through points (n, K), a little shaken."""
    points = torch.stack([x, y], -1)
    extent = (points.amax(1) - points.amin(1))[:, None]
    shaken = points + normal(points.shape, 0.01, generator) * extent
    return _draw(shaken[:, None], generator)


def _grid(count: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return coordinates x, y (n, 20, 20) from -1 to 1, of boxes less high or less wide than 20."""
    squeeze = uniform((count, 1, 1), 0.6, 1.0, generator)
    lying = _some((count, 1, 1), 0.7, generator)
    line = torch.linspace(-1, 1, DIGIT_SIZE)
    return line / torch.where(lying, 1.0, squeeze), line[:, None] / torch.where(lying, squeeze, 1.0)
