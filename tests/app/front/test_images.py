import io
import json

import numpy as np
import pytest
from PIL import ExifTags, Image
from tests.support.drawings import file_of

from app.front import settings
from app.front.examples import MAX_IMAGE_CHARACTERS
from app.front.images import (
    as_browsers_show,
    corrupt,
    data_url,
    decode_data_url,
    encode_png,
    upload_problem,
)
from model import config as model_settings
from model.examples import MAX_EXAMPLES, MAX_EXAMPLES_BYTES


def blank(side):
    return file_of(Image.new("1", (side, side)))


@pytest.fixture(scope="module")
def heic():
    """A photograph of 4000 x 3000 pixels taken with the telephone held upright."""
    pixels = np.zeros((3000, 4000), np.uint8)
    pixels[:, 2000:] = 255
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    return file_of(Image.fromarray(pixels).convert("RGB"), "HEIF", exif=turned.tobytes())


@pytest.fixture
def stroke():
    """A slanted bar with an end that tells up from down, away from the rim."""
    pixels = np.zeros((28, 28), dtype=np.float32)
    pixels[8:20, 13:15] = 1
    pixels[8:10, 13:18] = 1
    return pixels


def test_the_page_s_limits_are_those_of_the_api():
    assert model_settings.MAX_IMAGE_BYTES == settings.MAX_FILE_BYTES
    assert model_settings.MAX_IMAGE_PIXELS == settings.MAX_PIXELS
    assert model_settings.MAX_HEAVY_PIXELS == settings.MAX_HEAVY_PIXELS
    assert MAX_EXAMPLES == settings.MAX_HISTORY
    longest = json.dumps({"label": 0, "image": "A" * MAX_IMAGE_CHARACTERS}) + ", "
    assert settings.MAX_HISTORY * len(longest) <= MAX_EXAMPLES_BYTES


def test_an_image_within_the_limits_is_sent():
    assert upload_problem(blank(280)) is None


def test_too_many_bytes_are_rejected_with_the_limit_named():
    key, values = upload_problem(blank(8) + bytes(5_000_000))
    assert (key, values["limit"]) == ("limit.bytes", 5)


@pytest.mark.parametrize(
    ("side", "kind", "limit"), [(6_400, "PNG", 40), (13_500, "PNG", 40), (4_100, "WEBP", 16)]
)
def test_too_many_pixels_are_rejected_from_the_header_alone(side, kind, limit):
    key, values = upload_problem(file_of(Image.new("L", (side, side)), kind))
    assert (key, values["limit"]) == ("limit.pixels", limit)


def test_a_file_that_is_not_an_image_is_rejected():
    assert upload_problem(b"hello") == ("limit.unreadable", {})


def test_what_browsers_show_is_sent_as_it_is():
    image = blank(280)
    assert as_browsers_show(image) is image


def test_heic_is_shown_as_an_upright_jpeg(heic):
    shown = Image.open(io.BytesIO(as_browsers_show(heic)))
    assert (shown.format, shown.size) == ("JPEG", (1500, 2000))
    # the left half is dark in the file, which is the upper one of the upright picture
    assert max(shown.getpixel((750, 500))) < 5
    assert min(shown.getpixel((750, 1500))) > 250


def test_a_damaged_heic_is_left_to_the_api(heic):
    start = heic.index(b"mdat") + 4  # of what is compressed
    damaged = heic[:start] + b"\xff" * 16 + heic[start + 16 :]
    assert upload_problem(damaged) is None
    assert as_browsers_show(damaged) is damaged


def test_pixels_survive_a_data_url(stroke):
    assert np.array_equal(decode_data_url(data_url(encode_png(stroke))), stroke)


def test_without_any_change_the_image_stays_the_same(stroke):
    assert corrupt(stroke, 0, 0, 0, 100, 0) == pytest.approx(stroke)


def test_a_shift_moves_every_pixel(stroke):
    moved = corrupt(stroke, 3, -2, 0, 100, 0)
    assert moved == pytest.approx(np.roll(stroke, (-2, 3), axis=(0, 1)))


def test_a_quarter_turn_goes_counter_clockwise(stroke):
    assert corrupt(stroke, 0, 0, 90, 100, 0) == pytest.approx(np.rot90(stroke), abs=1e-4)


def test_a_rotated_image_is_shifted_after_the_turn(stroke):
    moved = corrupt(stroke, 4, 1, 90, 100, 0)
    assert moved == pytest.approx(np.roll(np.rot90(stroke), (1, 4), axis=(0, 1)), abs=1e-4)


def test_twice_the_scale_is_four_times_the_foreground():
    pixels = np.zeros((28, 28), dtype=np.float32)
    pixels[12:16, 12:16] = 1
    larger = corrupt(pixels, 0, 0, 0, 200, 0)
    assert larger.sum() == pytest.approx(4 * pixels.sum(), rel=0.02)
    assert larger[10:18, 10:18].min() > 0.5


def test_noise_is_the_same_each_time_and_stays_within_black_and_white(stroke):
    noisy = corrupt(stroke, 0, 0, 0, 100, 30)
    assert np.array_equal(noisy, corrupt(stroke, 0, 0, 0, 100, 30))
    assert not np.array_equal(noisy, stroke)
    assert (noisy.min(), noisy.max()) == (0, 1)


def test_noise_has_the_standard_deviation_that_was_asked_for():
    noisy = corrupt(np.full((28, 28), 0.5), 0, 0, 0, 100, 10)
    assert noisy[1:-1, 1:-1].std() == pytest.approx(0.1, rel=0.1)
