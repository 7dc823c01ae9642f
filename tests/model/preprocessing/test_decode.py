"""Pictures of every accepted kind come to the same luminance; bad ones are named."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFilter
from tests.support.drawings import SEVEN, blank, file_of, max_difference, mean_difference, write

from errors import BlankImageError, DamagedImageError, ImageTooLargeError, UnreadableImageError
from model.config import MAX_IMAGE_BYTES
from model.preprocessing.decode import luminance, open_image
from model.preprocessing.normalize import preprocess

DRAWING = write(blank(), SEVEN, ink=255, width=20)
EXPECTED = preprocess(file_of(DRAWING)).image


def assert_nearly_the_same(data, least=3.0):
    assert mean_difference(preprocess(data).image, EXPECTED) < least


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_a_png_of_every_mode_gives_the_same_picture(mode):
    seen = preprocess(file_of(DRAWING.convert(mode))).image
    assert max_difference(seen, EXPECTED) <= 1


MORE = {"save_all": True, "append_images": [blank().convert("RGB")]}  # the first frame counts


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("BMP", {}),
        ("GIF", MORE),
        ("WEBP", {"lossless": True}),
        ("WEBP", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("HEIF", {}),  # these three are what phones write
        ("AVIF", {}),
        ("MPO", MORE),
    ],
)
def test_every_format_gives_nearly_the_same_picture(kind, options):
    assert_nearly_the_same(file_of(DRAWING.convert("RGB"), kind, quality=90, **options))


@pytest.mark.parametrize(("orientation", "turn"), [(3, 180), (6, 90), (8, 270)])
def test_exif_orientation_turns_the_picture_upright(orientation, turn):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = DRAWING.rotate(turn).convert("RGB")
    assert_nearly_the_same(file_of(stored, "JPEG", quality=95, exif=exif))


@pytest.mark.parametrize(
    ("ink", "paper"), [((0, 0, 0), (255, 255, 255)), ((20, 20, 160), (250, 240, 210))]
)
def test_ink_and_paper_both_opaque_on_a_transparent_frame_are_told_apart(ink, paper):
    sheet = Image.new("RGB", (280, 280), paper)
    sheet.paste(Image.new("RGB", (280, 280), ink), mask=DRAWING)
    frame = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    frame.paste(sheet, (60, 60))
    assert_nearly_the_same(file_of(frame), least=4)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_a_truncated_picture_is_named(kind):
    data = file_of(DRAWING.convert("RGB"), kind)
    with pytest.raises(UnreadableImageError):
        open_image(data[: len(data) // 2])


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_with(name, body):
    """The seven with one more chunk after its header."""
    data = file_of(DRAWING)
    header = 8 + 25  # the signature, and the chunk IHDR
    return data[:header] + chunk(name, body) + data[header:]


HUGE = chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0))
BOMB = b"\x89PNG\r\n\x1a\n" + HUGE + chunk(b"IDAT", zlib.compress(b"\0"))


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (b"", UnreadableImageError, "PNG"),
        (b"no picture", UnreadableImageError, "PNG"),
        (b"%PDF-1.4", UnreadableImageError, "PNG"),
        (b"<svg xmlns='x'/>", UnreadableImageError, "PNG"),
        (b"\0" * (MAX_IMAGE_BYTES + 1), ImageTooLargeError, "5 MB"),
        (BOMB, ImageTooLargeError, "40 megapixels"),
        (file_of(blank(size=(4100, 4000)), "WEBP"), ImageTooLargeError, "4100 x 4000"),
        (file_of(blank(size=(4100, 4000)), "HEIF"), ImageTooLargeError, "4100 x 4000"),
        (file_of(blank(size=(1, 30_001))), ImageTooLargeError, "1 x 30001"),
    ],
    ids=["empty", "text", "PDF", "SVG", "too many bytes", "a bomb", "WEBP", "HEIF", "a strip"],
)
def test_what_is_no_picture_or_too_large_is_rejected_from_its_header(data, error, message):
    with pytest.raises(error, match=message):
        open_image(data)


@pytest.mark.parametrize(
    ("name", "start"), [(b"iCCP", b"name\0\0"), (b"zTXt", b"key\0\0"), (b"iTXt", b"key\0\1\0\0\0")]
)
def test_a_png_is_read_if_its_metadata_unpack_to_megabytes_but_not_to_many(name, start):
    data = png_with(name, start + zlib.compress(b"\0" * 3_000_000))
    assert np.array_equal(preprocess(data).image, EXPECTED)
    with pytest.raises(UnreadableImageError):
        open_image(png_with(name, start + zlib.compress(b"\0" * 30_000_000)))


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_a_grey_png_of_16_bits_is_read_however_many_of_them_it_uses(bits):
    levels = (np.asarray(DRAWING).astype(int) * (2**bits - 1) // 255).astype(np.uint16)
    seen = preprocess(file_of(Image.fromarray(levels))).image
    assert max_difference(seen, EXPECTED) <= 1


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
@pytest.mark.parametrize("ink", [0, 255])
def test_paper_of_one_transparent_level_is_paper(mode, ink):
    image = write(blank(255 - ink), SEVEN, ink, width=20)
    image = image.filter(ImageFilter.GaussianBlur(2)).convert(mode)
    paper = image.getpixel((0, 0))
    seen = preprocess(file_of(image, transparency=paper)).image
    assert mean_difference(seen, preprocess(file_of(image)).image) < 3


def test_a_jpeg_of_many_scans_is_rejected():
    data = file_of(DRAWING, "JPEG", progressive=True, quality=95)
    last_scan = data[data.rindex(b"\xff\xda") : -2]
    with pytest.raises(DamagedImageError):
        open_image(data[:-2] + last_scan * 100 + data[-2:])


GREY = Image.fromarray((60 + 0.6 * np.asarray(DRAWING)).astype(np.uint8))
NOISY = Image.effect_noise(DRAWING.size, 30).convert("RGB")


@pytest.mark.parametrize("picture", [DRAWING, DRAWING.convert("RGB"), GREY, NOISY])
@pytest.mark.parametrize("missing", [0, 0.01, 0.02])
def test_a_jpeg_that_lacks_its_end_and_at_most_2_percent_is_read(picture, missing):
    data = file_of(picture, "JPEG", quality=90)
    whole = luminance(open_image(data))
    seen = luminance(open_image(data[: int(len(data) * (1 - missing)) - 2]))
    assert len(seen) > 0.8 * len(whole)
    assert mean_difference(seen[:-16], whole[: len(seen) - 16]) < 1


@pytest.mark.parametrize("picture", [DRAWING, DRAWING.convert("RGB"), GREY, NOISY])
@pytest.mark.parametrize("missing", [0.1, 0.3, 0.6, 0.9])
def test_a_jpeg_that_lacks_more_is_damaged(picture, missing):
    data = file_of(picture, "JPEG", quality=90)
    with pytest.raises(UnreadableImageError):
        open_image(data[: int(len(data) * (1 - missing))])


def test_a_progressive_jpeg_without_its_end_is_read():
    assert_nearly_the_same(file_of(DRAWING, "JPEG", quality=90, progressive=True)[:-2])


def test_a_bmp_whose_alpha_is_0_throughout_is_opaque_and_a_png_is_blank():
    clear = DRAWING.convert("RGBA")
    clear.putalpha(0)
    pixels = clear.transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes("raw", "BGRA")
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    kind = 3  # masks say where the channels are
    header = struct.pack("<IiiHHIIiiII", 124, *clear.size, 1, 32, kind, len(pixels), 0, 0, 0, 0)
    header += masks + bytes(124 - 40 - 16)  # a BITMAPV5HEADER
    file = struct.pack("<2sIHHI", b"BM", 14 + 124 + len(pixels), 0, 0, 14 + 124)
    assert np.array_equal(preprocess(file + header + pixels).image, EXPECTED)
    with pytest.raises(BlankImageError):
        preprocess(file_of(clear))


def test_a_large_jpeg_is_reduced_while_it_is_decoded():
    large = file_of(DRAWING.resize((2800, 2800), Image.Resampling.NEAREST), "JPEG", quality=90)
    assert open_image(large).size < (2800, 2800)
    assert_nearly_the_same(large)
