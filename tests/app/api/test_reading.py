"""How much work a picture is, told by its header alone."""

import io

import pytest
from PIL import Image

from app.api.problems import ProblemError
from app.api.reading import Work, work_of


def picture(width: int, height: int, format_: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (width, height)).save(buffer, format_)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "work"),
    [
        (picture(280, 280), Work.QUICK),
        (picture(512, 512), Work.QUICK),
        (picture(513, 512), Work.ORDINARY),
        (picture(280, 280, "JPEG"), Work.ORDINARY),
        (picture(280, 280, "GIF"), Work.ORDINARY),
        (picture(2000, 2000), Work.ORDINARY),
        (picture(2001, 2000), Work.LARGE),
    ],
)
def test_small_pngs_are_quick_and_many_pixels_are_large(data, work):
    assert work_of(data) is work


def test_a_small_png_of_many_bytes_is_not_quick():
    buffer = io.BytesIO()
    Image.effect_noise((512, 512), 80).save(buffer, "PNG")
    assert work_of(buffer.getvalue()) is Work.ORDINARY


def test_the_pixels_are_not_needed_to_tell():
    assert work_of(picture(280, 280)[:60]) is Work.QUICK


def test_what_is_no_picture_is_a_problem():
    with pytest.raises(ProblemError) as problem:
        work_of(b"digits")
    assert problem.value.kind.name == "not-a-picture"
