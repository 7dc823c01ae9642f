"""Vary templates of strokes at random, as people's hands do, in batches."""

import math

import torch
from torch import Generator, Tensor

from model.data.synthetic.templates import Templates, curve

CURVE_POINTS = 48  # on each stroke, before the points are spread evenly over the whole drawing

# How far drawings stray from their templates. Lengths are in template units (a digit is 100 high).
# A factor of its own for each drawing, from careful to careless, scales the first six.
POINT = 3.8  # standard deviation of the place of each control point
STROKE = 2.6  # of the place of each stroke against the others
STROKE_TURN = 0.05  # of the direction of each stroke, in radians
STROKE_SIZE = 0.05  # of the size of each stroke
ENDS = 0.16  # strokes end early or late by up to this part of their last segment
WARP = 5.5  # largest amplitude of the slow waves that deform the whole drawing
TREMOR = 0.7  # largest standard deviation of the shaking of the hand
SLANT_MEAN, SLANT = 0.06, 0.20  # of the shear: most people lean to the right
TURN = 0.10  # standard deviation of the rotation in radians
ASPECT = 0.26  # standard deviation of the logarithm of width / height
COARSE = 0.4  # share of drawings that are polylines of few points, as a mouse gives


def uniform(shape: tuple[int, ...], low: float, high: float, generator: Generator) -> Tensor:
    """Return numbers spread evenly over [low, high), float32 of the given shape."""
    return low + (high - low) * torch.rand(shape, generator=generator)


def normal(shape: tuple[int, ...], deviation: Tensor | float, generator: Generator) -> Tensor:
    """Return normally distributed numbers, cut at two standard deviations."""
    return torch.randn(shape, generator=generator).clamp(-2, 2) * deviation


def some(shape: tuple[int, ...], share: float, generator: Generator) -> Tensor:
    """Return booleans, `share` of them true."""
    return torch.rand(shape, generator=generator) < share


def deform(templates: Templates, index: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Draw template `index` (n,) once each, varied at random.

    Returns curves (n, S, K, 2) in template units and `present` (n, S), false where a template has
    fewer strokes than others.
    """
    n = len(index)
    points, last = templates.points[index], templates.last[index]
    strokes, width = points.shape[2:4]
    # Shares of the key shapes: often near one of them, sometimes between (about a Dirichlet).
    mixture = uniform(points.shape[:2], 1e-6, 0.999, generator).log().neg() ** 1.5
    mixture = mixture * templates.variants[index]
    mixture = mixture / mixture.sum(1, keepdim=True)
    points = (points * mixture[:, :, None, None, None]).sum(1)

    amplitude = uniform((n, 1, 1, 1), 0.15, 1.0, generator)
    points = points + normal((n, strokes, width, 2), POINT * amplitude, generator)
    middle = points.mean(2, keepdim=True)
    angle = normal((n, strokes, 1), STROKE_TURN * amplitude[..., 0], generator)
    size = 1 + normal((n, strokes, 1, 1), STROKE_SIZE * amplitude, generator)
    points = middle + _rotate(points - middle, angle) * size
    points = points + normal((n, strokes, 1, 2), STROKE * amplitude, generator)

    corner_rounding = uniform((n, 1, 1), 0.45, 1.0, generator)  # fast writing rounds corners
    trim = normal((n, strokes, 2), ENDS * amplitude[..., 0], generator)
    start, end = trim[..., :1], last[..., None] - trim[..., 1:]
    at = start + (end - start) * torch.linspace(0, 1, CURVE_POINTS)
    curves = curve(points, templates.corners[index] * corner_rounding, last, at)
    curves = _coarsen(curves, generator)
    curves = curves + _tremor(curves.shape, generator)
    for _ in range(2):  # slow waves in a random direction each
        wave = normal((n, 1, 1, 2), math.pi / 100, generator)
        phase = uniform((n, 1, 1), -math.pi, math.pi, generator)
        push = normal((n, 1, 1, 2), WARP * amplitude / 2, generator)
        curves = curves + push * ((curves * wave).sum(-1) + phase).sin()[..., None]
    slant = SLANT_MEAN + normal((n, 1, 1), SLANT, generator)
    aspect = normal((n, 1, 1), ASPECT, generator).exp()
    x, y = curves.unbind(-1)
    curves = torch.stack([x * aspect - y * slant, y], dim=-1)
    return _rotate(curves, normal((n, 1, 1), TURN, generator)), last > 0


def _rotate(points: Tensor, angle: Tensor) -> Tensor:
    """Turn points (..., 2) about the origin by `angle` (...) in radians."""
    cos, sin = angle.cos(), angle.sin()
    x, y = points.unbind(-1)
    return torch.stack([cos * x - sin * y, sin * x + cos * y], dim=-1)


def _coarsen(curves: Tensor, generator: Generator) -> Tensor:
    """Turn a share of the drawings into polylines, of every second to fifth point of the curve."""
    n, points = curves.shape[0], curves.shape[2]
    step = (2 + 4 * torch.rand((n, 1), generator=generator) ** 2).long()  # seldom very coarse
    step = torch.where(torch.rand((n, 1), generator=generator) < COARSE, step, 1)
    here = torch.arange(points)
    start = here // step * step
    end = (start + step).clamp_max(points - 1)
    weight = ((here - start) / (end - start).clamp_min(1))[:, None, :, None]
    before, after = (curves.gather(2, i[:, None, :, None].expand_as(curves)) for i in (start, end))
    return torch.lerp(before, after, weight)


def _tremor(shape: torch.Size, generator: Generator) -> Tensor:
    """Return smooth noise along each curve; most hands shake little, a few a lot."""
    n, strokes, points, _ = shape
    knots = torch.randn((n, strokes * 2, points // 3), generator=generator)
    noise = torch.nn.functional.interpolate(knots, size=points, mode="linear", align_corners=True)
    amount = TREMOR * torch.rand((n, 1, 1, 1), generator=generator) ** 3
    return noise.view(n, strokes, 2, points).transpose(2, 3) * amount
