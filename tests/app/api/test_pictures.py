"""Every kind of picture gives the digit that its plain form gives."""

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps


def reads_as_plain(predict, data: bytes, png: bytes) -> bool:
    answer, plain = predict(data).json(), predict(png).json()
    assert "prediction" in answer, answer
    difference = np.abs(np.subtract(answer["probabilities"], plain["probabilities"])).max()
    return answer["prediction"] == plain["prediction"] and difference < 0.02


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize("inverted", [False, True])
def test_formats_and_polarities(predict, drawing, encode, png, format_, inverted):
    picture = ImageOps.invert(drawing) if inverted else drawing
    assert reads_as_plain(predict, encode(picture, format_), png)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_modes(predict, drawing, encode, png, mode):
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(drawing).astype(np.uint16) * 257)
    else:
        picture = drawing.convert(mode)
    assert reads_as_plain(predict, encode(picture), png)


def test_transparency(predict, drawing, encode, png):
    ink = Image.new("RGBA", drawing.size, (0, 0, 0, 0))
    ink.paste((0, 0, 0, 255), mask=drawing)
    assert reads_as_plain(predict, encode(ink), png)


def test_the_first_frame_of_an_animation(predict, drawing, encode, png):
    others = [Image.new("L", drawing.size, 0), drawing.rotate(180)]
    animated = encode(drawing, "GIF", save_all=True, append_images=others)
    assert reads_as_plain(predict, animated, png)


def test_exif_orientation(predict, drawing, encode, png):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    turned = drawing.transpose(Image.Transpose.ROTATE_90)
    assert reads_as_plain(predict, encode(turned, "JPEG", exif=exif, quality=95), png)


@pytest.mark.parametrize("seed", range(5))
def test_a_photograph_of_paper_in_uneven_light_reads_as_its_drawing(api_url, encode, seed):
    """Cream paper, light that falls off, blur, sensor noise, JPEG: the digit stays."""
    import requests

    from model.config import REPOSITORY

    random = np.random.default_rng(seed)
    digit = int(random.integers(10))
    drawing = Image.open(REPOSITORY / "data" / "digits" / f"{digit}.png").convert("L")
    blurred = drawing.resize((600, 600)).filter(ImageFilter.GaussianBlur(3))
    ink = np.asarray(blurred, dtype=np.float64)[..., None] / 255
    y, x = np.mgrid[0:1:600j, 0:1:600j]
    light = 0.55 + 0.45 * (random.random() * x + random.random() * y) / 2
    paper = np.array([238, 228, 205]) * light[..., None]
    pixels = paper * (1 - 0.8 * ink) + random.normal(0, 4, (600, 600, 3))
    photograph = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    files = {"file": encode(photograph, "JPEG", quality=80)}
    answer = requests.post(f"{api_url}/api/v1/predict", files=files, timeout=60).json()
    assert (answer["prediction"], answer["is_digit"]) == (digit, True)
