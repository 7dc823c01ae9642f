"""Images on the page: uploads as they are shown, data URLs, and what experiments do to a digit."""

import base64
import functools
import io
import threading

import numpy as np
from PIL import Image, ImageOps
from pillow_heif import register_heif_opener

register_heif_opener()

IMAGE_SIZE = 28
SHOWN_SIDE = 1400  # pixels: `st.image` decodes again what is wider than 1460
_DECODING = threading.Lock()  # one at a time: 40 megapixels take 320 MB
# The ends of ColorBrewer's RdBu, which colour-blind people tell apart.
SPEAKS_FOR = np.array([202, 0, 32]) / 255
SPEAKS_AGAINST = np.array([5, 113, 176]) / 255


@functools.lru_cache(maxsize=8)  # the page asks in every run
def as_shown(image: bytes) -> bytes:
    """An upload as every browser shows it: upright, small, of 8 bits, as PNG; b"" if damaged.

    Give it only what the API has read: it has limits, and here is none.
    """
    try:
        with _DECODING:
            picture: Image.Image = Image.open(io.BytesIO(image))
            picture.draft(None, (SHOWN_SIDE, SHOWN_SIDE))  # only a JPEG is decoded smaller
            ImageOps.exif_transpose(picture, in_place=True)
            picture.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
    except (OSError, SyntaxError, ValueError):  # of a PNG the API forgives more than Pillow
        return b""
    if picture.mode == "I;16":
        picture = picture.point(lambda level: level / 256).convert("L")
    file = io.BytesIO()
    picture.convert("RGBA").save(file, "PNG")
    return file.getvalue()


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
    """(H, W) grey or (H, W, 4) RGBA, float in [0, 1], as PNG."""
    file = io.BytesIO()
    bytes_ = (np.clip(pixels, 0, 1) * 255).round().astype(np.uint8)
    Image.fromarray(bytes_).save(file, "PNG")
    return file.getvalue()


def corrupt(
    pixels: np.ndarray,
    right: int = 0,
    down: int = 0,
    degrees: int = 0,
    scale: int = 100,
    noise: int = 0,
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
    """A (28, 28) image whose pixel i is pixel `order[i]` of the given one, row by row."""
    return pixels.ravel()[order].reshape(pixels.shape)


def evidence(values: np.ndarray) -> np.ndarray:
    """An attribution as a picture to lay over the drawing.

    Args:
        values: (28, 28) in [-1, 1].

    Returns:
        (28, 28, 4) RGBA in [0, 1]: red where positive, blue where negative, else transparent.
    """
    hue = np.where(values[..., None] >= 0, SPEAKS_FOR, SPEAKS_AGAINST)
    return np.concatenate([hue, np.clip(np.abs(values), 0, 1)[..., None]], axis=2)
