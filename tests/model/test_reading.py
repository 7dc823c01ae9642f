"""Which foreground counts: the usual one, several digits, or a second look, by the real model."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from model.classifier import NOT_A_DIGIT, SEVERAL_DIGITS, Classifier
from model.config import REPOSITORY, SECOND_LOOK_FACTOR
from model.preprocessing.normalize import encode_png, normalize
from model.reading import read_image, read_images

SEVEN = [[(60, 60), (200, 60), (110, 220)], [(95, 150), (185, 145)]]
THREE = [[(250, 60), (330, 60), (280, 130), (330, 160), (320, 215), (250, 215)]]


ONE = [[(140, 60), (140, 220)]]


@pytest.fixture(scope="module")
def classifier():
    return Classifier.load(REPOSITORY / "models" / "mnist-0.0.1.pt")


def drawing(strokes, size=(280, 280), frame=0):
    canvas = Image.new("L", size, 255)
    pen = ImageDraw.Draw(canvas)
    for stroke in strokes:
        pen.line(stroke, fill=0, width=14, joint="curve")
    if frame:
        pen.rectangle((0, 0, size[0] - 1, size[1] - 1), outline=0, width=frame)
    return canvas


def test_what_is_accepted_at_once_is_read_in_the_usual_image(classifier):
    read = read_image(classifier, encode_png(np.asarray(drawing(SEVEN))))
    assert (read.prediction.digit, read.prediction.is_digit) == (7, True)
    assert np.array_equal(read.image, normalize(drawing(SEVEN)).image)


def test_a_second_look_finds_the_digit_in_a_frame(classifier):
    picture = normalize(drawing(SEVEN, frame=2))
    assert not classifier.predict(picture.image[None])[0].is_digit
    (read,) = read_images(classifier, [picture])
    assert (read.prediction.digit, read.prediction.is_digit) == (7, True)
    assert any(np.array_equal(read.image, image) for image in picture.candidates())
    assert read.prediction.rejection_score >= SECOND_LOOK_FACTOR * classifier.threshold


def test_digits_apart_from_each_other_are_several_and_are_not_cut_down_to_one(classifier):
    pair = drawing([*SEVEN, *THREE], size=(400, 280))
    (read,) = read_images(classifier, [normalize(pair)])
    assert not read.prediction.is_digit
    assert read.prediction.reason == SEVERAL_DIGITS


def test_what_resembles_no_digit_in_any_foreground_stays_rejected(classifier):
    star = [
        [(140 - dx, 140 - dy), (140 + dx, 140 + dy)]
        for dx, dy in ((0, 90), (90, 0), (65, 65), (65, -65))
    ]
    (read,) = read_images(classifier, [normalize(drawing(star))])
    assert not read.prediction.is_digit
    assert read.prediction.reason == NOT_A_DIGIT


def test_pictures_are_read_in_their_order_each_by_itself(classifier):
    pictures = [normalize(drawing(strokes)) for strokes in (SEVEN, ONE, SEVEN)]
    read = read_images(classifier, pictures)
    assert [one.prediction.digit for one in read] == [7, 1, 7]
    assert read_images(classifier, []) == []
