import cv2
import numpy as np
import pytest

from model.numbers.find import MAX_HEIGHT, MAX_WIDTH, Line, find_lines, whole


def page(*texts_at: tuple[str, int, int], size: tuple[int, int] = (400, 700)) -> np.ndarray:
    """White print on black: each text with its lower left corner; digits are about 60 high."""
    foreground = np.zeros(size, dtype=np.uint8)
    for text, x, y in texts_at:
        cv2.putText(foreground, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 2.8, 255, 5, cv2.LINE_AA)
    return foreground


def boxes(line: Line) -> np.ndarray:
    """Left, top, width, height of each component, from left to right."""
    found = line.components[1][:, :4]
    return found[found[:, 0].argsort()]


@pytest.mark.parametrize("degrees", [-12, 9])
def test_a_tilted_line_is_set_upright(degrees):
    turn = cv2.getRotationMatrix2D((350, 200), degrees, 1)
    foreground = cv2.warpAffine(page(("24680", 150, 230)), turn, (700, 400))
    (line,) = find_lines(foreground)
    bottoms = boxes(line)[:, 1] + boxes(line)[:, 3]
    assert len(bottoms) == 5 and np.ptp(bottoms) <= 5
    for box in boxes(line).tolist():  # each box lies on the ink that it came from
        left, top, right, bottom = np.round(line.box_in_image(box)).astype(int)
        assert foreground[top:bottom, left:right].max() == 255


def test_specks_rules_and_what_lies_far_from_any_line_are_left_out():
    foreground = page(("23", 60, 100))
    foreground[60:62, 200:202] = 255  # a speck beside the line
    foreground[300:303, 5:690] = 255  # a rule
    foreground[390:398, 690:698] = 255  # a blot in the corner
    (line,) = find_lines(foreground)
    assert len(boxes(line)) == 2


def test_a_detached_bar_belongs_to_the_line_of_its_digit():
    foreground = page(("2", 60, 100), ("3", 200, 350))
    cv2.line(foreground, (140, 45), (170, 45), 255, 5)
    upper, lower = find_lines(foreground)
    assert (len(boxes(upper)), len(boxes(lower))) == (2, 1)


PATTERN = np.tile(np.eye(8, dtype=np.uint8)[:4] * 255, (40, 40))


@pytest.mark.parametrize("ink", [BLANK := np.zeros((20, 30), np.uint8), BLANK[:1] + 255, PATTERN])
def test_nothing_a_rule_and_a_pattern_of_like_pieces_hold_no_lines(ink):
    assert find_lines(np.pad(ink, 2)) == []


@pytest.mark.parametrize("size", [(9, 29_900), (2000, 990), (1, 1), (1200, 1600)])
def test_a_line_has_a_bounded_size_and_knows_where_it_was(size):
    line = whole(np.pad(np.full(size, 255, np.uint8), 7))
    rows, columns = line.foreground.shape
    assert rows <= MAX_HEIGHT + 1 and columns <= MAX_WIDTH + 1
    wanted = (7, 7, 7 + size[1], 7 + size[0])
    assert line.box_in_image((0, 0, columns, rows)) == pytest.approx(wanted, rel=0.02, abs=12)
