"""The other foregrounds of pictures that have something beside the digit."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from tests.support.drawings import SEVEN, blank, mean_difference, write

from model.preprocessing.candidates import deskew, remove_neighbours
from model.preprocessing.normalize import normalize


def drawing(*more):
    """A crossed seven in black on white, with more lines (from, to, width, level)."""
    canvas = blank(255)
    for start, stop, width, level in more:
        ImageDraw.Draw(canvas).line((start, stop), fill=level, width=width)
    return write(canvas, SEVEN, ink=0)


CLEAN = normalize(drawing()).image
RULED = [((0, y), (280, y), 2, 170) for y in range(12, 280, 40)]
FRAME = [((0, 1), (280, 1)), ((0, 278), (280, 278)), ((1, 0), (1, 280)), ((278, 0), (278, 280))]


def closest(picture):
    """How far the image most like the clean drawing is from it, in grey levels on average."""
    read = normalize(picture)
    return min(mean_difference(image, CLEAN) for image in (read.image, *read.candidates()))


@pytest.mark.parametrize(
    "more",
    [
        [(*line, 1, 0) for line in FRAME],
        RULED,
        [(*line, 60) for *line, _ in RULED],
        RULED + [((x, 0), (x, 280), 2, 170) for x in range(12, 280, 40)],
        [((20, 250), (260, 250), 4, 0)],
        [((268, 100), (280, 190), 12, 0)],
        [((270, 0), (270, 280), 3, 0)],
    ],
    ids=["frame", "ruled", "ruled dark", "squared", "underline", "neighbour's piece", "page edge"],
)
def test_one_candidate_is_the_digit_without_what_lies_beside(more):
    assert closest(drawing(*more)) < 6


@pytest.mark.parametrize("ground", ["white", "transparent"])
def test_the_digit_is_found_on_a_sheet_on_a_flat_ground(ground):
    y, x = np.mgrid[:280, :280]
    light = 0.75 + 0.1 * x / 280 + 0.05 * np.sin(y / 40)
    grain = np.random.default_rng(0).normal(0, 2, (280, 280))
    paper = Image.fromarray(
        (np.asarray(drawing()) * light + 30 + grain).clip(0, 255).astype(np.uint8)
    )
    picture = Image.new("RGBA", (400, 380), (255, 255, 255, 255 if ground == "white" else 0))
    picture.paste(paper.convert("RGBA"), (50, 40))
    assert closest(picture) < 6


def test_a_piece_as_tall_as_the_rest_stays_it_may_be_a_digit():
    foreground = np.zeros((100, 100), np.uint8)
    foreground[20:80, 20:40] = foreground[20:80, 75:100] = 255
    assert np.array_equal(remove_neighbours(foreground), foreground)
    foreground[20:80, 75:100] = 0
    foreground[20:50, 75:100] = 255
    assert remove_neighbours(foreground)[:, 75:].max() == 0


def test_a_slanted_stroke_is_made_upright_and_an_upright_one_stays():
    stroke = np.zeros((80, 20), np.uint8)
    stroke[:, 6:14] = 255
    assert np.array_equal(deskew(stroke), stroke)
    slanted = np.zeros((80, 60), np.uint8)
    for y in range(80):
        slanted[y, 6 + (79 - y) // 2 : 14 + (79 - y) // 2] = 255
    assert (deskew(slanted).max(axis=0) > 127).sum() == pytest.approx(8, abs=2)
