"""Images on the page: limits, data URLs, and what the sliders do to a 28x28 image."""

import base64
import functools
import io
import warnings

import numpy as np
from PIL import ExifTags, Image
from pillow_heif import register_heif_opener

from app.front.settings import MAX_FILE_BYTES, MAX_HEAVY_PIXELS, MAX_PIXELS

register_heif_opener()

IMAGE_SIZE = 28
SHOWN_SIDE = 2000  # pixels of what is shown instead of HEIC: the API works on 4 megapixels
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
            header = Image.open(io.BytesIO(image))
    except Image.DecompressionBombError:
        return "limit.pixels", {"size": "> 170", "limit": MAX_PIXELS // 1_000_000}
    except OSError:
        return "limit.unreadable", {}
    size = header.width * header.height
    limit = MAX_HEAVY_PIXELS if header.format in ("WEBP", "AVIF", "HEIF") else MAX_PIXELS
    if size > limit:
        return "limit.pixels", {"size": round(size / 1e6), "limit": limit // 1_000_000}
    return None


@functools.lru_cache(maxsize=8)  # the page asks in every run
def as_browsers_show(image: bytes) -> bytes:
    """The image itself; of HEIC, which few browsers show, an upright JPEG.

    A damaged one stays as it is: the API says what is wrong with it.
    """
    header = Image.open(io.BytesIO(image))
    if header.format != "HEIF":
        return image
    try:
        header.thumbnail((SHOWN_SIDE, SHOWN_SIDE))  # decodes and turns it, too
    except Exception:  # the decoder raises what it likes
        return image
    file = io.BytesIO()
    header.convert("RGB").save(file, "JPEG", quality=95)
    return file.getvalue()


def upright_size(image: bytes) -> tuple[int, int]:
    """Width and height as a browser shows the image: turned as its Exif data says."""
    header = Image.open(io.BytesIO(image))
    width, height = header.size
    lies = header.getexif().get(ExifTags.Base.Orientation, 1) >= 5  # turned by a quarter
    return (height, width) if lies else (width, height)


def data_url(image: bytes) -> str:
    """The PNG as a data URL, so that the page needs no second request for it."""
    return "data:image/png;base64," + base64.b64encode(image).decode()


def data_url_bytes(url: str) -> bytes:
    """The PNG in a data URL."""
    return base64.b64decode(url.partition(",")[2])


def decode_data_url(url: str) -> np.ndarray:
    """The 28x28 image in a data URL: (28, 28) float32 in [0, 1], foreground 1."""
    image = Image.open(io.BytesIO(data_url_bytes(url)))
    return np.asarray(image.convert("L"), dtype=np.float32) / 255


def encode_png(pixels: np.ndarray) -> bytes:
    """(H, W) grey or (H, W, 3) RGB, float in [0, 1], as PNG."""
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


def overlay(pixels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """An attribution over the drawing it belongs to.

    Args:
        pixels: (28, 28) in [0, 1], foreground 1; becomes grey on white.
        values: (28, 28) in [-1, 1]: red where positive, blue where negative.

    Returns:
        (28, 28, 3) in [0, 1].
    """
    background = (1 - 0.35 * pixels)[..., None].repeat(3, axis=2)
    hue = np.where(values[..., None] >= 0, SPEAKS_FOR, SPEAKS_AGAINST)
    strength = np.clip(np.abs(values), 0, 1)[..., None]
    return background + strength * (hue - background)
