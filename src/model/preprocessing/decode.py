"""From the bytes of a picture file to its luminance; Pillow and numpy alone."""

import io
import math
import warnings

import numpy as np
from PIL import Image, ImageOps

from errors import DamagedPictureError, PictureTooLargeError, UnreadablePictureError
from model.config import (
    MAX_PICTURE_BYTES,
    MAX_PICTURE_PIXELS,
    MAX_PICTURE_SIDE,
    MAX_WEBP_PIXELS,
    PICTURE_FORMATS,
    WORKING_PIXELS,
)

# The limit of this project is checked from the header, before Pillow decodes anything.
Image.MAX_IMAGE_PIXELS = None
# What makes a decoder work for minutes on a small file: how a file begins, what it must not have
# more than so many of (a progressive JPEG has about ten scans, a PNG one colour profile).
_MOST_PARTS = ((b"\xff\xd8", b"\xff\xda", 100), (b"\x89PNG", b"iCCP", 8))
_DAMAGED = "The picture is damaged or truncated; save it again as PNG or JPEG and send that."


def open_picture(data: bytes) -> Image.Image:
    """Decode a picture file, turned upright as its EXIF orientation says.

    Raises:
        PictureError: as ``picture_header`` and ``decode_picture`` say.
    """
    return decode_picture(picture_header(data))


def picture_header(data: bytes) -> Image.Image:
    """Read the header alone: ``size`` and ``format`` are known, no pixel is decoded.

    Raises:
        PictureTooLargeError: more bytes or pixels than the settings allow.
        UnreadablePictureError: not a picture of an accepted format, or one that is made to keep
            its decoder busy.
    """
    if len(data) > MAX_PICTURE_BYTES:
        raise PictureTooLargeError(
            f"The file has {len(data) / 1e6:.1f} MB; send at most {MAX_PICTURE_BYTES / 1e6:.0f} MB."
        )
    if any(data.startswith(start) and data.count(part) > most for start, part, most in _MOST_PARTS):
        raise DamagedPictureError(_DAMAGED)
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata in files that it reads all the same.
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(data), formats=PICTURE_FORMATS)
    except Exception as error:  # Pillow's decoders have no common one
        raise UnreadablePictureError(
            f"The file is no picture that can be read here; send {', '.join(PICTURE_FORMATS)}."
        ) from error
    width, height = picture.size
    pixels = MAX_WEBP_PIXELS if picture.format == "WEBP" else MAX_PICTURE_PIXELS
    if width * height > pixels or max(width, height) > MAX_PICTURE_SIDE:
        raise PictureTooLargeError(
            f"The {picture.format} picture has {width} x {height} pixels; send one of at most "
            f"{pixels / 1e6:.0f} megapixels and {MAX_PICTURE_SIDE:,} pixels a side."
        )
    return picture


def decode_picture(header: Image.Image) -> Image.Image:
    """Decode what ``picture_header`` opened, turned upright as its EXIF orientation says.

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
        raise DamagedPictureError(_DAMAGED) from error
    upright.format = header.format  # lost in turning; lossy formats need care further on
    return upright


def _reduced(picture: Image.Image) -> Image.Image:
    """Reduce a picture of many megapixels by a whole factor: what follows needs much memory."""
    factor = math.ceil(math.sqrt(picture.width * picture.height / WORKING_PIXELS))
    if factor <= 1:
        return picture
    if picture.mode == "P":
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    elif picture.mode == "1":
        picture = picture.convert("L")
    elif picture.mode.startswith("I;16"):
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    return picture.reduce(factor)


def luminance(picture: Image.Image) -> np.ndarray:
    """Return the luminance (H, W), uint8 0-255, of a picture of any mode (ITU-R BT.601 weights).

    Transparent parts take the colour of the paper: opposite to the ink where only ink is opaque,
    the commonest opaque colour where ink and paper both are.
    """
    if picture.mode in ("I", "I;16", "I;16B", "I;16L", "F"):
        levels = np.asarray(picture, dtype=np.float32)
        return np.clip(levels / 257, 0, 255).round().astype(np.uint8)
    if not picture.has_transparency_data:
        return np.asarray(picture if picture.mode == "L" else _opaque(picture).convert("L"))
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (255, 255):
        return np.asarray(picture.convert("L"))  # as a canvas sends it: a fifth of the time
    grey, alpha = picture.convert("RGBA").convert("LA").split()
    opacity = np.asarray(alpha, dtype=np.float32) / 255
    levels = np.asarray(grey, dtype=np.float32)
    visible = levels[opacity > 0.5]
    if visible.size in (0, levels.size):
        paper = 0.0 if visible.size == 0 else float(visible[0])
    elif visible.std() < 32:  # one colour alone is opaque: that is the ink
        paper = 0.0 if visible.mean() >= 128 else 255.0
    else:
        paper = float(np.median(visible))
    return (opacity * levels + (1 - opacity) * paper + 0.5).astype(np.uint8)


def _opaque(picture: Image.Image) -> Image.Image:
    """Palettes convert to luminance through their colours."""
    return (
        picture.convert("RGB") if picture.mode in ("P", "CMYK", "YCbCr", "LAB", "HSV") else picture
    )


def encode_png(image: np.ndarray) -> bytes:
    """Encode a grey picture (H, W), uint8, as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
