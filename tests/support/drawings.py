"""Digits drawn with a pen, as files and as arrays, and how far two pictures are apart."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

Stroke = Sequence[tuple[float, float]]
SEVEN: list[Stroke] = [[(60, 60), (200, 60), (110, 220)], [(95, 150), (185, 145)]]


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


def in_a_box(picture: Image.Image) -> Image.Image:
    """Draw a box with a thick black pen around what a picture shows, and return it."""
    width, height = picture.size
    ImageDraw.Draw(picture).rectangle((30, 30, width - 31, height - 31), outline=0, width=10)
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
