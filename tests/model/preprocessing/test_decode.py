"""Pictures of every accepted kind come to the same luminance; bad ones are named."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFilter

from errors import DamagedImageError, ImageTooLargeError, UnreadableImageError
from model.config import MAX_IMAGE_BYTES
from model.preprocessing.decode import luminance, open_image
from model.preprocessing.normalize import preprocess


def strokes():
    """A seven in white on black, 280 x 280."""
    grey = np.zeros((280, 280), np.uint8)
    grey[60:80, 60:200] = 255
    for row in range(80, 230):
        left = 180 - (row - 80) // 2
        grey[row, left : left + 20] = 255
    return Image.fromarray(grey)


def file_of(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


EXPECTED = preprocess(file_of(strokes(), "PNG")).image


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_of_every_mode_gives_the_same_picture(mode):
    image = strokes()
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    else:
        image = image.convert(mode)
    seen = preprocess(file_of(image, "PNG")).image
    assert np.abs(seen.astype(int) - EXPECTED).max() <= 1


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("BMP", {}),
        ("GIF", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 80}),
        ("JPEG", {"quality": 90}),
    ],
)
def test_every_format_gives_nearly_the_same_picture(kind, options):
    seen = preprocess(file_of(strokes().convert("RGB"), kind, **options)).image
    assert np.abs(seen.astype(float) - EXPECTED).mean() < 3


def test_the_first_frame_of_a_gif_counts():
    blank = Image.new("L", (280, 280))
    data = file_of(strokes(), "GIF", save_all=True, append_images=[blank])
    assert np.abs(preprocess(data).image.astype(int) - EXPECTED).max() <= 1


@pytest.mark.parametrize(("orientation", "turn"), [(3, 180), (6, 90), (8, 270)])
def test_exif_orientation_turns_the_picture_upright(orientation, turn):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = strokes().rotate(turn).convert("RGB")
    data = file_of(stored, "JPEG", quality=95, exif=exif)
    assert np.abs(preprocess(data).image.astype(float) - EXPECTED).mean() < 3


@pytest.mark.parametrize(
    ("ink", "paper"), [((0, 0, 0), (255, 255, 255)), ((20, 20, 160), (250, 240, 210))]
)
def test_ink_and_paper_both_opaque_on_a_transparent_frame_are_told_apart(ink, paper):
    grey = strokes()
    sheet = Image.new("RGB", (280, 280), paper)
    sheet.paste(Image.new("RGB", (280, 280), ink), mask=grey)
    frame = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    frame.paste(sheet, (60, 60))
    seen = preprocess(file_of(frame, "PNG")).image
    assert np.abs(seen.astype(float) - EXPECTED).mean() < 4


def test_colours_are_weighted_as_the_eye_does():
    colours = Image.new("RGB", (3, 1))
    for column, colour in enumerate([(255, 0, 0), (0, 255, 0), (0, 0, 255)]):
        colours.putpixel((column, 0), colour)
    assert luminance(colours)[0].tolist() == pytest.approx([76, 150, 29], abs=1)


@pytest.mark.parametrize("data", [b"", b"no picture", b"%PDF-1.4", b"<svg xmlns='x'/>"])
def test_what_is_no_picture_is_named(data):
    with pytest.raises(UnreadableImageError, match="PNG"):
        open_image(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_a_truncated_picture_is_named(kind):
    data = file_of(strokes().convert("RGB"), kind)
    with pytest.raises(UnreadableImageError):
        open_image(data[: len(data) // 2])


def test_a_file_of_too_many_bytes_is_refused_unread():
    with pytest.raises(ImageTooLargeError, match="5 MB"):
        open_image(b"\0" * (MAX_IMAGE_BYTES + 1))


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_with(name, body, count=1):
    """The seven with more chunks after its header."""
    data = file_of(strokes(), "PNG")
    header = 8 + 25  # the signature, and the chunk IHDR
    return data[:header] + chunk(name, body) * count + data[header:]


def test_a_decompression_bomb_is_refused_from_its_header():
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0"))
    with pytest.raises(ImageTooLargeError, match="40 megapixels"):
        open_image(bomb)


@pytest.mark.parametrize(
    ("kind", "size"), [("WEBP", (4100, 4000)), ("HEIF", (4100, 4000)), ("PNG", (1, 30_001))]
)
def test_what_would_need_much_memory_is_refused_from_its_header(kind, size):
    with pytest.raises(ImageTooLargeError, match=f"{size[0]} x {size[1]}"):
        open_image(file_of(Image.new("L", size), kind))


LARGE = b"\0" * 3_000_000  # more than Pillow itself unpacks of metadata


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (b"iCCP", b"name\0\0" + zlib.compress(LARGE)),
        (b"zTXt", b"key\0\0" + zlib.compress(LARGE)),
        (b"iTXt", b"key\0\1\0\0\0" + zlib.compress(LARGE)),
        (b"tEXt", b"key\0" + LARGE.replace(b"\0", b"a")),
    ],
)
def test_a_png_is_read_whatever_its_metadata_unpack_to(name, body):
    assert np.array_equal(preprocess(png_with(name, body)).image, EXPECTED)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_a_grey_png_of_16_bits_is_read_however_many_of_them_it_uses(bits):
    levels = (np.asarray(strokes()).astype(int) * (2**bits - 1) // 255).astype(np.uint16)
    seen = preprocess(file_of(Image.fromarray(levels), "PNG")).image
    assert np.abs(seen.astype(int) - EXPECTED).max() <= 1


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
@pytest.mark.parametrize("ink", [0, 255])
def test_paper_of_one_transparent_level_is_paper(mode, ink):
    image = Image.fromarray(np.abs(255 - ink - np.asarray(strokes()).astype(int)).astype(np.uint8))
    image = image.filter(ImageFilter.GaussianBlur(2)).convert(mode)
    paper = image.getpixel((0, 0))
    seen = preprocess(file_of(image, "PNG", transparency=paper)).image
    plain = preprocess(file_of(image, "PNG")).image
    assert np.abs(seen.astype(float) - plain).mean() < 3


@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "MPO"])
def test_what_phones_write_is_read(kind):
    image = strokes().convert("RGB")
    more = {"save_all": True, "append_images": [image]} if kind == "MPO" else {}
    seen = preprocess(file_of(image, kind, quality=90, **more)).image
    assert np.abs(seen.astype(float) - EXPECTED).mean() < 3


def test_what_follows_a_jpeg_or_stands_in_its_metadata_is_no_scan_of_it():
    data = file_of(strokes(), "JPEG", quality=90)
    comment = b"\xff\xfe" + struct.pack(">H", 602) + b"\xff\xda" * 300
    seen = preprocess(data[:2] + comment + data[2:] + b"\xff\xda" * 300).image
    assert np.array_equal(seen, preprocess(data).image)


def test_a_jpeg_of_many_scans_is_refused_and_a_progressive_one_is_read():
    data = file_of(strokes(), "JPEG", progressive=True, quality=95)
    assert np.abs(preprocess(data).image.astype(float) - EXPECTED).mean() < 3
    last_scan = data[data.rindex(b"\xff\xda") : -2]
    with pytest.raises(DamagedImageError):
        open_image(data[:-2] + last_scan * 100 + data[-2:])


@pytest.mark.parametrize("seed", range(40))
def test_whatever_exif_holds_the_picture_is_read_or_named(seed):
    noise = np.random.default_rng(seed).bytes(seed)
    try:
        seen = preprocess(png_with(b"eXIf", b"II*\0" + noise)).image
    except UnreadableImageError:
        return
    assert seen.any()


def test_a_large_jpeg_is_reduced_while_it_is_decoded():
    large = strokes().resize((2800, 2800), Image.Resampling.NEAREST)
    opened = open_image(file_of(large, "JPEG", quality=90))
    assert opened.size < (2800, 2800)
    seen = preprocess(file_of(large, "JPEG", quality=90)).image
    assert np.abs(seen.astype(float) - EXPECTED).mean() < 3
