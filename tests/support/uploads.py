"""Files that visitors of the page upload."""

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin
from tests.support.drawings import file_of


def half_lit(width: int, height: int) -> Image.Image:
    """A picture that is dark on the left and light on the right."""
    pixels = np.zeros((height, width), np.uint8)
    pixels[:, width // 2 :] = 255
    return Image.fromarray(pixels).convert("RGB")


def turned_right(picture: Image.Image, kind: str) -> bytes:
    """A photograph from a telephone held upright: lying, with the order to turn it to the right."""
    order = Image.Exif()
    order[ExifTags.Base.Orientation] = 6
    return file_of(picture, kind, exif=order.tobytes())


def png_with_text(picture: Image.Image) -> bytes:
    """A PNG with 2 MB of text, which Pillow does not unpack."""
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "x" * 2_000_000, zip=True)
    return file_of(picture, pnginfo=text)
