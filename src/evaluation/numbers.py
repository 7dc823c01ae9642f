"""How well a model reads whole numbers: ``bash run.sh evaluate numbers [FILE]``.

FILE holds stroke samples (see `model.data.strokes`), and each number is of one writer; without
one, synthetic digits are used. The digits stand side by side, apart or touching, and go through the
same code path as an image sent to the API. Words, expressions and scribbles show how often
something else is called a number.
"""

import argparse
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from arguments import at_least, output_file
from evaluation.out_of_distribution import FONTS, LETTERS, hershey, scribble
from evaluation.results import markdown_table
from model.checkpoint import DEFAULT_FILE, find_model, write_json
from model.classifier import Classifier
from model.config import NUM_CLASSES
from model.data.strokes import StrokeSample, read_strokes
from model.data.synthetic.deform import deform
from model.data.synthetic.digits import FREQUENCY, STYLE, TEMPLATES
from model.numbers.read import read_numbers
from model.preprocessing.normalize import normalize

FINER = 4  # strokes are drawn this many times larger, then reduced, for smooth edges
LENGTH = (2, 6)  # digits of a number
HEIGHT = (20.0, 160.0)  # pixels of a number's usual digit
BRUSH = (0.06, 0.18)  # heights
NATURAL = (0.75, 1.3)  # the size of a digit beside its neighbours', at least and at most
SYNTHETIC_SAMPLES = 2000
# The gap between the edges of neighbours' ink, in heights.
GAPS = {"apart": (0.15, 0.5), "touching": (-0.08, 0.06)}


@dataclass(frozen=True)
class Number:
    """A picture (H, W) uint8, 255 on 0, and its number as text; None where it holds none."""

    text: str | None
    image: np.ndarray


def write_number(
    samples: Sequence[StrokeSample], gaps: tuple[float, float], rng: np.random.Generator
) -> Number:
    """Write digits side by side, from left to right, with gaps of the given range in heights."""
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
    return Number("".join(str(s.label) for s in samples), _paint(placed, 1.0, brush, rng))


def _paint(
    strokes: Iterable[np.ndarray], unit: float, brush: float, rng: np.random.Generator
) -> np.ndarray:
    """Paint strokes with a round brush, `unit` being HEIGHT pixels, with some room around them."""
    height = math.exp(rng.uniform(*np.log(HEIGHT)))
    paths = [np.asarray(stroke, dtype=float) * (height / unit) for stroke in strokes]
    brush = max(1.0, brush * height)
    points = np.concatenate(paths)
    before, after = brush + rng.uniform(0.1, 0.6, (2, 2)) * height
    low = points.min(axis=0) - before
    width, rows = np.ceil(points.max(axis=0) + after - low).astype(int).tolist()
    canvas = np.zeros((rows * FINER, width * FINER), dtype=np.uint8)
    for path in paths:
        fixed = np.round((path - low) * FINER * 16).astype(np.int32)
        if len(fixed) == 1:  # a dot, which OpenCV paints as a line to itself alone
            fixed = fixed.repeat(2, axis=0)
        cv2.polylines(canvas, [fixed], False, 255, round(brush * FINER), cv2.LINE_8, shift=4)
    return cv2.resize(canvas, (width, rows), interpolation=cv2.INTER_AREA)


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


def synthetic_samples(count: int, seed: int) -> list[StrokeSample]:
    """Return synthetic digits as the samples of one writer, whose digits vary in size."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, NUM_CLASSES, (count,), generator=generator)
    index = torch.multinomial(FREQUENCY[labels], 1, generator=generator)[:, 0]
    curves, present = deform(TEMPLATES, index, generator, STYLE)
    sizes = torch.exp(0.15 * torch.randn(count, generator=generator))
    curves = curves * sizes[:, None, None, None]
    samples = []
    for label, drawn, shown in zip(labels.tolist(), curves, present, strict=True):
        strokes = [[(x, y) for x, y in stroke] for stroke in drawn[shown].tolist()]
        samples.append(StrokeSample(label=label, writer="synthetic", strokes=strokes))
    return samples


def text_of_hershey(text: str, rng: np.random.Generator) -> np.ndarray:
    """Draw a text in one of Hershey's fonts."""
    strokes = [np.asarray(s) for s in hershey(str(rng.choice(FONTS)), text)]
    tall = float(np.ptp(np.concatenate(strokes)[:, 1]))
    return _paint(strokes, tall, rng.uniform(*BRUSH), rng)


