"""Which foreground counts: the usual one, several digits, or another one, by the real model."""

import numpy as np
from tests.support.drawings import NEARLY_NINE, SEVEN, blank, file_of, write

from model.classifier import NOT_A_DIGIT, SEVERAL_DIGITS
from model.config import SECOND_LOOK_FACTOR
from model.preprocessing.normalize import normalize
from model.reading import read_image, read_images

THREE = [[(250, 60), (330, 60), (280, 130), (330, 160), (320, 215), (250, 215)]]
ONE = [[(140, 60), (140, 220)]]


def drawing(strokes, size=(280, 280)):
    return write(blank(255, size), strokes, ink=0)


def test_what_is_accepted_at_once_is_read_in_the_usual_image(cnn):
    read = read_image(cnn, file_of(drawing(SEVEN)))
    assert (read.prediction.digit, read.prediction.is_digit) == (7, True)
    assert np.array_equal(read.image, normalize(drawing(SEVEN)).image)


def test_a_retry_finds_the_digit_beside_the_wall_of_a_cell(cnn):
    picture = normalize(drawing([*SEVEN, [(240, -20), (240, 300)]]))
    assert not cnn.predict(picture.image[None])[0].is_digit
    (read,) = read_images(cnn, [picture])
    assert (read.prediction.digit, read.prediction.is_digit) == (7, True)
    assert any(np.array_equal(read.image, image) for image in picture.candidates())
    assert read.prediction.rejection_score >= SECOND_LOOK_FACTOR * cnn.threshold


def test_the_network_for_lines_is_asked_where_the_classifier_is_not_sure_at_once(cnn, line_network):
    pictures = [normalize(drawing(strokes)) for strokes in (SEVEN, NEARLY_NINE)]
    alone = [one.prediction for one in read_images(cnn, pictures)]
    asked = [one.prediction for one in read_images(cnn, pictures, line_network)]
    assert asked[0] == alone[0]
    assert asked[1].probabilities[4] > alone[1].probabilities[4]
    assert (asked[1].digit, asked[1].is_digit) == (4, True)


def test_digits_apart_from_each_other_are_several_and_are_not_cut_down_to_one(cnn):
    pair = drawing([*SEVEN, *THREE], size=(400, 280))
    (read,) = read_images(cnn, [normalize(pair)])
    assert not read.prediction.is_digit
    assert read.prediction.reason == SEVERAL_DIGITS


def test_what_resembles_no_digit_in_any_foreground_stays_rejected(cnn):
    star = [
        [(140 - dx, 140 - dy), (140 + dx, 140 + dy)]
        for dx, dy in ((0, 90), (90, 0), (65, 65), (65, -65))
    ]
    (read,) = read_images(cnn, [normalize(drawing(star))])
    assert not read.prediction.is_digit
    assert read.prediction.reason == NOT_A_DIGIT


def test_pictures_are_read_in_their_order_each_by_itself(cnn):
    read = read_images(cnn, [normalize(drawing(strokes)) for strokes in (SEVEN, ONE, SEVEN)])
    assert [one.prediction.digit for one in read] == [7, 1, 7]
    assert read_images(cnn, []) == []
