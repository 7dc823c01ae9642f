import cv2
import numpy as np
import pytest

from model.numbers.cut import cut_digits
from model.numbers.find import Line


def blots(*boxes: tuple[int, int, int, int]) -> Line:
    """A line with a filled box for each of left, top, width, height."""
    foreground = np.zeros((60, 200), np.uint8)
    for left, top, width, height in boxes:
        foreground[top : top + height, left : left + width] = 200
    return Line(foreground, np.eye(2, 3))


def boxes_of(line: Line, *places: float) -> list[tuple[int, ...]]:
    return [cut.box for cut in cut_digits(line, np.array(places))[0]]


def test_a_component_goes_to_the_digit_whose_place_it_covers_or_to_the_nearest():
    first, second, bar = (10, 5, 30, 50), (60, 10, 25, 45), (52, 0, 30, 4)
    assert boxes_of(blots(first, second), 15, 80) == [first, second]
    assert boxes_of(blots(first, second, bar), 25, 84) == [first, (52, 0, 33, 55)]


def test_touching_digits_are_cut_where_the_ink_is_least():
    line = blots((20, 5, 40, 50), (60, 28, 6, 4), (66, 5, 40, 50))
    (left, _, width, _), (right, _, _, _) = boxes_of(line, 42, 88)
    assert left == 20 and 60 <= left + width <= 66 and right == left + width


def test_a_digit_that_no_place_stands_for_is_counted():
    line = blots((10, 5, 30, 50), (60, 5, 30, 50), (110, 5, 30, 50), (160, 5, 4, 4))
    assert cut_digits(line, np.array([25.0, 75.0]))[1] == 1
    assert cut_digits(line, np.array([25.0, 75.0, 125.0]))[1] == 0


@pytest.mark.parametrize("places", [[20.0, 70.0, 120.0, 180.0], [-0.5, 0.2, 199.9]])
def test_every_pixel_of_the_ink_belongs_to_just_one_digit(places):
    for seed in range(5):
        line = blots()
        for ends in np.random.default_rng(seed).integers((0, 0), (200, 60), (12, 2, 2)).tolist():
            cv2.line(line.foreground, *ends, 255, 2, cv2.LINE_AA)
        total = np.zeros(line.foreground.shape, int)
        for (left, top, width, height), foreground in cut_digits(line, np.array(places))[0]:
            total[top : top + height, left : left + width] += foreground
        assert (total <= line.foreground).all()
        assert (total == line.foreground)[line.foreground >= 48].all()
