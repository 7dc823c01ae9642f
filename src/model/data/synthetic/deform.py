"""Vary templates of strokes at random, as people's hands do, in batches."""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from model.data.synthetic.templates import Templates, curve

CURVE_POINTS = 48  # on each stroke, before the points are spread evenly over the whole drawing
TEMPLATE_HEIGHT = 100.0
SLANT_MEAN = 0.06  # most people lean to the right


@dataclass(frozen=True)
class Style:
    """How far drawings stray from their templates: lengths in template units (100 = the height).

    A factor of its own for each drawing, from careful to careless, scales the first six.
    """

    point: float = 3.8  # standard deviation of the place of each control point
    stroke: float = 2.6  # of the place of each stroke against the others
    stroke_turn: float = 0.05  # of the direction of each stroke, in radians
    stroke_size: float = 0.05  # of the size of each stroke
    ends: float = 0.16  # strokes end early or late by up to this part of their last segment
    warp: float = 5.5  # largest amplitude of the slow waves that deform the whole drawing
    tremor: float = 0.7  # largest standard deviation of the shaking of the hand
    slant: float = 0.20  # standard deviation of the shear; its mean is SLANT_MEAN
    turn: float = 0.10  # standard deviation of the rotation in radians
    aspect: float = 0.26  # standard deviation of the logarithm of width / height
    coarse: float = 0.4  # share of drawings that are polylines of few points, as a mouse gives


def uniform(shape: tuple[int, ...], low: float, high: float, generator: Generator) -> Tensor:
    """Return numbers spread evenly over [low, high), float32 of the given shape."""
    return low + (high - low) * torch.rand(shape, generator=generator)


def normal(shape: tuple[int, ...], deviation: Tensor | float, generator: Generator) -> Tensor:
    """Return normally distributed numbers, cut at two standard deviations."""
    return torch.randn(shape, generator=generator).clamp(-2, 2) * deviation


def deform(
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

    amplitude = uniform((n, 1, 1, 1), 0.15, 1.0, generator)
    points = points + normal((n, strokes, width, 2), style.point * amplitude, generator)
    middle = points.mean(2, keepdim=True)
    angle = normal((n, strokes, 1), style.stroke_turn * amplitude[..., 0], generator)
    size = 1 + normal((n, strokes, 1, 1), style.stroke_size * amplitude, generator)
    points = middle + _rotate(points - middle, angle) * size
    points = points + normal((n, strokes, 1, 2), style.stroke * amplitude, generator)

    corner_rounding = uniform((n, 1, 1), 0.45, 1.0, generator)  # fast writing rounds corners
    trim = normal((n, strokes, 2), style.ends * amplitude[..., 0], generator)
    along = torch.linspace(0, 1, CURVE_POINTS)
    start, end = trim[..., :1], last[..., None] - trim[..., 1:]
    curves = curve(
        points, templates.corners[index] * corner_rounding, last, start + (end - start) * along
    )
    curves = _coarsen(curves, style.coarse, generator)
    curves = curves + _tremor(curves.shape, style.tremor, generator)
    curves = _warp(curves, style.warp * amplitude, generator)
    return _affine(curves, style, generator), present


def _rotate(points: Tensor, angle: Tensor) -> Tensor:
    """Turn points (..., 2) about the origin by `angle` (...) in radians."""
    cos, sin = angle.cos(), angle.sin()
    x, y = points.unbind(-1)
    return torch.stack([cos * x - sin * y, sin * x + cos * y], dim=-1)


def _coarsen(curves: Tensor, share: float, generator: Generator) -> Tensor:
    """Turn a share of the drawings into polylines, of every second to fifth point of the curve."""
    n, points = curves.shape[0], curves.shape[2]
    step = (2 + 4 * torch.rand((n, 1), generator=generator) ** 2).long()  # seldom very coarse
    step = torch.where(torch.rand((n, 1), generator=generator) < share, step, 1)
    here = torch.arange(points)
    start = here // step * step
    end = (start + step).clamp_max(points - 1)
    weight = ((here - start) / (end - start).clamp_min(1))[:, None, :, None]
    pick = [i[:, None, :, None].expand_as(curves) for i in (start, end)]
    return torch.lerp(curves.gather(2, pick[0]), curves.gather(2, pick[1]), weight)


def _tremor(shape: torch.Size, largest: float, generator: Generator) -> Tensor:
    """Return smooth noise along each curve; most hands shake little, a few a lot."""
    n, strokes, points, _ = shape
    knots = torch.randn((n, strokes * 2, points // 3), generator=generator)
    noise = torch.nn.functional.interpolate(knots, size=points, mode="linear", align_corners=True)
    amount = largest * torch.rand((n, 1, 1, 1), generator=generator) ** 3
    return noise.view(n, strokes, 2, points).transpose(2, 3) * amount


def _warp(curves: Tensor, amplitude: Tensor, generator: Generator) -> Tensor:
    """Deform whole drawings by two slow waves in a random direction each."""
    n = curves.shape[0]
    for _ in range(2):
        wave = normal((n, 1, 1, 2), math.pi / TEMPLATE_HEIGHT, generator)
        phase = uniform((n, 1, 1), -math.pi, math.pi, generator)
        push = normal((n, 1, 1, 2), amplitude / 2, generator)
        curves = curves + push * ((curves * wave).sum(-1) + phase).sin()[..., None]
    return curves


def _affine(curves: Tensor, style: Style, generator: Generator) -> Tensor:
    """Give whole drawings a slant, an aspect and a rotation of their own."""
    n = curves.shape[0]
    slant = SLANT_MEAN + normal((n, 1, 1), style.slant, generator)
    aspect = normal((n, 1, 1), style.aspect, generator).exp()
    x, y = curves.unbind(-1)
    curves = torch.stack([x * aspect - y * slant, y], dim=-1)
    return _rotate(curves, normal((n, 1, 1), style.turn, generator))
