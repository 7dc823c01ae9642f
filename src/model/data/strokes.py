"""Recorded pen strokes, and how a person's canvas would show them.

A sample is one line of JSON: `{"label": 7, "writer": "ada", "strokes": [[[x, y], ...], ...]}`,
a stroke for each time the pen was down, in any units, y downwards. No coordinate is beyond a
million. Files may be gzipped.
"""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError
from tqdm import tqdm

from errors import StrokeFileError
from model.config import NUM_CLASSES
from model.data.mnist import Digits
from model.preprocessing.decode import encode_png
from model.preprocessing.normalize import preprocess

CANVAS_SIDE = 280  # pixels, as on the page
BRUSH_WIDTH = (14.0, 24.0)  # pixels
DRAWING_SIDE = (0.35, 0.80)  # longest side of the strokes, as a fraction of the canvas
FINER = 4  # strokes are painted this many times larger, then reduced, for smooth edges
MAX_COORDINATE = 1e6  # either side of 0; far larger ones leave no finite number to draw with
MIN_EXTENT = 1e-9  # strokes that reach less far, about the rounding of such numbers, are a dot
FORM = '{"label": 0-9, "writer": "name", "strokes": [[[x, y], ...], ...]}'

Coordinate = Annotated[FiniteFloat, Field(ge=-MAX_COORDINATE, le=MAX_COORDINATE)]
Stroke = Annotated[list[tuple[Coordinate, Coordinate]], Field(min_length=1)]
Strokes = Sequence[Sequence[Sequence[float]] | np.ndarray]


class StrokeSample(BaseModel):
    """One written digit: for each stroke its points (x, y) in order, y downwards."""

    model_config = ConfigDict(frozen=True, strict=True)

    label: Annotated[int, Field(ge=0, lt=NUM_CLASSES)]
    writer: str
    strokes: Annotated[list[Stroke], Field(min_length=1)]


def read_strokes(path: Path) -> list[StrokeSample]:
    """Read a file of samples, one a line, plain or gzipped; empty lines are skipped.

    Raises:
        StrokeFileError: the file cannot be read, has no sample, or a line is in another form.
    """
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise StrokeFileError(
            f"{path} cannot be read ({error}): give a file with one {FORM} per line."
        ) from error
    samples = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        try:
            if line.strip():
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


def render_strokes(strokes: Strokes, rng: np.random.Generator) -> np.ndarray:
    """Draw strokes as a person's canvas would: (280, 280) uint8, 255 on 0.

    Brush, size and place are random; the brush stays on the canvas.
    """
    brush = rng.uniform(*BRUSH_WIDTH)
    side = CANVAS_SIDE * rng.uniform(*DRAWING_SIDE)
    points = np.concatenate([np.asarray(stroke, dtype=np.float64) for stroke in strokes])
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = side / extent.max() if extent.max() > MIN_EXTENT else 1.0
    room = CANVAS_SIDE - brush - extent * scale
    corner = brush / 2 + room * rng.uniform(size=2)
    return paint([(np.asarray(stroke) - low) * scale + corner for stroke in strokes], brush)


def paint(
    strokes: list[np.ndarray], brush: float, size: tuple[int, int] = (CANVAS_SIDE, CANVAS_SIDE)
) -> np.ndarray:
    """Paint strokes, each (n, 2) in pixels, with a round brush `brush` pixels wide.

    Returns an image (height, width) uint8 of the size (width, height), 255 on 0.
    """
    width, height = size
    large = np.zeros((height * FINER, width * FINER), dtype=np.uint8)
    for stroke in strokes:
        path = np.round(stroke * FINER * 16).astype(np.int32)  # in 16ths of a pixel
        if len(path) == 1:  # a dot: OpenCV paints a line to itself, but no single point
            path = path.repeat(2, axis=0)
        cv2.polylines(large, [path], False, 255, round(brush * FINER), cv2.LINE_8, shift=4)
    return cv2.resize(large, size, interpolation=cv2.INTER_AREA)


def draw_files(samples: Sequence[StrokeSample], seed: int) -> Iterator[bytes]:
    """Yield each sample drawn on a canvas, as a PNG file; none depends on those before it."""
    for index, sample in enumerate(samples):
        yield encode_png(render_strokes(sample.strokes, np.random.default_rng([seed, index])))


def load_strokes(path: Path, seed: int) -> Digits:
    """Read a file of samples, as `read_strokes` does, draw and preprocess them."""
    samples = read_strokes(path)
    files = tqdm(draw_files(samples, seed), total=len(samples), unit="sample", disable=None)
    images = torch.from_numpy(np.stack([preprocess(file).image for file in files]))
    return Digits(images, torch.tensor([sample.label for sample in samples]))
