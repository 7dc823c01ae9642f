"""Recordings of pen strokes, and how a person's canvas would show them.

A recording is one line of JSON: `{"label": 7, "writer": "ada", "strokes": [[[x, y], ...], ...]}`,
a stroke for each time the pen was down, in any units, y downwards. Files may be gzipped.
"""

import gzip
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from errors import StrokeFileError
from model.config import NUM_CLASSES

CANVAS_SIDE = 280  # pixels, as on the page
BRUSH_WIDTH = (14.0, 24.0)  # pixels
DRAWING_SIDE = (0.35, 0.80)  # longest side of the strokes, in parts of the canvas
FINER = 4  # a line is drawn this many times larger, then reduced, for smooth edges

Strokes = Sequence[Sequence[Sequence[float]]]


@dataclass(frozen=True)
class StrokeSample:
    """One written digit.

    Attributes:
        label: the digit, 0-9.
        writer: who wrote it.
        strokes: for each stroke its points [x, y] in order, y downwards.
    """

    label: int
    writer: str
    strokes: list[list[list[float]]]


def read_strokes(path: Path) -> list[StrokeSample]:
    """Read a file of recordings, one a line, plain or gzipped; empty lines are passed over.

    Raises:
        StrokeFileError: the file cannot be read, has no recording, or a line (named by its number,
            from 1) is not in the documented form.
    """
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        lines = data.decode("utf-8").splitlines()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise StrokeFileError(f"{path} cannot be read as lines of JSON: {error}") from error
    samples = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            samples.append(parse_recording(line))
        except StrokeFileError as error:
            raise StrokeFileError(f"{path}, line {number}: {error}") from error
    if not samples:
        raise StrokeFileError(f"{path} holds no recordings: one JSON object a line is expected")
    return samples


def parse_recording(line: str) -> StrokeSample:
    """Read one line of a file of recordings.

    Raises:
        StrokeFileError: the line is not in the documented form; the message says what is wrong.
    """
    try:
        record = json.loads(line)
    except ValueError as error:
        raise StrokeFileError(f"no valid JSON ({error})") from error
    if not isinstance(record, dict):
        raise StrokeFileError("not an object with label, writer and strokes")
    missing = [key for key in ("label", "writer", "strokes") if key not in record]
    if missing:
        raise StrokeFileError(f"lacks {' and '.join(missing)}")
    label, writer, strokes = record["label"], record["writer"], record["strokes"]
    if type(label) is not int or not 0 <= label < NUM_CLASSES:
        raise StrokeFileError(f"label must be a digit from 0 to 9, not {label!r}")
    if not isinstance(writer, str):
        raise StrokeFileError(f"writer must be text, not {writer!r}")
    if not isinstance(strokes, list) or not strokes:
        raise StrokeFileError("strokes must be a list of at least one stroke")
    for stroke in strokes:
        if not isinstance(stroke, list) or not stroke:
            raise StrokeFileError("each stroke must be a list of at least one point [x, y]")
        for point in stroke:
            if not _is_point(point):
                raise StrokeFileError(f"a point must be two finite numbers [x, y], not {point!r}")
    return StrokeSample(label, writer, strokes)


def _is_point(point: object) -> bool:
    """Whether a JSON value is a pair of finite numbers (true and false are none)."""
    return (
        isinstance(point, list)
        and len(point) == 2
        and all(type(value) in (int, float) and math.isfinite(value) for value in point)
    )


def draw(sample: StrokeSample, rng: np.random.Generator) -> Image.Image:
    """Draw a recording on a canvas: (280, 280), mode L, white on black; see `draw_strokes`."""
    return render_strokes(sample.strokes, rng)


def render_strokes(strokes: Strokes, rng: np.random.Generator) -> Image.Image:
    """Draw strokes as a person's canvas would, with round caps and joins and smooth edges.

    The brush is 14-24 pixels wide, the strokes' longest side 35-80 % of the canvas, and they lie
    anywhere that keeps the ink on the canvas, all at random.

    Returns:
        A picture of 280 x 280, mode L, 255 on 0.
    """
    brush = rng.uniform(*BRUSH_WIDTH)
    side = CANVAS_SIDE * rng.uniform(*DRAWING_SIDE)
    points = np.concatenate([np.asarray(stroke, dtype=np.float64) for stroke in strokes])
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = side / extent.max() if extent.max() > 0 else 1.0
    room = CANVAS_SIDE - brush - extent * scale
    corner = brush / 2 + room * rng.uniform(size=2)
    placed = [(np.asarray(stroke) - low) * scale + corner for stroke in strokes]
    return paint(placed, brush)


def paint(strokes: Sequence[np.ndarray], brush: float) -> Image.Image:
    """Paint strokes, each (n, 2) in pixels of the canvas, with a round brush of a given width.

    Returns:
        A picture of 280 x 280, mode L, 255 on 0.
    """
    points = np.concatenate(strokes)
    # Only the box around the ink is painted large: it is what takes the time.
    left, top = np.maximum(np.floor(points.min(axis=0) - brush / 2 - 1), 0).astype(int)
    right, bottom = np.minimum(np.ceil(points.max(axis=0) + brush / 2 + 1), CANVAS_SIDE).astype(int)
    large = Image.new("L", ((right - left) * FINER, (bottom - top) * FINER))
    pen = ImageDraw.Draw(large)
    radius = brush * FINER / 2 - 0.5
    for stroke in strokes:
        # Pillow means the centre of pixel (0, 0) by (0, 0), a canvas its upper left corner; and
        # what it fills includes the pixels of the outline.
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
