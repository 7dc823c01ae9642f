"""Numbers made from recorded strokes: digits of one writer side by side, apart or touching."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from evaluation.strokes import StrokeSample

FINER = 4
LENGTH = (2, 6)  # digits of a number
HEIGHT = (50.0, 160.0)  # pixels of a number's usual digit
BRUSH = (0.06, 0.18)  # heights
APART = (0.15, 0.5)  # heights between the edges of the ink
TOUCHING = (-0.08, 0.06)


@dataclass(frozen=True)
class Number:
    text: str
    image: np.ndarray


def compose(
    samples: Sequence[StrokeSample], gaps: tuple[float, float], rng: np.random.Generator
) -> Number:
    """Write digits side by side as a person would on a wide canvas.

    Args:
        samples: the digits, from left to right.
        gaps: the range of the gap between the edges of neighbours' ink, in heights.

    Returns:
        The number as text and a picture (H, W) uint8, 255 on 0.
    """
    height = rng.uniform(*HEIGHT)
    brush = height * rng.uniform(*BRUSH)
    points = [np.concatenate([np.asarray(s) for s in sample.strokes]) for sample in samples]
    usual = np.median([np.ptp(p[:, 1]) for p in points])
    placed: list[np.ndarray] = []
    right = 0.0
    for sample, all_points in zip(samples, points, strict=True):
        low, extent = all_points.min(axis=0), np.ptp(all_points, axis=0)
        natural = np.clip(extent[1] / max(usual, 1e-6), 0.75, 1.3)
        longest = max(extent[1], extent[0] / 1.4, 1e-6)
        scale = (height - brush) * natural / longest
        size = extent * scale
        top = (height - size[1]) / 2 + height * rng.normal(0, 0.04)
        left = right + (height * rng.uniform(*gaps) if placed else 0.0) + brush / 2
        placed += [(np.asarray(s) - low) * scale + (left, top) for s in sample.strokes]
        right = left + size[0] + brush / 2
    return Number("".join(str(s.label) for s in samples), _paint(placed, brush, rng))


def _paint(strokes: list[np.ndarray], brush: float, rng: np.random.Generator) -> np.ndarray:
    """Paint strokes with a round brush on a canvas with some room around them."""
    points = np.concatenate(strokes)
    margin = brush + rng.uniform(0.1, 0.6, 2) * np.ptp(points[:, 1])
    low = points.min(axis=0) - margin
    width, height = np.ceil(points.max(axis=0) + margin[::-1] - low).astype(int)
    canvas = np.zeros((height * FINER, width * FINER), dtype=np.uint8)
    thickness = max(1, round(brush * FINER))
    for stroke in strokes:
        path = np.round((stroke - low) * FINER * 16).astype(np.int32)
        if len(path) == 1:
            path = np.repeat(path, 2, axis=0)
        cv2.polylines(canvas, [path], False, 255, thickness, cv2.LINE_8, shift=4)
    return cv2.resize(canvas, (int(width), int(height)), interpolation=cv2.INTER_AREA)


def numbers_of_writers(
    samples: Sequence[StrokeSample],
    count: int,
    gaps: tuple[float, float],
    seed: int,
    length: tuple[int, int] = LENGTH,
) -> list[Number]:
    """Return `count` numbers, each of a writer's own digits; a seed always gives the same ones."""
    rng = np.random.default_rng(seed)
    by_writer: dict[str, list[StrokeSample]] = defaultdict(list)
    for sample in samples:
        by_writer[sample.writer].append(sample)
    writers = sorted(by_writer)
    numbers = []
    for _ in range(count):
        own = by_writer[writers[rng.integers(len(writers))]]
        picked = rng.integers(len(own), size=rng.integers(length[0], length[1] + 1))
        numbers.append(compose([own[k] for k in picked], gaps, rng))
    return numbers
