import cv2
import numpy as np
import pytest

from model.numbers.find import WORKING_HEIGHT, find_lines


def page(*texts_at: tuple[str, int, int], size: tuple[int, int] = (400, 700)) -> np.ndarray:
    """White print on black: each text with its lower left corner; digits are about 60 high."""
    foreground = np.zeros(size, dtype=np.uint8)
    for text, x, y in texts_at:
        cv2.putText(foreground, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 2.8, 255, 5, cv2.LINE_AA)
    return foreground


def test_a_line_is_scaled_to_the_working_height_and_its_boxes_map_back():
    foreground = page(("7", 100, 200))
    (line,) = find_lines(foreground)
    (seven,) = line.components
    assert len(seven.foreground) == pytest.approx(WORKING_HEIGHT, abs=2)
    assert line.height == pytest.approx(WORKING_HEIGHT)
    assert line.box_in_image(seven.box) == pytest.approx(cv2.boundingRect(foreground), abs=3)


@pytest.mark.parametrize("degrees", [-12, 9])
def test_a_tilted_line_is_set_upright(degrees):
    turn = cv2.getRotationMatrix2D((350, 200), degrees, 1)
    foreground = cv2.warpAffine(page(("24680", 150, 230)), turn, (700, 400))
    (line,) = find_lines(foreground)
    bottoms = [component.bottom for component in line.components]
    assert len(bottoms) == 5 and max(bottoms) - min(bottoms) <= 5
    upright = find_lines(page(("24680", 150, 230)))[0].components
    heights = sorted(len(component.foreground) for component in line.components)
    assert heights == pytest.approx(sorted(len(c.foreground) for c in upright), abs=5)
    for component in line.components:  # each box lies on the ink that it came from
        x, y, width, height = line.box_in_image(component.box)
        assert foreground[y : y + height, x : x + width].max() == 255


def test_specks_and_what_lies_far_from_any_line_are_left_out():
    foreground = page(("23", 60, 100))
    foreground[60:62, 200:202] = 255  # a speck beside the line
    foreground[390:398, 690:698] = 255  # a blot in the corner
    (line,) = find_lines(foreground)
    assert len(line.components) == 2


def test_a_detached_bar_belongs_to_the_line_of_its_digit():
    foreground = page(("2", 60, 100), ("3", 200, 350))
    cv2.line(foreground, (140, 45), (170, 45), 255, 5)
    upper, lower = find_lines(foreground)
    assert len(upper.components) == 2 and len(lower.components) == 1


def test_an_empty_foreground_has_no_lines():
    assert find_lines(np.zeros((20, 30), dtype=np.uint8)) == []
