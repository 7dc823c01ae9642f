import io
import json

import numpy as np
import pytest
from PIL import Image
from tests.support.drawings import file_of
from tests.support.uploads import half_lit, turned_right

from app.front import settings
from app.front.events import MAX_IMAGE_CHARACTERS
from app.front.images import (
    SHOWN_SIDE,
    as_shown,
    corrupt,
    evidence,
)
from model.config import MAX_IMAGE_BYTES
from model.examples import MAX_EXAMPLES, MAX_EXAMPLES_BYTES


@pytest.fixture
def stroke():
    """A slanted bar with an end that tells up from down, away from the rim."""
    pixels = np.zeros((28, 28), dtype=np.float32)
    pixels[8:20, 13:15] = 1
    pixels[8:10, 13:18] = 1
    return pixels


def shown(file):
    """The picture that is shown, once it is clear that `st.image` passes its file on as it is."""
    picture = Image.open(io.BytesIO(as_shown(file)))
    assert (picture.format, picture.mode) == ("PNG", "RGBA")
    assert picture.width <= 1460
    return picture


def test_the_page_s_limits_are_those_of_the_api():
    assert settings.MAX_FILE_BYTES == MAX_IMAGE_BYTES
    assert settings.MAX_EXAMPLES == MAX_EXAMPLES
    longest = json.dumps({"label": 0, "image": "A" * MAX_IMAGE_CHARACTERS}) + ", "
    assert MAX_EXAMPLES * len(longest) <= MAX_EXAMPLES_BYTES


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "HEIF", "AVIF"])
def test_a_large_photograph_taken_upright_is_shown_upright_and_smaller(kind):
    picture = shown(turned_right(half_lit(2000, 1500), kind)).convert("L")
    assert picture.size == (SHOWN_SIDE * 3 // 4, SHOWN_SIDE)
    # the left half is dark in the file, which is the upper one of the upright picture
    assert (picture.getpixel((500, 300)) < 5, picture.getpixel((500, 1100)) > 250) == (True, True)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("1", "PNG"), ("I;16", "PNG"), ("LA", "PNG"), ("P", "GIF"), ("CMYK", "JPEG"), ("L", "BMP")],
)
def test_every_kind_of_colour_is_shown(mode, kind):
    picture = half_lit(64, 64)
    if mode == "I;16":
        picture = Image.fromarray(257 * np.asarray(picture.convert("L"), dtype=np.uint16))
    grey = shown(file_of(picture.convert(mode), kind)).convert("L")
    assert (grey.getpixel((8, 32)) < 5, grey.getpixel((56, 32)) > 250) == (True, True)


def test_what_is_transparent_stays_transparent():
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:, 32:] = 255
    picture = shown(file_of(Image.fromarray(pixels)))
    assert (picture.getpixel((8, 32))[3], picture.getpixel((56, 32))[3]) == (0, 255)


def test_a_truncated_picture_is_not_shown():
    noise = np.random.default_rng(0).integers(256, size=(300, 400, 3), dtype=np.uint8)
    file = file_of(Image.fromarray(noise), "JPEG")
    assert as_shown(file[: len(file) // 2]) == b""


def test_what_speaks_for_the_digit_is_red_what_speaks_against_it_blue_and_the_rest_clear():
    values = np.zeros((28, 28))
    values[3, 4], values[5, 6] = 1, -0.5
    red, blue, clear = evidence(values)[[3, 5, 0], [4, 6, 0]]
    assert red[0] > red[2] and blue[2] > blue[0]
    assert (red[3], blue[3], clear[3]) == (1, 0.5, 0)


def test_shifts_go_right_and_down_turns_counter_clockwise_before_them(stroke):
    assert corrupt(stroke, 3, -2) == pytest.approx(np.roll(stroke, (-2, 3), axis=(0, 1)))
    assert corrupt(stroke, degrees=90) == pytest.approx(np.rot90(stroke), abs=1e-4)
    both = np.roll(np.rot90(stroke), (1, 4), axis=(0, 1))
    assert corrupt(stroke, 4, 1, 90) == pytest.approx(both, abs=1e-4)


def test_twice_the_scale_is_four_times_the_foreground():
    pixels = np.zeros((28, 28), dtype=np.float32)
    pixels[12:16, 12:16] = 1
    larger = corrupt(pixels, scale=200)
    assert larger.sum() == pytest.approx(4 * pixels.sum(), rel=0.02)
    assert larger[10:18, 10:18].min() > 0.5


def test_noise_has_the_deviation_that_was_asked_for_the_same_each_time_within_black_and_white():
    noisy = corrupt(np.full((28, 28), 0.5), noise=10)
    assert noisy[1:-1, 1:-1].std() == pytest.approx(0.1, rel=0.1)
    assert np.array_equal(noisy, corrupt(np.full((28, 28), 0.5), noise=10))
    strong = corrupt(np.full((28, 28), 0.5), noise=100)
    assert (strong.min(), strong.max()) == (0, 1)
