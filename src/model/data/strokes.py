"""Samples of pen strokes, and how a person's canvas would show them.

A sample is one line of JSON: `{"label": 7, "writer": "ada", "strokes": [[[x, y], ...], ...]}`,
a stroke for each time the pen was down, in any units, y downwards. No coordinate is beyond a
million. Files may be gzipped.
"""

import gzip
import io
import math
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from PIL import Image, ImageDraw
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError
from tqdm import tqdm

from errors import StrokeFileError
from model.config import NUM_CLASSES
from model.data.mnist import Digits
from model.preprocessing.normalize import preprocess

CANVAS_SIDE = 280  # pixels, as on the page
BRUSH_WIDTH = (14.0, 24.0)  # pixels
DRAWING_SIDE = (0.35, 0.80)  # longest side of the strokes, as a fraction of the canvas
FINER = 4  # a line is drawn this many times larger, then reduced, for smooth edges
MAX_COORDINATE = 1e6  # either side of 0; far larger ones leave no finite number to draw with
MIN_EXTENT = 1e-9  # strokes that reach less far, about the rounding of such numbers, are a dot
FORM = '{"label": 0-9, "writer": "name", "strokes": [[[x, y], ...], ...]}'

Coordinate = Annotated[FiniteFloat, Field(ge=-MAX_COORDINATE, le=MAX_COORDINATE)]
Point = tuple[Coordinate, Coordinate]
Stroke = Annotated[list[Point], Field(min_length=1)]
Strokes = Sequence[Sequence[Sequence[float]] | np.ndarray]


class StrokeSample(BaseModel):
    """One written digit.

    Attributes:
        label: the digit, 0-9.
        writer: who wrote it.
        strokes: for each stroke its points (x, y) in order, y downwards.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    label: Annotated[int, Field(ge=0, lt=NUM_CLASSES)]
    writer: str
    strokes: Annotated[list[Stroke], Field(min_length=1)]


def read_strokes(path: Path) -> list[StrokeSample]:
    """Read a file of samples, one a line, plain or gzipped; empty lines are passed over.

    Raises:
        StrokeFileError: the file cannot be read, has no sample, or a line (named by its number,
            from 1) is not in the documented form.
    """
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        # Not splitlines: a name may hold U+2028 and its like. JSON passes over the "\r" of "\r\n".
        lines = data.decode("utf-8").split("\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise StrokeFileError(
            f"{path} cannot be read ({error}): give a file with one {FORM} per line."
        ) from error
    samples = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            samples.append(StrokeSample.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            place = "".join(f"{part}: " for part in first["loc"])
            raise StrokeFileError(
                f"{path}, line {number}: {place}{first['msg']}. Write each line as {FORM}."
            ) from error
    if not samples:
        raise StrokeFileError(f"{path} holds no samples: write one {FORM} per line.")
    return samples


def render_strokes(strokes: Strokes, rng: np.random.Generator) -> Image.Image:
    """Draw strokes as a person's canvas would, with round caps and joins and smooth edges.

    The brush is 14-24 pixels wide, the strokes' longest side 35-80 % of the canvas, and they lie
    anywhere that keeps the brush on the canvas, all at random; `paint` gives the image.
    """
    brush = rng.uniform(*BRUSH_WIDTH)
    side = CANVAS_SIDE * rng.uniform(*DRAWING_SIDE)
    points = np.concatenate([np.asarray(stroke, dtype=np.float64) for stroke in strokes])
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = side / extent.max() if extent.max() > MIN_EXTENT else 1.0
    room = CANVAS_SIDE - brush - extent * scale
    corner = brush / 2 + room * rng.uniform(size=2)
    placed = [(np.asarray(stroke) - low) * scale + corner for stroke in strokes]
    return paint(placed, brush)


def paint(strokes: Sequence[np.ndarray], brush: float) -> Image.Image:
    """Paint strokes, each (n, 2) in pixels of the canvas, with a round brush of a given width.

    Returns:
        An image of 280 x 280, mode L, 255 on 0.
    """
    points = np.concatenate(strokes)
    # Only the box around the strokes is painted large: it is what takes the time.
    left, top = np.maximum(np.floor(points.min(axis=0) - brush / 2 - 1), 0).astype(int)
    right, bottom = np.minimum(np.ceil(points.max(axis=0) + brush / 2 + 1), CANVAS_SIDE).astype(int)
    large = Image.new("L", ((right - left) * FINER, (bottom - top) * FINER))
    pen = ImageDraw.Draw(large)
    radius = brush * FINER / 2 - 0.5
    for stroke in strokes:
        # (0, 0) is the centre of the first pixel for Pillow and its upper left corner for a canvas;
        # Pillow's fill includes the pixels of the outline.
        path = (stroke - (left, top)) * FINER - 0.5
        for start, end in pairwise(path):
            length = math.dist(start, end)
            if length > 0:
                x, y = (end - start) * radius / length
                aside = np.array([-y, x])
                outline = [start + aside, end + aside, end - aside, start - aside]
                pen.polygon([tuple(point) for point in outline], fill=255)
        for x, y in path:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    canvas = Image.new("L", (CANVAS_SIDE, CANVAS_SIDE))
    canvas.paste(large.reduce(FINER), (int(left), int(top)))
    return canvas


def draw_files(samples: Sequence[StrokeSample], seed: int) -> Iterator[bytes]:
    """Yield each sample drawn on a canvas, as a PNG file.

    Each has random numbers of its own, whatever stands before it.
    """
    for index, sample in enumerate(samples):
        file = io.BytesIO()
        canvas = render_strokes(sample.strokes, np.random.default_rng([seed, index]))
        canvas.save(file, "PNG", compress_level=1)
        yield file.getvalue()


def render_and_preprocess(samples: Sequence[StrokeSample], seed: int) -> np.ndarray:
    """Return the samples (N, 28, 28) uint8, drawn and preprocessed as the API does."""
    bar = tqdm(draw_files(samples, seed), total=len(samples), unit="sample", disable=None)
    return np.stack([preprocess(file).image for file in bar])


def load_strokes(path: Path, seed: int) -> Digits:
    """Read a file of samples, draw and preprocess them.

    Raises:
        StrokeFileError: as for `read_strokes`.
    """
    samples = read_strokes(path)
    images = torch.from_numpy(render_and_preprocess(samples, seed))
    return Digits(images, torch.tensor([sample.label for sample in samples]))
