"""Image files of any format and mode, most of them damaged, made by Hypothesis."""

import io
import zlib
from contextlib import suppress

import numpy as np
from hypothesis import strategies as st
from PIL import Image, ImageDraw

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK")
PNG = b"\x89PNG\r\n\x1a\n"  # how every such file begins


@st.composite
def damaged_images(draw: st.DrawFn) -> bytes:
    """Give a file: a line on even or noisy background, encoded, then changed up to four times."""
    width, height = draw(st.integers(1, 90)), draw(st.integers(1, 90))
    darkest = draw(st.integers(0, 255))
    above = draw(st.sampled_from((darkest + 1, 256)))  # the first: an even background
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    noise = rng.integers(darkest, above, size=(height, width))
    image = Image.fromarray(noise.astype(np.uint8))
    line = draw(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), min_size=2, max_size=4))
    grey, thickness = draw(st.integers(0, 255)), draw(st.integers(1, 9))
    ImageDraw.Draw(image).line(line, fill=grey, width=thickness)
    exif = draw(st.sampled_from((b"", b"II*\0", b"MM\0*"))) + draw(st.binary(max_size=40))
    data = _encode(image, draw(st.sampled_from(MODES)), draw(st.sampled_from(FORMATS)), exif)
    for _ in range(draw(st.integers(0, 4))):
        # Sizes, depths and counts stand at the front.
        end = draw(st.sampled_from((min(64, len(data)), len(data))))
        start, removed = draw(st.integers(0, end)), draw(st.sampled_from((0, 0, 1, 40, len(data))))
        inserted = draw(st.one_of(st.binary(max_size=40), st.just(data[start : start + 200])))
        data = data[:start] + inserted + data[start + removed :]
    return _with_correct_checksums(data) if draw(st.booleans()) else data


def _encode(image: Image.Image, mode: str, format_: str, exif: bytes) -> bytes:
    """Return the bytes of a file, in the given mode and with EXIF where the format has them."""
    buffer = io.BytesIO()
    with suppress(OSError, ValueError):
        image.convert(mode).save(buffer, format_, exif=exif)
    return buffer.getvalue()


def _with_correct_checksums(data: bytes) -> bytes:
    """Return a PNG whose damage its checksums do not give away; other files as they are."""
    if not data.startswith(PNG):
        return data
    parts, start = [PNG], len(PNG)
    while len(header := data[start : start + 8]) == 8:
        length = int.from_bytes(header[:4], "big")
        chunk = data[start + 4 : start + 8 + length]
        parts += [header[:4], chunk, zlib.crc32(chunk).to_bytes(4, "big")]
        start += 12 + length
    return b"".join(parts)
