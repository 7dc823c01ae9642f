"""Images on the page: limits, data URLs, and what the sliders do to a 28x28 image."""

import base64
import functools
import io
import threading
import warnings

import numpy as np
from PIL import Image, ImageOps
from pillow_heif import register_heif_opener

from app.front.settings import IMAGE_FORMATS, MAX_FILE_BYTES, MAX_HEAVY_PIXELS, MAX_PIXELS

register_heif_opener()

IMAGE_SIZE = 28
SHOWN_SIDE = 1400  # pixels: `st.image` decodes again what is wider than 1460
GREY_MODES = {"1": "L", "L": "L", "I": "I", "I;16": "I"}  # and the modes that can be reduced
MAX_SCANS = 100  # of a progressive JPEG, which has about ten: each goes over the whole picture
_DECODING = threading.Lock()  # one at a time: 40 megapixels take 320 MB
# The ends of ColorBrewer's RdBu, which colour-blind people tell apart.
SPEAKS_FOR = np.array([202, 0, 32]) / 255
SPEAKS_AGAINST = np.array([5, 113, 176]) / 255


def upload_problem(image: bytes) -> tuple[str, dict[str, object]] | None:
    """Why an image cannot be sent, as key and values of a text, or None if it can.

    Only the header is looked at; nothing is decoded.
    """
    if len(image) > MAX_FILE_BYTES:
        return "limit.bytes", {"size": len(image) / 1e6, "limit": MAX_FILE_BYTES // 1_000_000}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            header = _open(image)
    except Image.DecompressionBombError:
        return "limit.pixels", {"size": "> 170", "limit": MAX_PIXELS // 1_000_000}
    except OSError:
        return "error.not-a-picture", {}
    except Exception:  # decoders raise what they like, also for long texts; the API knows better
        return None
    size = header.width * header.height
    limit = MAX_HEAVY_PIXELS if header.format in ("WEBP", "AVIF", "HEIF") else MAX_PIXELS
    if size > limit:
        return "limit.pixels", {"size": round(size / 1e6), "limit": limit // 1_000_000}
    return None


@functools.lru_cache(maxsize=8)  # the page asks in every run
def as_shown(image: bytes) -> bytes | None:
    """An upload as every browser shows it: upright, small, of 8 bits; PNG if transparent, or JPEG.

    None if it cannot be decoded: the API says what is wrong with it.
    """
    if image.startswith(b"\xff\xd8") and image.count(b"\xff\xda") > MAX_SCANS:
        return None
    file = io.BytesIO()
    try:
        with _DECODING:
            picture = _open(image)
            picture.draft(None, (SHOWN_SIDE, SHOWN_SIDE))  # only a JPEG is decoded smaller
            ImageOps.exif_transpose(picture, in_place=True)  # decodes, too
            transparent = picture.has_transparency_data
            mode = "RGBA" if transparent else GREY_MODES.get(picture.mode, "RGB")
            if picture.mode != mode:
                picture = picture.convert(mode)
            picture.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
            if mode == "I":
                picture = _eight_bits(picture)
            picture.save(file, "PNG" if transparent else "JPEG", quality=90, icc_profile=None)
    except Exception:  # decoders raise what they like
        return None
    return file.getvalue()


def _open(image: bytes) -> Image.Image:
    """The header of an image of a format that the API reads."""
    return Image.open(io.BytesIO(image), formats=IMAGE_FORMATS)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Grey of up to 16 bits as 8: its lightest level becomes white."""
    levels = np.asarray(picture, dtype=np.float32)
    return Image.fromarray(np.clip(levels * (255 / max(levels.max(), 1)), 0, 255).astype(np.uint8))


def data_url(image: bytes) -> str:
    """The PNG as a data URL, so that the page needs no second request for it."""
    return "data:image/png;base64," + base64.b64encode(image).decode()


def data_url_bytes(url: str) -> bytes:
    """The PNG in a data URL; raises ValueError where it is not base64, as the API does."""
    return base64.b64decode(url.partition(",")[2], validate=True)


def decode_data_url(url: str) -> np.ndarray:
    """The 28x28 image in a data URL: (28, 28) float32 in [0, 1], foreground 1."""
    image = Image.open(io.BytesIO(data_url_bytes(url)))
    return np.asarray(image.convert("L"), dtype=np.float32) / 255


def encode_png(pixels: np.ndarray) -> bytes:
    """(H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA, float in [0, 1], as PNG."""
    file = io.BytesIO()
    bytes_ = (np.clip(pixels, 0, 1) * 255).round().astype(np.uint8)
    Image.fromarray(bytes_).save(file, "PNG")
    return file.getvalue()


def corrupt(
    pixels: np.ndarray, right: int, down: int, degrees: int, scale: int, noise: int
) -> np.ndarray:
    """Shift, rotate and scale a 28x28 image about its middle, and add noise.

    Args:
        pixels: (28, 28) float in [0, 1].
        right, down: shift in pixels, after rotation and scaling.
        degrees: rotation, counter-clockwise.
        scale: in %; 100 keeps the size.
        noise: standard deviation in % of full foreground; the same noise each time.

    Returns:
        (28, 28) float32 in [0, 1].
    """
    angle, middle = np.deg2rad(degrees), IMAGE_SIZE / 2
    cos, sin = np.cos(angle), np.sin(angle)
    # Pillow wants the inverse: from a point of the result to the point that it comes from.
    turn = 100 / scale * np.array([[cos, -sin], [sin, cos]])
    shift = middle - turn @ [middle + right, middle + down]
    matrix = np.column_stack([turn, shift]).ravel().tolist()
    moved = Image.fromarray(pixels.astype(np.float32)).transform(
        (IMAGE_SIZE, IMAGE_SIZE), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
    )
    grain = np.random.default_rng(0).normal(0, noise / 100, pixels.shape)
    return np.clip(np.asarray(moved) + grain, 0, 1).astype(np.float32)


def permute(pixels: np.ndarray, order: list[int]) -> np.ndarray:
    """A (28, 28) image as a model trained on permuted pixels sees it.

    Args:
        pixels: (28, 28).
        order: 784 indices; pixel i of the result is pixel `order[i]`.
    """
    return pixels.reshape(-1)[order].reshape(pixels.shape)


def evidence(values: np.ndarray) -> np.ndarray:
    """An attribution as a picture to lay over the drawing.

    Args:
        values: (28, 28) in [-1, 1].

    Returns:
        (28, 28, 4) RGBA in [0, 1]: red where positive, blue where negative, else transparent.
    """
    hue = np.where(values[..., None] >= 0, SPEAKS_FOR, SPEAKS_AGAINST)
    return np.concatenate([hue, np.clip(np.abs(values), 0, 1)[..., None]], axis=2)
