"""Harmless changes of a picture: what each leaves as it was, and what it does change."""

import io

import numpy as np
import pytest
from PIL import Image
from tests.support.drawings import blank, file_of, write

from model.data.changes import CHANGES, changed

PAPER, INK = 220, 30
STROKES = [[(70, 20), (120, 20), (90, 80)]]


@pytest.fixture(scope="module")
def picture():
    return np.asarray(write(blank(PAPER, (200, 100)), STROKES, ink=INK).convert("RGB"))


@pytest.fixture
def make(picture):
    """Makes a change; gives the pixels (H, W, 3)."""

    def make(name):
        file = changed(file_of(Image.fromarray(picture)), CHANGES[name])
        return np.asarray(Image.open(io.BytesIO(file)))

    return make


def test_saved_as_png_every_pixel_is_as_it_was(make, picture):
    assert np.array_equal(make("saved as PNG"), picture)


@pytest.mark.parametrize(
    ("name", "edge", "level"),
    [
        ("padded by a tenth", 10, PAPER),
        ("padded by a half", 50, PAPER),
        ("black frame of one pixel", 1, 0),
        ("white frame of 5 %", 5, 255),
        ("grey frame of a tenth", 10, 128),
    ],
)
def test_a_frame_surrounds_the_picture_by_a_share_of_its_shorter_side(
    make, picture, name, edge, level
):
    framed = make(name).copy()
    assert framed.shape == (100 + 2 * edge, 200 + 2 * edge, 3)
    assert np.array_equal(framed[edge:-edge, edge:-edge], picture)
    framed[edge:-edge, edge:-edge] = level
    assert (framed == level).all()


@pytest.mark.parametrize(
    ("name", "width", "height"),
    [
        ("scaled by 0.25", 50, 25),
        ("scaled by 0.5", 100, 50),
        ("scaled by 4", 800, 400),
        ("scaled by 8", 1600, 800),
        ("three quarters as wide", 150, 100),
        ("three quarters as high", 200, 75),
    ],
)
def test_a_picture_is_resized_by_a_factor(make, name, width, height):
    assert make(name).shape == (height, width, 3)


def test_a_picture_gets_no_smaller_and_no_larger_than_can_be_read_and_sent():
    small, large = file_of(blank(255, (28, 28))), file_of(blank(255, (400, 400)))
    for data, name, side in ((small, "scaled by 0.25", 20), (large, "scaled by 8", 1600)):
        assert Image.open(io.BytesIO(changed(data, CHANGES[name]))).size == (side, side)


def test_turned_to_the_left_and_back_to_the_right_the_middle_is_as_it_was(picture):
    once = changed(file_of(Image.fromarray(picture)), CHANGES["turned by 15°"])
    turned = np.asarray(Image.open(io.BytesIO(changed(once, CHANGES["turned by -15°"]))))
    top, left = (np.array(turned.shape) - picture.shape)[:2] // 2
    back = turned[top : top + 100, left : left + 200].astype(int)
    assert np.abs(back - picture).mean() < 5 < np.abs(back[::-1] - picture).mean()


def test_turned_to_the_left_the_paper_goes_on_without_a_seam():
    shade = np.tile(np.linspace(40, 220, 100).astype(np.uint8)[:, None], (1, 200))  # lighter below
    file = changed(file_of(Image.fromarray(shade)), CHANGES["turned by 10°"])
    turned = np.asarray(Image.open(io.BytesIO(file)))[:, :, 0].astype(int)
    height, width = turned.shape
    assert (width, height) == (215, 134)
    assert abs(np.diff(turned, axis=0)).max() <= 4 >= abs(np.diff(turned, axis=1)).max()
    middle = turned[height // 2]
    assert middle[0] < middle[width // 2] < middle[-1]  # what was below has come to the right


def test_a_jpeg_really_is_one_and_less_quality_makes_a_smaller_file(picture):
    data = file_of(Image.fromarray(picture))
    files = [changed(data, CHANGES[f"JPEG {quality}"]) for quality in (95, 75, 50, 30)]
    assert all(Image.open(io.BytesIO(file)).format == "JPEG" for file in files)
    assert sorted(map(len, files), reverse=True) == list(map(len, files))


def test_light_changes_levels_and_keeps_their_order(make, picture):
    dark, light = make("dark: gamma 1.6"), make("light: gamma 0.6")
    assert (dark < picture).all() and (light > picture).all()
    assert dark[0, 0, 0] == round(255 * (PAPER / 255) ** 1.6)
    red, green, blue = make("yellow light")[0, 0].tolist()
    assert red == PAPER > green > blue
    assert np.array_equal(make("inverted"), 255 - picture)


def test_grain_has_the_spread_that_it_says_and_is_the_same_each_time(make, picture):
    grain = make("grain").astype(int) - picture
    assert grain.std() == pytest.approx(5, rel=0.05) and abs(grain.mean()) < 0.2
    assert np.array_equal(make("grain") - picture, make("grain") - picture)


def test_a_blur_keeps_the_mean_and_spreads_an_edge_by_two_pixels():
    edge = np.full((100, 200), PAPER, np.uint8)
    edge[:, 100:] = INK
    file = changed(file_of(Image.fromarray(edge)), CHANGES["blurred by 2 %"])
    slope = -np.diff(np.asarray(Image.open(io.BytesIO(file)))[50, :, 0].astype(float))
    columns = np.arange(len(slope))
    middle = (slope * columns).sum() / slope.sum()
    spread = np.sqrt((slope * (columns - middle) ** 2).sum() / slope.sum())
    assert spread == pytest.approx(2, abs=0.3)
    assert slope.sum() == PAPER - INK


def test_one_pixel_aside_the_same_picture_stands_one_pixel_to_the_right_and_down(make, picture):
    moved = make("one pixel aside")
    assert moved.shape == picture.shape
    assert np.array_equal(moved[1:, 1:], picture[:-1, :-1])
    assert (moved[0] == PAPER).all() and (moved[:, 0] == PAPER).all()


def test_rules_are_half_as_dark_as_ink_and_lie_under_the_writing(make, picture):
    ruled, squared = make("ruled paper"), make("squared paper")
    printed = (ruled != picture).any(axis=2)
    assert (ruled[printed] == PAPER // 2).all() and (picture[printed] > PAPER // 2).all()
    assert (printed[:, 0].nonzero()[0] == [10, 30, 50, 70, 90]).all()  # five on the shorter side
    columns = (squared[0] != PAPER).any(axis=1).nonzero()[0]
    assert len(columns) == 10 and (np.diff(columns) == 20).all()
    assert ((squared == ruled) | (squared == PAPER // 2)).all()


def test_on_a_dark_ground_rules_are_light():
    ruled = changed(file_of(blank(0, (100, 100))), CHANGES["ruled paper"])
    assert np.unique(np.asarray(Image.open(io.BytesIO(ruled)))).tolist() == [0, 127]


def test_transparent_ground_becomes_the_ground_that_the_reader_sees():
    drawing = Image.new("RGBA", (100, 100))
    drawing.paste((0, 0, 0, 255), (40, 20, 60, 80))  # a black stroke, nothing behind it
    flat = np.asarray(Image.open(io.BytesIO(changed(file_of(drawing), CHANGES["saved as PNG"]))))
    assert (flat[0, 0] == 255).all() and (flat[50, 50] == 0).all()
