"""MNIST's rule of size and place, held to MNIST itself and to what a drawing may go through."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from tests.support.drawings import SEVEN, blank, max_difference, mean_difference, write

from errors import BlankImageError
from model.preprocessing.normalize import encode_png, normalize, preprocess


def draw(strokes, *, brush=20, size=280, shift=(0, 0)):
    """White strokes on a black canvas."""
    shifted = [[(x + shift[0], y + shift[1]) for x, y in stroke] for stroke in strokes]
    return write(blank(size=(size, size)), shifted, ink=255, width=brush)


def distance(first, second):
    """How far apart the images of two pictures are."""
    return max_difference(normalize(first).image, normalize(second).image)


def change_on_the_way(image, picture):
    """How far an image of MNIST is from what a picture of it is read as."""
    return max_difference(preprocess(encode_png(picture)).image, image)


def test_mnist_pictures_come_through_unchanged_also_enlarged_anywhere_on_a_canvas(real_mnist):
    images = real_mnist.test.images.numpy()
    changed = {i for i, image in enumerate(images) if change_on_the_way(image, image) > 1}
    assert len(changed) <= 10, f"{len(changed)} of 10,000 changed: {sorted(changed)[:20]}"
    rng = np.random.default_rng(0)
    for image in (images[i] for i in range(200) if i not in changed):
        factor = int(rng.integers(2, 9))
        canvas = np.zeros((280, 280), np.uint8)
        y, x = rng.integers(0, 280 - 28 * factor + 1, size=2)
        canvas[y : y + 28 * factor, x : x + 28 * factor] = image.repeat(factor, 0).repeat(factor, 1)
        assert change_on_the_way(image, canvas) <= 1


def test_the_longest_side_is_20_pixels_and_the_centre_of_mass_is_at_14():
    placed = normalize(draw(SEVEN)).image
    rows, columns = np.flatnonzero(placed.any(axis=1)), np.flatnonzero(placed.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    mass = placed.astype(float)
    y, x = (mass.sum(axis=1) * np.arange(28)).sum(), (mass.sum(axis=0) * np.arange(28)).sum()
    assert 13.5 <= y / mass.sum() <= 14.5
    assert 13.5 <= x / mass.sum() <= 14.5


@pytest.mark.parametrize("shift", [(-40, -30), (31, 17), (55, 22)])
@pytest.mark.parametrize("factor", [1, 2, 5])
@pytest.mark.parametrize("colour", [None, (255, 255, 255), (0, 0, 0)])
def test_a_shift_an_enlargement_and_transparent_paper_change_at_most_one_grey_level(
    shift, factor, colour
):
    picture = draw(SEVEN, shift=shift).resize((280 * factor,) * 2, Image.Resampling.NEAREST)
    if colour:
        ink, picture = picture, Image.new("RGBA", picture.size, colour)
        picture.putalpha(ink)
    assert distance(picture, draw(SEVEN)) <= 1


FAINT = draw(SEVEN).point(lambda level: level // 7)


@pytest.mark.parametrize(
    ("drawing", "shape", "points"),
    [
        (draw(SEVEN, brush=16), "ellipse", (255, 255, 271, 271)),
        (draw(SEVEN), "point", (3, 277)),
        (
            draw(SEVEN, brush=16, shift=(-30, 0)),
            "polygon",
            (255, 150, 280, 150, 280, 210, 273, 210),
        ),
        (FAINT, "point", (20, 250)),
    ],
    ids=["a tap", "dust", "a neighbour's piece at the border", "a hot pixel beside faint ink"],
)
def test_what_lies_beside_a_digit_does_not_change_it(drawing, shape, points):
    beside = drawing.copy()
    getattr(ImageDraw.Draw(beside), shape)(points, fill=255)
    assert distance(beside, drawing) <= 1


def test_the_second_stroke_of_a_digit_stays_in_the_crop():
    five_with_bar_apart = [[(90, 80), (80, 150), (160, 160), (150, 230), (80, 225)]]
    bar = [(120, 50), (200, 48)]
    with_bar = draw([*five_with_bar_apart, bar], brush=14)
    assert distance(with_bar, draw(five_with_bar_apart, brush=14)) > 100


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("pixels", [0, 1])
def test_a_blank_picture_or_a_single_pixel_is_a_named_error(level, pixels):
    picture = blank(level)
    if pixels:
        picture.putpixel((90, 40), 255 - level)
    with pytest.raises(BlankImageError, match="blank"):
        normalize(picture)


@pytest.mark.parametrize("size", [200, 1000])
@pytest.mark.parametrize("brush", [1, 2, 4])
def test_a_thin_pen_gives_full_strokes_as_wide_as_thin_ones_of_mnist(size, brush):
    thin = [[(x * size / 280, y * size / 280) for x, y in stroke] for stroke in SEVEN]
    placed = normalize(draw(thin, brush=brush, size=size)).image
    assert placed.max() == 255
    across = placed[20:26].astype(float).sum(axis=1) / 255  # the leg, in pixels of 20
    assert 0.8 <= np.median(across) <= 2.8


@pytest.mark.parametrize("noise", [1, 2, 4, 8])
def test_noise_of_the_paper_changes_neither_size_nor_place(noise):
    paper = 250 - np.asarray(draw(SEVEN)).astype(float) * 0.9
    levels = np.random.default_rng(0).integers(0, noise + 1, paper.shape)
    seen = normalize(Image.fromarray((paper - levels).astype(np.uint8))).image
    clean = normalize(Image.fromarray(paper.astype(np.uint8))).image
    assert mean_difference(seen, clean) < 2
