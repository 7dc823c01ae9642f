"""Handwriting as geometry: templates of strokes, their random variation, and their rendering.

A template is a few strokes of control points. A drawing made from it is the template with its
points, strokes and whole shape varied, a smooth curve laid through the points (centripetal
Catmull-Rom, Barry and Goldman 1988, in Hermite form), and a round pen led along the curve. All
steps work on batches of tensors. The result follows MNIST's rule of size and place.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from model.settings import CENTRE, INK_SIDE, SIDE

CURVE_POINTS = 48  # on each stroke, before the points are spread evenly over the whole drawing
PEN_POINTS = 112  # on the whole drawing: less than a pixel apart, so that the line has no gaps
RENDER_CHUNK = 64  # pictures whose distances are held in memory at once (22 MB)
TEMPLATE_HEIGHT = 100.0  # templates are drawn in a frame about 60 wide and 100 high, y downwards


@dataclass(frozen=True)
class Template:
    """One way to write a character.

    `shapes` are one or more key shapes of the same strokes; a drawing takes a random mixture of
    them. A shape is text: strokes separated by "/", points "x,y" by blanks, "!" after a corner.
    `weight` says how often the template is drawn compared with its neighbours.
    """

    weight: float
    shapes: tuple[str, ...]


@dataclass(frozen=True)
class Style:
    """How far drawings stray from their templates: lengths in template units (100 = the height)."""

    sloppiness: float = (
        1.0  # the largest factor on all of the jitter below; each drawing has its own
    )
    point: float = 3.2  # standard deviation of the place of each control point
    stroke: float = 2.6  # of the place of each stroke against the others
    stroke_turn: float = 0.05  # of the direction of each stroke, in radians
    stroke_size: float = 0.05  # of the size of each stroke
    ends: float = 0.16  # strokes end early or late by up to this part of their last segment
    bend: float = 4.0  # largest amplitude of the slow waves that deform the whole drawing
    tremor: float = 0.9  # largest standard deviation of the shaking of the hand
    slant: float = 0.17  # standard deviation of the shear; its mean is SLANT_MEAN
    turn: float = 0.08  # standard deviation of the rotation in radians
    aspect: float = 0.17  # standard deviation of the logarithm of width / height
    coarse: float = 0.4  # share of drawings that are polylines of few points, as a mouse gives


SLANT_MEAN = 0.06  # most people lean to the right
BRUSH = (12.0, 26.0)  # pixels of a canvas of 280
DRAWN_SIDE = (90.0, 230.0)  # longest side of what is drawn, the same pixels


class Templates:
    """Templates as padded tensors, ready to be drawn in batches.

    `points` (T, V, S, P, 2): templates, key shapes, strokes, points; `corners` (T, S, P) is 1 at
    corners; `last` (T, S) is the index of a stroke's last point, 0 where there is no stroke.
    """

    def __init__(self, templates: Sequence[Template]) -> None:
        """Parse the templates; a ValueError names one whose key shapes do not fit together."""
        parsed = [[_parse(shape) for shape in template.shapes] for template in templates]
        for template, shapes in zip(templates, parsed, strict=True):
            lengths = [[len(stroke) for stroke in shape] for shape in shapes]
            if any(length != lengths[0] for length in lengths) or min(lengths[0]) < 2:
                raise ValueError(f"key shapes differ in their strokes: {template.shapes} {lengths}")
        variants = max(len(shapes) for shapes in parsed)
        strokes = max(len(shapes[0]) for shapes in parsed)
        points = max(len(stroke) for shapes in parsed for stroke in shapes[0])
        self.weights = torch.tensor([template.weight for template in templates])
        self.variants = torch.zeros(len(parsed), variants, dtype=torch.bool)
        self.points = torch.zeros(len(parsed), variants, strokes, points, 2)
        self.corners = torch.zeros(len(parsed), strokes, points)
        self.last = torch.zeros(len(parsed), strokes, dtype=torch.int64)
        for t, shapes in enumerate(parsed):
            for v, shape in enumerate(shapes):
                self.variants[t, v] = True
                for s, stroke in enumerate(shape):
                    xy = torch.tensor([point[:2] for point in stroke])
                    self.points[t, v, s, : len(stroke)] = xy
                    self.points[t, v, s, len(stroke) :] = xy[-1]
                    self.corners[t, s, : len(stroke)] = torch.tensor([p[2] for p in stroke])
                    self.last[t, s] = len(stroke) - 1

    def __len__(self) -> int:
        """Return the number of templates."""
        return len(self.weights)


def _parse(shape: str) -> list[list[tuple[float, float, float]]]:
    """Return the strokes of a key shape as lists of (x, y, 1 at a corner)."""
    strokes = []
    for stroke in shape.split("/"):
        points = []
        for word in stroke.split():
            x, y = word.rstrip("!").split(",")
            points.append((float(x), float(y), float(word.endswith("!"))))
        strokes.append(points)
    return strokes


def uniform(shape: tuple[int, ...], low: float, high: float, generator: Generator) -> Tensor:
    """Return numbers spread evenly over [low, high), float32 of the given shape."""
    return low + (high - low) * torch.rand(shape, generator=generator)


def normal(shape: tuple[int, ...], deviation: Tensor | float, generator: Generator) -> Tensor:
    """Return normally distributed numbers, cut at two standard deviations."""
    return torch.randn(shape, generator=generator).clamp(-2, 2) * deviation


def curve(points: Tensor, corners: Tensor, last: Tensor, at: Tensor) -> Tensor:
    """Return the points (n, S, K, 2) of smooth curves through control points (n, S, P, 2).

    `corners` (n, S, P) in [0, 1] says how sharp the turn at each point is, `last` (n, S) where each
    stroke ends, `at` (n, S, K) where to look, in units of control points; beyond its ends a curve
    goes on straight.
    """
    chord = points[..., 1:, :] - points[..., :-1, :]
    knot = chord.norm(dim=-1, keepdim=True).sqrt().clamp_min(1e-3)
    before, after = chord[..., :-1, :], chord[..., 1:, :]
    knot_before, knot_after = knot[..., :-1, :], knot[..., 1:, :]
    velocity = (
        before / knot_before + after / knot_after - (before + after) / (knot_before + knot_after)
    )
    sharp = corners[..., 1:-1, None]
    leave, arrive = chord.clone(), chord.clone()  # tangents at the start and end of each segment
    leave[..., 1:, :] = torch.lerp(velocity * knot_after, after, sharp)
    arrive[..., :-1, :] = torch.lerp(velocity * knot_before, before, sharp)
    segments = torch.arange(chord.shape[-2])
    is_last = (segments == (last - 1)[..., None])[..., None]
    # The ends continue the bend of their neighbours, as a parabola does.
    arrive = torch.where(is_last, chord, arrive)
    first = 2 * chord[..., :1, :] - arrive[..., :1, :]
    arrive = torch.where(is_last, 2 * chord - leave, arrive)
    leave = torch.cat([first, leave[..., 1:, :]], dim=-2)

    segment = at.floor().long().clamp_min(0).minimum((last - 1).clamp_min(0)[..., None])
    beyond = (at - segment)[..., None]
    f = beyond.clamp(0, 1)
    pick = segment[..., None].expand(*segment.shape, 2)
    start, step = points.gather(-2, pick), chord.gather(-2, pick)
    leaving, arriving = leave.gather(-2, pick), arrive.gather(-2, pick)
    place = (
        start
        + (f * f * (3 - 2 * f)) * step
        + (f * (1 - f) ** 2) * leaving
        - (f * f * (1 - f)) * arriving
    )
    return place + (beyond - f) * torch.where(beyond > 1, arriving, leaving)


def vary(
    templates: Templates, index: Tensor, generator: Generator, style: Style
) -> tuple[Tensor, Tensor]:
    """Draw template `index` (n,) once each, varied at random in the given style.

    Returns curves (n, S, K, 2) in template units and `present` (n, S), false where a template has
    fewer strokes than others.
    """
    n = len(index)
    points, present = templates.points[index], templates.last[index] > 0
    last, (strokes, width) = templates.last[index], points.shape[2:4]
    # Shares of the key shapes: often near one of them, sometimes between (about a Dirichlet).
    mixture = uniform(points.shape[:2], 1e-6, 0.999, generator).log().neg() ** 1.5
    mixture = mixture * templates.variants[index]
    mixture = mixture / mixture.sum(1, keepdim=True)
    points = (points * mixture[:, :, None, None, None]).sum(1)

    sloppy = style.sloppiness * uniform((n, 1, 1, 1), 0.15, 1.0, generator)
    points = points + normal((n, strokes, width, 2), style.point * sloppy, generator)
    middle = points.mean(2, keepdim=True)
    angle = normal((n, strokes, 1), style.stroke_turn * sloppy[..., 0], generator)
    size = 1 + normal((n, strokes, 1, 1), style.stroke_size * sloppy, generator)
    points = middle + _rotate(points - middle, angle) * size
    points = points + normal((n, strokes, 1, 2), style.stroke * sloppy, generator)

    hurry = uniform((n, 1, 1), 0.45, 1.0, generator)  # a quick hand rounds its corners
    lost = normal((n, strokes, 2), style.ends * sloppy[..., 0], generator)
    along = torch.linspace(0, 1, CURVE_POINTS)
    start, end = lost[..., :1], last[..., None] - lost[..., 1:]
    drawn = curve(points, templates.corners[index] * hurry, last, start + (end - start) * along)
    drawn = _coarsen(drawn, style.coarse, generator)
    drawn = drawn + _tremor(drawn.shape, style.tremor, generator)
    drawn = _bend(drawn, style.bend * sloppy, generator)
    return _lean(drawn, style, generator), present


def _rotate(points: Tensor, angle: Tensor) -> Tensor:
    """Turn points (..., 2) about the origin by `angle` (...) in radians."""
    cos, sin = angle.cos(), angle.sin()
    x, y = points.unbind(-1)
    return torch.stack([cos * x - sin * y, sin * x + cos * y], dim=-1)


def _coarsen(drawn: Tensor, share: float, generator: Generator) -> Tensor:
    """Turn a share of the drawings into polylines, of every second to sixth point of the curve."""
    n, points = drawn.shape[0], drawn.shape[2]
    step = torch.randint(2, 7, (n, 1), generator=generator)
    step = torch.where(torch.rand((n, 1), generator=generator) < share, step, 1)
    here = torch.arange(points)
    start = here // step * step
    end = (start + step).clamp_max(points - 1)
    weight = ((here - start) / (end - start).clamp_min(1))[:, None, :, None]
    pick = [i[:, None, :, None].expand_as(drawn) for i in (start, end)]
    return torch.lerp(drawn.gather(2, pick[0]), drawn.gather(2, pick[1]), weight)


def _tremor(shape: torch.Size, largest: float, generator: Generator) -> Tensor:
    """Return smooth noise along each curve; most hands shake little, a few a lot."""
    n, strokes, points, _ = shape
    knots = torch.randn((n, strokes * 2, points // 3), generator=generator)
    noise = torch.nn.functional.interpolate(knots, size=points, mode="linear", align_corners=True)
    amount = largest * torch.rand((n, 1, 1, 1), generator=generator) ** 3
    return noise.view(n, strokes, 2, points).transpose(2, 3) * amount


def _bend(drawn: Tensor, amplitude: Tensor, generator: Generator) -> Tensor:
    """Deform whole drawings by two slow waves in a random direction each."""
    n = drawn.shape[0]
    for _ in range(2):
        wave = normal((n, 1, 1, 2), math.pi / TEMPLATE_HEIGHT, generator)
        phase = uniform((n, 1, 1), -math.pi, math.pi, generator)
        push = normal((n, 1, 1, 2), amplitude / 2, generator)
        drawn = drawn + push * ((drawn * wave).sum(-1) + phase).sin()[..., None]
    return drawn


def _lean(drawn: Tensor, style: Style, generator: Generator) -> Tensor:
    """Give whole drawings a slant, an aspect and a rotation of their own."""
    n = drawn.shape[0]
    slant = SLANT_MEAN + normal((n, 1, 1), style.slant, generator)
    aspect = normal((n, 1, 1), style.aspect, generator).exp()
    x, y = drawn.unbind(-1)
    drawn = torch.stack([x * aspect - y * slant, y], dim=-1)
    return _rotate(drawn, normal((n, 1, 1), style.turn, generator))


def spread(drawn: Tensor, present: Tensor, count: int = PEN_POINTS) -> Tensor:
    """Return `count` points (n, count, 2) evenly spaced along all strokes of each drawing."""
    n, strokes, points, _ = drawn.shape
    # A stroke that is absent collapses onto the first one's end: it has no length and no extent.
    drawn = torch.where(present[:, :, None, None], drawn, drawn[:, :1, -1:])
    length = torch.zeros(n, strokes, points)
    length[..., 1:] = (drawn[:, :, 1:] - drawn[:, :, :-1]).norm(dim=-1)
    way = length.view(n, -1).cumsum(1)
    drawn = drawn.reshape(n, -1, 2)
    target = way[:, -1:] * torch.linspace(0, 1, count)
    after = torch.searchsorted(way, target).clamp(1, way.shape[1] - 1)
    way_before, way_after = way.gather(1, after - 1), way.gather(1, after)
    part = ((target - way_before) / (way_after - way_before).clamp_min(1e-6)).clamp(0, 1)
    pick = after[..., None].expand(n, count, 2)
    return torch.lerp(drawn.gather(1, pick - 1), drawn.gather(1, pick), part[..., None])


def render(pen: Tensor, generator: Generator) -> Tensor:
    """Draw pen points (n, M, 2) as pictures (n, 28, 28), uint8, ink 255 on 0.

    As if drawn with a round brush of random width on a canvas, cropped to the ink, scaled to a
    longest side of 20 pixels with an area filter and shifted by whole pixels until the centre of
    mass rounds to index (14, 14): size and brush are worked out before, so nothing is resampled.
    """
    n = len(pen)
    brush = uniform((n, 1), *BRUSH, generator) / uniform((n, 1), *DRAWN_SIDE, generator)
    low, high = pen.amin(1), pen.amax(1)
    side = (high - low).amax(1, keepdim=True).clamp_min(1e-3)
    # The ink's box is the pen's way with half a brush all round; whole pixels, as a crop has.
    scale = INK_SIDE / (side * (1 + brush))
    radius = 0.5 * brush * side * scale
    exact = (high - low) * scale
    whole = (exact + 2 * radius).round().clamp(1, INK_SIDE)
    stretch = torch.where(exact > 1, ((whole - 2 * radius) / exact).clamp(0.5, 1.5), 1.0)
    corner = ((SIDE - whole) / 2).round()
    pen = (pen - low[:, None]) * (scale * stretch)[:, None] + (corner + radius)[:, None]
    pictures = [
        _ink(part, r)
        for part, r in zip(pen.split(RENDER_CHUNK), radius.split(RENDER_CHUNK), strict=True)
    ]
    return place(torch.cat(pictures))


def _ink(pen: Tensor, radius: Tensor) -> Tensor:
    """Return coverage (n, 28, 28) in [0, 1]: how much of each pixel lies within the pen's reach."""
    centres = torch.arange(SIDE) + 0.5
    apart = (centres[:, None] - pen.transpose(1, 2)[:, :, None, :]) ** 2  # (n, 2, 28, M)
    nearest = (apart[:, 1, :, None, :] + apart[:, 0, None, :, :]).amin(-1).sqrt()
    return (radius[:, :, None] + 0.5 - nearest).clamp(0, 1)


