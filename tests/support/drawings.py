"""Digits drawn with a pen, as files and as arrays, and how far two pictures are apart."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

Stroke = Sequence[tuple[float, float]]
SEVEN: list[Stroke] = [[(60, 60), (200, 60), (110, 220)], [(95, 150), (185, 145)]]
# A 4 so nearly closed that the classifier alone cannot tell it from a 9.
NEARLY_NINE: list[Stroke] = [
    [(170, 60), (110, 60), (100, 130), (170, 130)],
    [(170, 60), (170, 220)],
]


def blank(level: int = 0, size: tuple[int, int] = (280, 280)) -> Image.Image:
    return Image.new("L", size, level)


def write(canvas: Image.Image, strokes: Sequence[Stroke], ink: int, width: int = 14) -> Image.Image:
    """Draw strokes with round ends on a canvas, and return it."""
    pen = ImageDraw.Draw(canvas)
    for stroke in strokes:
        pen.line(stroke, fill=ink, width=width, joint="curve")
        for x, y in stroke:
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=ink)
    return canvas


def squared(picture: Image.Image, side: int = 40) -> Image.Image:
    """Draw the black lines of squared paper over a picture, and return it."""
    pen = ImageDraw.Draw(picture)
    for place in range(0, max(picture.size), side):
        pen.line((0, place, picture.width, place), fill=0, width=3)
        pen.line((place, 0, place, picture.height), fill=0, width=3)
    return picture


def file_of(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The bytes of a picture file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def mean_difference(first: np.ndarray, second: np.ndarray) -> float:
    """How many levels the pixels of two uint8 pictures differ on the average."""
    return float(np.abs(first.astype(float) - second).mean())


def max_difference(first: np.ndarray, second: np.ndarray) -> int:
    """How many levels the pixels of two uint8 pictures differ at most."""
    return int(np.abs(first.astype(int) - second).max())
