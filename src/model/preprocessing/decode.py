"""From the bytes of a picture file to its luminance; Pillow and numpy alone."""

import io
import math
import warnings

import numpy as np
from PIL import Image, ImageOps

from errors import DamagedImageError, ImageTooLargeError, UnreadableImageError
from model.config import (
    IMAGE_FORMATS,
    MAX_IMAGE_BYTES,
    MAX_IMAGE_PIXELS,
    MAX_IMAGE_SIDE,
    MAX_WEBP_PIXELS,
    WORKING_PIXELS,
)

# The limit of this project is checked from the header, before Pillow decodes anything.
Image.MAX_IMAGE_PIXELS = None
# What makes a decoder work for minutes on a small file: how a file begins, what it must not have
# more than so many of (a progressive JPEG has about ten scans, a PNG one colour profile).
_MOST_PARTS = ((b"\xff\xd8", b"\xff\xda", 100), (b"\x89PNG", b"iCCP", 8))
_DAMAGED = "The picture is damaged or truncated; save it again as PNG or JPEG and send that."


def open_image(data: bytes) -> Image.Image:
    """Decode a picture file, turned upright as its EXIF orientation says.

    Raises:
        PictureError: as ``read_header`` and ``decode_image`` say.
    """
    return decode_image(read_header(data))


def read_header(data: bytes) -> Image.Image:
    """Read the header alone: ``size`` and ``format`` are known, no pixel is decoded.

    Raises:
        PictureTooLargeError: more bytes or pixels than the settings allow.
        UnreadablePictureError: not a picture of an accepted format, or one that is made to keep
            its decoder busy.
    """
    if len(data) > MAX_IMAGE_BYTES:
        raise ImageTooLargeError(
            f"The file has {len(data) / 1e6:.1f} MB; send at most {MAX_IMAGE_BYTES / 1e6:.0f} MB."
        )
    if any(data.startswith(start) and data.count(part) > most for start, part, most in _MOST_PARTS):
        raise DamagedImageError(_DAMAGED)
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata in files that it reads all the same.
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=IMAGE_FORMATS)
    except Exception as error:  # Pillow's decoders have no common one
        raise UnreadableImageError(
            f"The file is no picture that can be read here; send {', '.join(IMAGE_FORMATS)}."
        ) from error
    width, height = image.size
    pixels = MAX_WEBP_PIXELS if image.format == "WEBP" else MAX_IMAGE_PIXELS
    if width * height > pixels or max(width, height) > MAX_IMAGE_SIDE:
        raise ImageTooLargeError(
            f"The {image.format} picture has {width} x {height} pixels; send one of at most "
            f"{pixels / 1e6:.0f} megapixels and {MAX_IMAGE_SIDE:,} pixels a side."
        )
    return image


def decode_image(header: Image.Image) -> Image.Image:
    """Decode what ``read_header`` opened, turned upright as its EXIF orientation says.

    Of a GIF the first frame is taken; many megapixels are reduced, a JPEG while decoding.

    Raises:
        DamagedPictureError: the picture is truncated or otherwise damaged.
    """
    width, height = header.size
    if width * height > WORKING_PIXELS:
        header.draft(None, (width // 4, height // 4))  # only JPEG can; the others ignore it
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header.load()
            upright = _reduced(header)
            ImageOps.exif_transpose(upright, in_place=True)
    except Exception as error:  # as above; EXIF data too raise what they like
        raise DamagedImageError(_DAMAGED) from error
    upright.format = header.format  # lost in turning; lossy formats need care further on
    return upright


def _reduced(image: Image.Image) -> Image.Image:
    """Reduce a picture of many megapixels by a whole factor: what follows needs much memory."""
    factor = math.ceil(math.sqrt(image.width * image.height / WORKING_PIXELS))
    if factor <= 1:
        return image
    if image.mode == "P":
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.reduce(factor)


def luminance(image: Image.Image) -> np.ndarray:
    """Return the luminance (H, W), uint8 0-255, of a picture of any mode (ITU-R BT.601 weights).

    Transparent parts take the colour of the paper: opposite to the ink where only ink is opaque,
    the commonest opaque colour where ink and paper both are.
    """
    if image.mode in ("I", "I;16", "I;16B", "I;16L", "F"):
        levels = np.asarray(image, dtype=np.float32)
        return np.clip(levels / 257, 0, 255).round().astype(np.uint8)
    if not image.has_transparency_data:
        return np.asarray(image if image.mode == "L" else _opaque(image).convert("L"))
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        return np.asarray(image.convert("L"))  # as a canvas sends it: a fifth of the time
    grey, alpha = image.convert("RGBA").convert("LA").split()
    opacity = np.asarray(alpha, dtype=np.float32) / 255
    levels = np.asarray(grey, dtype=np.float32)
    opaque = opacity > 0.5
    visible = levels[opaque]
    if visible.size in (0, levels.size):
        paper = 0.0 if visible.size == 0 else float(visible[0])
    elif visible.std() < 32:  # one colour alone is opaque: that is the ink
        paper = 0.0 if visible.mean() >= 128 else 255.0
    else:  # a sheet, cut out
        paper = float(np.median(visible))
        rows, columns = np.flatnonzero(opaque.any(1)), np.flatnonzero(opaque.any(0))
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        levels, opacity = levels[box], opacity[box]
    return (opacity * levels + (1 - opacity) * paper + 0.5).astype(np.uint8)


def _opaque(image: Image.Image) -> Image.Image:
    """Palettes convert to luminance through their colours."""
    return image.convert("RGB") if image.mode in ("P", "CMYK", "YCbCr", "LAB", "HSV") else image


def encode_png(image: np.ndarray) -> bytes:
    """Encode a grey picture (H, W), uint8, as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
