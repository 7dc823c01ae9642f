"""Write numbers of recorded digits: the strokes of one writer side by side."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from model.config import NUM_CLASSES
from model.data.strokes import StrokeSample, paint
from model.data.synthetic.digits import write_digits

LENGTH = (2, 6)  # digits of a number
HEIGHT = (20.0, 160.0)  # pixels of a number's usual digit
BRUSH = (0.06, 0.18)  # heights
NATURAL = (0.75, 1.3)  # the least and the greatest size of a digit, relative to its neighbours
# The gap between the ink of neighbours, in heights
GAPS = {"apart": (0.15, 0.5), "touching": (-0.08, 0.06)}


@dataclass(frozen=True)
class Number:
    """A picture (H, W) uint8, 255 on 0, and its number; the text is None if there is none."""

    text: str | None
    image: np.ndarray
    writer: str = ""


def synthetic_samples(count: int, seed: int) -> list[StrokeSample]:
    """Return synthetic digits of different sizes as the samples of one writer."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, NUM_CLASSES, (count,), generator=generator)
    curves, present = write_digits(labels, generator)
    curves = curves * torch.exp(0.15 * torch.randn(count, 1, 1, 1, generator=generator))
    samples = []
    for label, drawn, shown in zip(labels.tolist(), curves, present, strict=True):
        strokes = [[(x, y) for x, y in stroke] for stroke in drawn[shown].tolist()]
        samples.append(StrokeSample(label=label, writer="synthetic", strokes=strokes))
    return samples


def numbers_of_writers(
    samples: Sequence[StrokeSample],
    count: int,
    gaps: tuple[float, float],
    seed: int,
    length: tuple[int, int] = LENGTH,
) -> list[Number]:
    """Return `count` numbers, each of one writer's digits; a seed always gives the same ones."""
    rng = np.random.default_rng(seed)
    by_writer: dict[str, list[StrokeSample]] = defaultdict(list)
    for sample in samples:
        by_writer[sample.writer].append(sample)
    writers = sorted(by_writer)
    numbers = []
    for _ in range(count):
        own = by_writer[writers[rng.integers(len(writers))]]
        picked = rng.integers(len(own), size=rng.integers(length[0], length[1] + 1))
        numbers.append(write_number([own[k] for k in picked], gaps, rng))
    return numbers


def write_number(
    samples: Sequence[StrokeSample], gaps: tuple[float, float], rng: np.random.Generator
) -> Number:
    """Write digits from left to right; the gaps are drawn from a range, in heights."""
    points = [np.concatenate([np.asarray(s) for s in sample.strokes]) for sample in samples]
    usual = float(np.median([np.ptp(p[:, 1]) for p in points]))
    brush = rng.uniform(*BRUSH)  # all lengths in heights of a digit
    placed: list[np.ndarray] = []
    right = 0.0
    for sample, all_points in zip(samples, points, strict=True):
        low, extent = all_points.min(axis=0), np.ptp(all_points, axis=0)
        natural = np.clip(extent[1] / max(usual, 1e-6), *NATURAL)
        scale = (1 - brush) * natural / max(extent[1], extent[0] / 1.4, 1e-6)
        top = (1 - extent[1] * scale) / 2 + rng.normal(0, 0.04)
        left = right + (rng.uniform(*gaps) if placed else 0.0) + brush / 2
        placed += [(np.asarray(s) - low) * scale + (left, top) for s in sample.strokes]
        right = left + extent[0] * scale + brush / 2
    text = "".join(str(sample.label) for sample in samples)
    return Number(text, paint_line(placed, brush, rng), samples[0].writer)


def paint_line(strokes: list[np.ndarray], brush: float, rng: np.random.Generator) -> np.ndarray:
    """Paint strokes, in heights, with some room around them; a height is drawn from HEIGHT."""
    height = math.exp(rng.uniform(*np.log(HEIGHT)))
    brush = max(1.0, brush * height)
    points = np.concatenate(strokes) * height
    before, after = brush + rng.uniform(0.1, 0.6, (2, 2)) * height
    low = points.min(axis=0) - before
    width, rows = np.ceil(points.max(axis=0) + after - low).astype(int).tolist()
    return paint([stroke * height - low for stroke in strokes], brush, (width, rows))