def place(ink: Tensor) -> Tensor:
    """Shift ink (n, 28, 28) in [0, 1] by whole pixels to MNIST's centre of mass; returns uint8.

    As in `preprocess.place_ink`, no ink is shifted out of the picture.
    """
    n = len(ink)
    ink = (ink * 255).round()
    rows, columns = _shift(ink.sum(2)), _shift(ink.sum(1))
    padded = torch.zeros(n, 3 * SIDE, 3 * SIDE, dtype=torch.uint8)
    padded[:, SIDE : 2 * SIDE, SIDE : 2 * SIDE] = ink
    here = torch.arange(SIDE, 2 * SIDE)
    y = (here - rows[:, None])[:, :, None]
    x = (here - columns[:, None])[:, None, :]
    return padded[torch.arange(n)[:, None, None], y, x]


def _shift(profile: Tensor) -> Tensor:
    """Return the whole-pixel shifts (n,) that bring profiles of ink (n, 28) to the centre."""
    index = torch.arange(SIDE, dtype=torch.float32)
    centre = (profile * index).sum(1) / profile.sum(1).clamp_min(1)
    inked = profile > 0
    first = inked.to(torch.uint8).argmax(1)
    after = SIDE - inked.flip(1).to(torch.uint8).argmax(1)
    shift = (CENTRE - centre + 0.5).floor().long()
    return shift.maximum(-first).minimum(SIDE - after)


def write(
    templates: Templates, index: Tensor, generator: Generator, style: Style | None = None
) -> Tensor:
    """Return pictures (n, 28, 28), uint8, of the templates `index` (n,), each varied at random."""
    drawn, present = vary(templates, index, generator, style or Style())
    return render(spread(drawn, present), generator)
