"""Outliers drawn with a pen: scribbles, outlines, arcs, figures; no digit can be read in them."""

import math

import torch
from torch import Generator, Tensor, randint

from model.data.synthetic.deform import CURVE_POINTS, normal, some, uniform
from model.data.synthetic.digits import render, resample
from model.data.synthetic.templates import curve

LONG = 360  # pen points for lines many times as long as a digit's
LARGE = (140.0, 260.0)  # pixels of a canvas of 280 that what has many strokes fills


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
    corners = some((count, 1, 1), 0.3, generator).float().expand(-1, -1, 16)
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
    points = torch.where(some((count, 1, 1, 1), 0.3, generator), points.flip(-1), points)
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
    sag = sag * some((count, 1, 1), 0.6, generator)
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


def outlines(count: int, generator: Generator) -> Tensor:
    """Closed lines with corners or dents, such as boxes, stars, clouds and leaves."""
    return render(resample(_outlines(count, generator)[:, None]), generator)


def marked_outlines(count: int, generator: Generator) -> Tensor:
    """An oval or another outline around two to five small marks; one mark could slash a zero."""
    marks = 5
    around = torch.where(
        some((count, 1, 1), 0.5, generator),
        _outlines(count, generator),
        random_arcs((count,), 2 * math.pi, generator),
    )
    middle = uniform((count, marks, 1, 2), -0.5, 0.5, generator)
    size = uniform((count, marks, 1, 1), 0.04, 0.25, generator)
    inside = middle + size * random_arcs(
        (count, marks), uniform((count, marks), 0.1, 6.3, generator), generator
    )
    present = torch.arange(marks + 1) < randint(3, marks + 2, (count, 1), generator=generator)
    return _draw(torch.cat([around[:, None], inside], dim=1), generator, present)


def figures(count: int, generator: Generator) -> Tensor:
    """Outlines, ovals, arcs and lines that touch: the first is an outline, two to four follow."""
    parts = [_outlines(count, generator)]
    for _ in range(4):
        sweep = torch.where(some((count,), 0.5, generator), 6.3, uniform((count,), 1, 4, generator))
        size = uniform((count, 1, 1), 0.3, 1.0, generator)
        line = torch.linspace(-1, 1, CURVE_POINTS)[:, None] * normal((count, 1, 2), 1.0, generator)
        kind = torch.rand((count, 1, 1), generator=generator)
        part = torch.where(kind < 0.45, line, random_arcs((count,), sweep, generator))
        part = size * torch.where(kind > 0.8, _outlines(count, generator), part)
        here, there = randint(0, CURVE_POINTS, (2, count), generator=generator)
        drawing = torch.arange(count)
        parts.append(part + (parts[-1][drawing, here] - part[drawing, there])[:, None])
    present = torch.arange(5) < randint(3, 6, (count, 1), generator=generator)
    return _draw(torch.stack(parts, dim=1), generator, present)


def arcs(count: int, generator: Generator) -> Tensor:
    """An arc of a quarter to three quarters of an oval; at times one or two more around it."""
    sweep = uniform((count,), 1.4, 4.7, generator)
    first = random_arcs((count,), sweep, generator)
    curves = first[:, None] * torch.tensor([1.0, 0.65, 0.35]).view(3, 1, 1)
    number = torch.where(some((count, 1), 0.8, generator), 1, 3)
    return render(resample(curves, torch.arange(3) < number, LONG), generator)


def _outlines(count: int, generator: Generator) -> Tensor:
    """Return closed curves (n, 48, 2) about as large as the unit circle.

    Three to ten points lie around the middle, each a corner or a bend. Some are drawn inwards; one
    always is, unless there are corners alone and few: else the outline could be a zero.
    """
    most = 10
    number = randint(3, most + 1, (count, 1), generator=generator)
    is_box = some((count, 1), 0.25, generator)
    sharpness = randint(0, 3, (count, 1), generator=generator) / 2
    number[sharpness < 1] = number[sharpness < 1].clamp_min(5)  # fewer bends are an egg, or a zero
    number[is_box], sharpness[is_box] = 4, 1
    point = torch.arange(most + 2) % number
    corners = (torch.rand((count, most), generator=generator) < sharpness).float().gather(1, point)
    dented = some((count, most), 0.35, generator)
    dented[:, :1] |= (sharpness < 1) | (number > 6)
    depth = uniform((count, 1), 0.15, 0.5, generator)
    radius = torch.where(dented, depth, uniform((count, most), 0.75, 1.0, generator))
    angle = torch.arange(most) + uniform((count, most), -0.3, 0.3, generator)
    angle = angle * 2 * math.pi / number + uniform((count, 1), 0, 2 * math.pi, generator)
    box = torch.arange(most) * math.pi / 2 + math.pi / 4 + normal((count, most), 0.04, generator)
    angle, radius = torch.where(is_box, box, angle), torch.where(is_box, 1.0, radius)
    x, y = (radius * angle.cos()).gather(1, point), (radius * angle.sin()).gather(1, point)
    squeeze = uniform((count, 1), -0.5, 0.7, generator).exp()
    points = torch.stack([x * squeeze, y], dim=-1)[:, None]
    at = number[..., None] * torch.linspace(0, 1, CURVE_POINTS)
    return curve(points, corners[:, None], number, at)[:, 0]


def random_arcs(shape: tuple[int, ...], sweep: Tensor | float, generator: Generator) -> Tensor:
    """Return arcs (*shape, 48, 2) of ovals, which start anywhere and sweep so many radians."""
    start = uniform((*shape, 1), 0, 2 * math.pi, generator)
    angle = start + torch.as_tensor(sweep)[..., None] * torch.linspace(0, 1, CURVE_POINTS)
    squeeze = uniform((*shape, 1), -0.5, 0.5, generator).exp()
    return torch.stack([angle.cos() * squeeze, angle.sin()], dim=-1)


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
