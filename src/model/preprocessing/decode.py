"""From the bytes of a picture file to its luminance."""

import io
import math
import warnings

import cv2
import numpy as np
import pyspng
from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin
from pillow_heif import register_heif_opener

from errors import DamagedImageError, ImageTooLargeError, UnreadableImageError
from model import config

register_heif_opener()
cv2.setNumThreads(1)  # a service reads many pictures at a time; its threads would fight

# The limit of this project is checked from the header, before Pillow decodes anything.
Image.MAX_IMAGE_PIXELS = None
PngImagePlugin.MAX_TEXT_CHUNK = 8_000_000  # bytes of unpacked metadata; some editors write 3 MB
_CANVAS_PIXELS = 1_000_000
_SCAN = b"\xff\xda"  # starts a scan of a JPEG; compressed data do not hold these bytes
_MAX_SCANS = 100  # a progressive JPEG has about ten; each one takes time for the whole picture
_MAX_MISSING = 0.03  # of a JPEG's bytes, as estimated, which is good to a third
_DAMAGED = "The picture is damaged or truncated; save it again as PNG or JPEG and send that."


def open_image(data: bytes) -> Image.Image:
    """Do ``read_header`` and ``decode_image``."""
    return decode_image(read_header(data))


def read_header(data: bytes) -> Image.Image:
    """Read the header alone: ``size`` and ``format`` are known, no pixel is decoded.

    Raises:
        ImageError: it is too large, of no accepted format, or made to keep its decoder busy.
    """
    if len(data) > config.MAX_IMAGE_BYTES:
        raise ImageTooLargeError(
            f"The file has {len(data) / 1e6:.1f} MB; "
            f"send at most {config.MAX_IMAGE_BYTES / 1e6:.0f} MB."
        )
    if data.startswith(b"\xff\xd8") and data.count(_SCAN) > _MAX_SCANS:
        raise DamagedImageError(_DAMAGED)
    try:
        # Pillow warns of odd metadata in files that it reads all the same.
        with warnings.catch_warnings(action="ignore"):
            image = Image.open(io.BytesIO(data), formats=config.IMAGE_FORMATS)
    except Exception as error:  # Pillow's decoders have no common one
        raise UnreadableImageError(
            f"The file is no picture that can be read here; send {', '.join(config.IMAGE_FORMATS)}."
        ) from error
    width, height = image.size
    heavy = image.format in ("WEBP", "AVIF", "HEIF")
    pixels = config.MAX_HEAVY_PIXELS if heavy else config.MAX_IMAGE_PIXELS
    if width * height > pixels or max(width, height) > config.MAX_IMAGE_SIDE:
        raise ImageTooLargeError(
            f"The {image.format} picture has {width} x {height} pixels; send one of at most "
            f"{pixels / 1e6:.0f} megapixels and {config.MAX_IMAGE_SIDE:,} pixels a side."
        )
    return image


