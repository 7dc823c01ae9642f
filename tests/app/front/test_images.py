import io
import json

import numpy as np
import pytest
from PIL import Image
from tests.support.drawings import file_of
from tests.support.uploads import half_lit, png_with_text, turned_right

from app.front import settings
from app.front.examples import MAX_IMAGE_CHARACTERS
from app.front.images import (
    SHOWN_SIDE,
    as_shown,
    corrupt,
    data_url,
    decode_data_url,
    encode_png,
    evidence,
    upload_problem,
)
from model import config as model_settings
from model.examples import MAX_EXAMPLES, MAX_EXAMPLES_BYTES


def blank(side):
    return file_of(Image.new("1", (side, side)))


@pytest.fixture
def stroke():
    """A slanted bar with an end that tells up from down, away from the rim."""
    pixels = np.zeros((28, 28), dtype=np.float32)
    pixels[8:20, 13:15] = 1
    pixels[8:10, 13:18] = 1
    return pixels


def test_the_page_s_limits_are_those_of_the_api():
    assert model_settings.IMAGE_FORMATS == settings.IMAGE_FORMATS
    assert model_settings.MAX_IMAGE_BYTES == settings.MAX_FILE_BYTES
    assert model_settings.MAX_IMAGE_PIXELS == settings.MAX_PIXELS
    assert model_settings.MAX_HEAVY_PIXELS == settings.MAX_HEAVY_PIXELS
    assert MAX_EXAMPLES == settings.MAX_EXAMPLES
    longest = json.dumps({"label": 0, "image": "A" * MAX_IMAGE_CHARACTERS}) + ", "
    assert settings.MAX_EXAMPLES * len(longest) <= MAX_EXAMPLES_BYTES


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


@pytest.mark.parametrize("file", [b"hello", file_of(Image.new("L", (8, 8)), "TIFF")])
def test_what_the_api_does_not_read_is_rejected(file):
    assert upload_problem(file) == ("error.not-a-picture", {})


def damaged_avif():
    """An AVIF that does not say which of its items is the picture."""
    return file_of(Image.new("RGB", (64, 64)), "AVIF").replace(b"pitm", b"none")


@pytest.mark.parametrize("file", [png_with_text(Image.new("L", (64, 64))), damaged_avif()])
def test_what_only_the_api_can_judge_is_left_to_it(file):
    assert upload_problem(file) is None
    assert as_shown(file) is None


def picture_of(shown):
    """The picture that is shown, once it is clear that `st.image` passes its file on as it is."""
    picture = Image.open(io.BytesIO(shown))
    assert picture.width <= 1460
    assert picture.format == ("PNG" if picture.mode == "RGBA" else "JPEG")
    return picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "HEIF", "AVIF"])
def test_a_photograph_taken_upright_is_shown_upright(kind):
    shown = as_shown(turned_right(half_lit(400, 300), kind))
    picture = picture_of(shown).convert("L")
    assert picture.size == (300, 400)
    # the left half is dark in the file, which is the upper one of the upright picture
    assert (picture.getpixel((150, 100)) < 5, picture.getpixel((150, 300)) > 250) == (True, True)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_large_photograph_is_shown_smaller(kind):
    shown = as_shown(turned_right(half_lit(4000, 3000), kind))
    assert picture_of(shown).size == (SHOWN_SIDE * 3 // 4, SHOWN_SIDE)


@pytest.mark.parametrize("bits", [10, 16])
def test_grey_of_many_bits_is_shown_from_black_to_white(bits):
    row = np.repeat([0, 2 ** (bits - 1), 2**bits - 1], 32)
    levels = np.tile(row.astype(np.uint16), (64, 1))
    picture = picture_of(as_shown(file_of(Image.fromarray(levels))))
    assert [picture.getpixel((x, 32)) for x in (16, 48, 80)] == pytest.approx([0, 127, 255], abs=4)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_stays_transparent(mode):
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:, 32:] = 255
    picture = picture_of(as_shown(file_of(Image.fromarray(pixels).convert(mode))))
    assert (picture.getpixel((8, 32))[3], picture.getpixel((56, 32))[3]) == (0, 255)


@pytest.mark.parametrize(("mode", "kind"), [("1", "PNG"), ("P", "GIF"), ("CMYK", "JPEG")])
def test_every_kind_of_colour_is_shown(mode, kind):
    picture = picture_of(as_shown(file_of(half_lit(64, 64).convert(mode), kind))).convert("L")
    assert (picture.getpixel((8, 32)) < 5, picture.getpixel((56, 32)) > 250) == (True, True)


def test_a_jpeg_that_is_made_to_keep_its_decoder_busy_is_not_shown():
    jpeg = file_of(half_lit(64, 64), "JPEG", progressive=True)
    scan = jpeg[jpeg.index(b"\xff\xda") : -2]
    assert as_shown(jpeg) is not None
    assert as_shown(jpeg[:-2] + 200 * scan + jpeg[-2:]) is None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "HEIF"])
def test_a_truncated_picture_is_not_shown_and_left_to_the_api(kind):
    noise = np.random.default_rng(0).integers(256, size=(300, 400, 3), dtype=np.uint8)
    file = file_of(Image.fromarray(noise), kind)
    truncated = file[: len(file) // 2]
    assert upload_problem(truncated) is None
    assert as_shown(truncated) is None


def test_what_is_shown_is_decoded_once_for_all_runs_of_the_page():
    file = blank(280)
    assert as_shown(file) is as_shown(bytes(bytearray(file)))


def test_pixels_survive_a_data_url(stroke):
    assert np.array_equal(decode_data_url(data_url(encode_png(stroke))), stroke)


def test_what_speaks_for_the_digit_is_red_what_speaks_against_it_blue_and_the_rest_clear():
    values = np.zeros((28, 28))
    values[3, 4], values[5, 6] = 1, -0.5
    red, blue, clear = evidence(values)[[3, 5, 0], [4, 6, 0]]
    assert red[0] > red[2] and blue[2] > blue[0]
    assert (red[3], blue[3], clear[3]) == (1, 0.5, 0)


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