def word(rng: np.random.Generator) -> np.ndarray:
    """Draw three to six letters that are unlike digits."""
    return text_of_hershey("".join(rng.choice(list(LETTERS), rng.integers(3, 7))), rng)


def expression(rng: np.random.Generator) -> np.ndarray:
    """Draw two numbers with an operator between them."""
    left, right = rng.integers(0, 100, 2)
    return text_of_hershey(f"{left}{rng.choice(list('+-*=x'))}{right}", rng)


OTHERS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "words": word,
    "expressions": expression,
    "scribbles": lambda rng: np.asarray(scribble(rng)),
}


def no_numbers(kind: str, count: int, seed: int) -> list[Number]:
    """Return pictures of one of OTHERS."""
    rng = np.random.default_rng(seed)
    return [Number(None, OTHERS[kind](rng)) for _ in range(count)]


def measure(classifier: Classifier, numbers: Sequence[Number]) -> dict[str, float | None]:
    """Read numbers, each a picture of its own.

    Returns:
        Shares from 0 to 1: of pictures read whole and right (None where they hold no number), of
        pictures called a number, and of these, if any, the mean confidence and the right ones.
    """
    read = []
    for number in tqdm(numbers, unit="picture", disable=None):
        lines = read_numbers(classifier, normalize(Image.fromarray(number.image)))
        called = len(lines) == 1 and lines[0].number is not None
        right = called and lines[0].number == number.text
        read.append((called, right, lines[0].confidence if called else math.nan))
    called, right, confidence = np.array(read, dtype=float).T
    are_numbers = any(number.text is not None for number in numbers)
    return {
        "pictures": len(numbers),
        "whole": float(right.mean()) if are_numbers else None,
        "called_a_number": float(called.mean()),
        "confidence": float(np.nanmean(confidence)) if called.any() else None,
        "right_of_called": float(right.sum() / called.sum()) if called.any() else None,
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="stroke samples")
    parser.add_argument("--model", default=DEFAULT_FILE, help=f"name or .pt file ({DEFAULT_FILE})")
    parser.add_argument(
        "--count", type=at_least(1), default=200, help="pictures of each kind (200)"
    )
    parser.add_argument("--seed", type=at_least(0), default=0, help="of what is written (0)")
    parser.add_argument(
        "--json", type=output_file, metavar="FILE", help="write the results there too"
    )


def run(options: argparse.Namespace) -> None:
    """Measure and print.

    Raises:
        DigitsError: the file or the model cannot be read, or there is nothing to count.
    """
    classifier = Classifier.load(find_model(options.model))
    count, seed = options.count, options.seed
    if options.file:
        samples = read_strokes(options.file)
    else:
        samples = synthetic_samples(SYNTHETIC_SAMPLES, seed)
    kinds = {kind: numbers_of_writers(samples, count, gaps, seed) for kind, gaps in GAPS.items()}
    kinds["single digits"] = numbers_of_writers(samples, count, GAPS["apart"], seed, (1, 1))
    kinds |= {kind: no_numbers(kind, count, seed) for kind in OTHERS}
    results = {name: measure(classifier, numbers) for name, numbers in kinds.items()}
    shares = ("whole", "called_a_number", "confidence", "right_of_called")
    rows = [
        [name, *("-" if row[share] is None else f"{row[share]:.1%}" for share in shares)]
        for name, row in results.items()
    ]
    print(markdown_table(["", *(share.replace("_", " ") for share in shares)], rows))
    print("whole: of all, read whole and right; confidence: mean of what is called a number")
    if options.json:
        about = {"model": classifier.name, "version": classifier.version, "seed": options.seed}
        write_json(options.json, {**about, "kinds": results})