def decode_image(header: Image.Image) -> Image.Image:
    """Decode what ``read_header`` opened, and turn it upright as its EXIF orientation says.

    Only the first frame of a GIF is read. Many megapixels are reduced, a JPEG while decoding.
    As in viewers, a JPEG that lacks its last bytes is read, and a BMP with an alpha of 0
    throughout is opaque.

    Raises:
        DamagedImageError: the picture is truncated or otherwise damaged.
    """
    width, height = header.size
    data = header.fp.getvalue()  # type: ignore[attr-defined]  # the BytesIO of read_header
    if header.format == "PNG" and header.mode == "RGBA" and (canvas := _canvas(header)):
        return canvas
    if width * height > config.WORKING_PIXELS:
        header.draft(None, (width // 4, height // 4))  # only JPEG can; the others ignore it
    try:
        with warnings.catch_warnings(action="ignore"):
            upright = _reduced(_loaded(header, data))
            ImageOps.exif_transpose(upright, in_place=True)
            upright.format = header.format  # lost in turning
    except Exception as error:  # as above; EXIF data too raise what they like
        raise DamagedImageError(_DAMAGED) from error
    return upright


def _loaded(header: Image.Image, data: bytes) -> Image.Image:
    """Decode all pixels. Mend what ``decode_image`` names."""
    try:
        header.load()
    except OSError:
        if header.format != "JPEG":
            raise
        return _without_last_rows(data)
    if header.format == "BMP" and header.mode == "RGBA" and not header.getchannel("A").getbbox():
        return header.convert("RGB")  # Windows' clipboard leaves alpha at 0
    return header


def _without_last_rows(data: bytes) -> Image.Image:
    """Decode a JPEG that lacks its end marker and perhaps a few bytes before it.

    libjpeg paints missing blocks grey. Their rows are cut off. They had about as many bytes as the
    first rows have. A progressive JPEG lacks fine detail, but no rows.

    Raises:
        DamagedImageError: more is missing.
    """
    image = Image.open(io.BytesIO(data + b"\xff\xd9"), formats=["JPEG"])
    image.load()
    width, height = image.size
    encoding = {
        "qtables": image.quantization,  # type: ignore[attr-defined]
        "subsampling": JpegImagePlugin.get_sampling(image),
        "progressive": "progressive" in image.info,
    }

    def size(image: Image.Image) -> int:
        file = io.BytesIO()
        image.save(file, "JPEG", **encoding)
        return len(file.getvalue())

    if encoding["progressive"]:
        rows, missing = height, 1 - len(data) / size(image)
    else:
        edge = np.asarray(image.crop((max(0, width - 8), 0, width, height)))
        known = np.flatnonzero((edge != 128).reshape(height, -1).any(axis=1))
        rows = int(known[-1]) + 1 if known.size else 0
        whole = image.copy()
        whole.paste(image.crop((0, 0, width, height - rows)), (0, rows))
        missing = 1 - size(image.crop((0, 0, width, max(rows, 1)))) / size(whole)
    if rows == 0 or missing > _MAX_MISSING:
        raise DamagedImageError(_DAMAGED)
    return image.crop((0, 0, width, rows))


def _canvas(header: Image.Image) -> Image.Image | None:
    """Decode the PNG of a drawing page, opaque and of greys alone, in a third of Pillow's time.

    It becomes mode L; any other PNG gives None.
    """
    data = header.fp.getvalue()  # type: ignore[attr-defined]  # the BytesIO of read_header
    if header.width * header.height > _CANVAS_PIXELS or b"eXIf" in data:
        return None
    try:
        pixels = pyspng.load(data, format="RGBA")
    except (RuntimeError, ValueError):  # damaged: Pillow judges how badly
        return None
    red = cv2.extractChannel(pixels, 0)
    opaque_grey = cv2.cvtColor(red, cv2.COLOR_GRAY2RGBA)
    same = np.array_equal(opaque_grey.view(np.uint32), pixels.view(np.uint32))
    return Image.fromarray(red) if same else None


def _reduced(image: Image.Image) -> Image.Image:
    """Reduce many megapixels by a whole factor: what follows needs much memory."""
    factor = math.ceil(math.sqrt(image.width * image.height / config.WORKING_PIXELS))
    if factor <= 1:
        return image
    if image.mode == "P":
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode.startswith("I"):
        image = Image.fromarray(_eight_bits(image))
    return image.reduce(factor)


def luminance(image: Image.Image) -> np.ndarray:
    """Return the luminance (H, W), uint8 0-255, of a picture of any mode (ITU-R BT.601 weights).

    Transparent parts become background: the opposite of the strokes if only they are opaque, else
    the median level of what is opaque.
    """
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(image)
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        return np.asarray(image.convert("L"))  # as a canvas sends it: a fifth of the time
    has_alpha = image.mode in ("P", "PA", "LA", "La", "RGBA", "RGBa")  # others: one level at most
    if not has_alpha or not image.has_transparency_data:
        direct = image.mode in ("1", "L", "RGB", "RGBX")  # others convert through their colours
        return np.asarray((image if direct else image.convert("RGB")).convert("L"))
    grey, alpha = image.convert("RGBA").convert("LA").split()
    opacity = np.asarray(alpha, dtype=np.float32) / 255
    levels = np.asarray(grey, dtype=np.float32)
    opaque = (opacity > 0.5).view(np.uint8)
    visible = levels[opaque > 0]
    if visible.size == 0:
        return np.zeros(levels.shape, np.uint8)
    left, top, width, height = cv2.boundingRect(opaque)
    if visible.std() < 32 or visible.size < 0.7 * width * height:  # the strokes alone are opaque
        background = 0.0 if visible.mean() >= 128 else 255.0
    else:  # a sheet, cut out
        background = float(np.median(visible))
        box = slice(top, top + height), slice(left, left + width)
        levels, opacity = levels[box], opacity[box]
    levels -= background  # in place: each copy of four megapixels takes 16 MB
    levels *= opacity
    levels += background + 0.5
    return levels.astype(np.uint8)


def _eight_bits(image: Image.Image) -> np.ndarray:
    """Scale levels of 10, 12, 14 or 16 bits to 8, uint8: whichever number the largest needs."""
    levels = np.asarray(image, dtype=np.float32)
    bits = next((bits for bits in (8, 10, 12, 14) if levels.max() < 2**bits), 16)
    return np.clip(levels * (255 / (2**bits - 1)), 0, 255).round().astype(np.uint8)


def encode_png(image: np.ndarray) -> bytes:
    """Encode an image (H, W) grey or (H, W, 3) RGB, uint8, as PNG."""
    channels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", channels, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
