"""Harmless changes of a picture, as people, cameras and editors make them.

Lengths are fractions of the shorter side. The paper is the median colour of the border.
"""

import io
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from PIL import Image, ImageFilter, ImageOps

from model.preprocessing.decode import luminance, open_image
from model.preprocessing.segment import border_of

MIN_SIDE, MAX_SIDE = 20, 1600  # pixels of the shorter and longer side that resizing leaves
RULES, RULE_WIDTH = 5, 0.01  # printed along the shorter side

Change = Callable[[Image.Image], Image.Image | bytes]


def changed(data: bytes, change: Change) -> bytes:
    """Return a picture file with a change, as PNG unless the change itself makes a file."""
    image = open_image(data)
    if image.mode not in ("RGB", "CMYK", "YCbCr"):  # others may be transparent
        image = Image.fromarray(luminance(image))
    result = change(image.convert("RGB"))
    return result if isinstance(result, bytes) else encode(result, "PNG", compress_level=1)


def encode(image: Image.Image, kind: str, **options: int) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def paper(image: Image.Image) -> tuple[int, ...]:
    return tuple(np.median(border_of(np.asarray(image)), axis=0).astype(int).tolist())


def frame(image: Image.Image, share: float, level: int | None = None) -> Image.Image:
    """Add a frame of one grey level, or of paper, on all four sides; at least one pixel."""
    colour = paper(image) if level is None else (level, level, level)
    return ImageOps.expand(image, max(1, round(share * min(image.size))), fill=colour)


def resize(image: Image.Image, across: float, down: float) -> Image.Image:
    """Multiply the width and the height, within what can be read and sent."""
    least, most = min(1.0, MIN_SIDE / min(image.size)), max(1.0, MAX_SIDE / max(image.size))
    width = round(image.width * min(max(across, least), most))
    return image.resize((width, round(image.height * min(max(down, least), most))))


def turn(image: Image.Image, degrees: float) -> Image.Image:
    """Turn to the left; the paper goes on as it is at the picture's border."""
    size, angle = np.array(image.size), np.radians(abs(degrees))
    wide = np.ceil(size * np.cos(angle) + size[::-1] * np.sin(angle)).astype(int).tolist()
    matrix = cv2.getRotationMatrix2D((size / 2).tolist(), degrees, 1)
    matrix[:, 2] += (wide - size) / 2
    pixels = cv2.warpAffine(np.asarray(image), matrix, wide, borderMode=cv2.BORDER_REPLICATE)
    return Image.fromarray(pixels)


def relight(image: Image.Image, light: tuple[float, ...], exponent: float = 1) -> Image.Image:
    """Raise all levels, 0 to 1, to a power; then weaken red, green and blue to a share."""
    levels = [255 * (level / 255) ** exponent for level in range(256)]
    return image.point([round(share * level) for share in light for level in levels])


def texture(image: Image.Image, spread: float) -> Image.Image:
    """Add grain: normal noise of the given standard deviation in grey levels."""
    grain = np.random.default_rng(0).normal(0, spread, (image.height, image.width, 1))
    return Image.fromarray((np.asarray(image) + grain).round().clip(0, 255).astype(np.uint8))


def blur(image: Image.Image, share: float) -> Image.Image:
    """Blur with a Gaussian of the given standard deviation."""
    return image.filter(ImageFilter.GaussianBlur(share * min(image.size)))


def shift(image: Image.Image) -> Image.Image:
    """Move a picture by one pixel to the right and down; paper fills the gap."""
    return ImageOps.expand(image, (1, 1, 0, 0), fill=paper(image)).crop((0, 0, *image.size))


def rule(image: Image.Image, squared: bool) -> Image.Image:
    """Print rules across, if squared also down, under the writing and half as strong as ink."""
    ground = np.array(paper(image))
    ink, under = (0, np.minimum) if ground.mean() > 127 else (255, np.maximum)
    wide, step = max(1, round(RULE_WIDTH * min(image.size))), min(image.size) // RULES
    down, across = ((np.arange(side) + step // 2) % step < wide for side in image.size)
    is_rule = (across[:, None] | (down & squared))[:, :, None]
    sheet = np.where(is_rule, (ground + ink) // 2, ground)
    return Image.fromarray(under(np.asarray(image), sheet).astype(np.uint8))


CHANGES: dict[str, Change] = {
    "saved as PNG": lambda image: image,
    "padded by a tenth": partial(frame, share=0.1),
    "padded by a half": partial(frame, share=0.5),
    "one pixel aside": shift,
    "three quarters as wide": partial(resize, across=0.75, down=1),
    "three quarters as high": partial(resize, across=1, down=0.75),
    "yellow light": partial(relight, light=(1, 0.9, 0.6)),
    "dark: gamma 1.6": partial(relight, light=(1, 1, 1), exponent=1.6),
    "light: gamma 0.6": partial(relight, light=(1, 1, 1), exponent=0.6),
    "inverted": ImageOps.invert,
    "grain": partial(texture, spread=5),
    "blurred by 2 %": partial(blur, share=0.02),
    "ruled paper": partial(rule, squared=False),
    "squared paper": partial(rule, squared=True),
}
for grey, name in {0: "black", 128: "grey", 255: "white"}.items():
    CHANGES[f"{name} frame of one pixel"] = partial(frame, share=0, level=grey)
    CHANGES[f"{name} frame of 5 %"] = partial(frame, share=0.05, level=grey)
    CHANGES[f"{name} frame of a tenth"] = partial(frame, share=0.1, level=grey)
CHANGES |= {f"scaled by {by:g}": partial(resize, across=by, down=by) for by in (0.25, 0.5, 2, 4, 8)}
CHANGES |= {f"turned by {by}°": partial(turn, degrees=by) for by in (-15, -10, -5, 5, 10, 15)}
CHANGES |= {f"JPEG {by}": partial(encode, kind="JPEG", quality=by) for by in (95, 75, 50, 30)}
