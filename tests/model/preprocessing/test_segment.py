"""Ink and paper told apart: drawings of any polarity, photographs with uneven light."""

import numpy as np
import pytest
from PIL import Image, ImageFilter
from tests.support.drawings import blank, file_of, mean_difference

from errors import BlankImageError
from model.config import REPOSITORY
from model.preprocessing.normalize import normalize, preprocess
from model.preprocessing.segment import segment_foreground

IMAGE_SIZE = 480


def ink_of(digit):
    """A drawn digit on an empty sheet, 0 to 1."""
    sheet = blank(size=(IMAGE_SIZE, IMAGE_SIZE))
    sheet.paste(Image.open(REPOSITORY / "data" / "digits" / f"{digit}.png").convert("L"), (110, 90))
    return np.asarray(sheet) / 255


def photograph(ink, rng):
    """Degrade a drawing as a camera would: paper and pen colours, light, noise, blur, JPEG."""
    y, x = np.mgrid[-1 : 1 : IMAGE_SIZE * 1j, -1 : 1 : IMAGE_SIZE * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 + rng.uniform(0.1, 0.4) * (np.cos(angle) * x + np.sin(angle) * y)
    light -= rng.uniform(0, 0.25) * (x**2 + y**2)
    paper = rng.uniform([190, 180, 150], [250, 250, 240])
    pen = rng.uniform(20, 110, 3)
    colours = paper * (1 - ink[..., None]) + pen * ink[..., None]
    levels = 0.8 * colours * light[..., None]
    levels += rng.normal(0, rng.uniform(2, 8), levels.shape)
    image = Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.5)))
    return file_of(image, "JPEG", quality=int(rng.integers(50, 95)))


def mean_difference_of(images_of):
    """How far what ``images_of`` reads of each digit's ink is from what is read of the drawing."""
    differences = []
    for digit in range(10):
        ink = ink_of(digit)
        drawn = normalize(Image.fromarray((ink * 255).astype(np.uint8))).image
        differences.append(min(mean_difference(image, drawn) for image in images_of(ink)))
    return np.mean(differences)


def test_a_drawing_of_full_contrast_is_its_own_ink_light_on_dark_or_dark_on_light():
    grey = (ink_of(5) * 255).astype(np.uint8)
    for drawing in (grey, 255 - grey):
        np.testing.assert_array_equal(segment_foreground(drawing), grey)


@pytest.mark.parametrize(("paper", "pen"), [(90, 160), (160, 90), (200, 230)])
def test_faint_ink_on_grey_paper_is_raised_to_full_ink(paper, pen):
    grey = np.full((100, 100), paper, np.uint8)
    grey[20:80, 45:55] = pen
    ink = segment_foreground(grey)
    assert ink[50, 50] >= 230
    assert ink[0, 0] == 0


@pytest.mark.parametrize("seed", range(3))
def test_photographs_are_normalised_like_the_drawings_they_show_and_classified_as_them(cnn, seed):
    rng = np.random.default_rng(seed)
    images = []

    def images_of(ink):
        images.append(preprocess(photograph(ink, rng)).image)
        return images[-1:]

    # MNIST's pictures differ from their like by about 25 grey levels on average
    assert mean_difference_of(images_of) < 10
    assert [prediction.digit for prediction in cnn.predict(np.stack(images))] == list(range(10))


def test_empty_paper_under_uneven_light_is_blank():
    empty = photograph(np.zeros((IMAGE_SIZE, IMAGE_SIZE)), np.random.default_rng(2))
    with pytest.raises(BlankImageError):
        preprocess(empty)


def test_two_colours_as_light_as_each_other_are_told_apart():
    blue, yellow = np.array([155.0, 217, 234]), np.array([225.0, 205, 40])

    def images_of(ink):
        coloured = blue * (1 - ink[..., None]) + yellow * ink[..., None]
        return [normalize(Image.fromarray(coloured.astype(np.uint8))).image]

    assert mean_difference_of(images_of) < 15


def test_the_edge_of_a_shadow_across_the_paper_is_no_stroke():
    light = np.where(np.arange(IMAGE_SIZE)[:, None] + np.arange(IMAGE_SIZE) < 300, 130.0, 220.0)
    grain = np.random.default_rng(0).normal(0, 3, (IMAGE_SIZE, IMAGE_SIZE))

    def images_of(ink):
        picture = (light * (1 - 0.8 * ink) + grain).clip(0, 255).astype(np.uint8)
        read = normalize(Image.fromarray(picture))
        return [read.image, *read.candidates()]

    assert mean_difference_of(images_of) < 10
