from itertools import pairwise

import numpy as np
import pytest

from model.numbers.compose import Composer, place_side_by_side
from model.numbers.line import BLANK, FIRST_DIGIT, LINE_HEIGHT, OTHER


@pytest.fixture(scope="module")
def composer(few_digits) -> Composer:
    return Composer(few_digits.training, seed=0, synthetic=300, signs=100)


@pytest.fixture(scope="module")
def lines(composer) -> list[tuple[np.ndarray, list[int]]]:
    rng = np.random.default_rng(0)
    return [composer.compose(rng) for _ in range(300)]


def test_lines_are_as_high_as_the_network_sees_and_have_room_for_their_signs(lines):
    for image, classes in lines:
        assert len(image) == LINE_HEIGHT and image.dtype == np.uint8
        equal = sum(a == b for a, b in pairwise(classes))  # CTC needs a blank between these
        assert image.shape[1] // 2 >= len(classes) + equal


def test_classes_are_digits_and_other_signs_and_now_and_then_nothing(lines):
    found = {number for _, classes in lines for number in classes}
    assert found == {*range(FIRST_DIGIT, OTHER), OTHER} and BLANK not in found
    assert 0 < sum(not classes for _, classes in lines) < 40
    mixed = [classes for _, classes in lines if {OTHER} < set(classes)]
    assert all(classes.count(OTHER) == 1 for classes in mixed) and len(mixed) > 5


@pytest.mark.parametrize("touching", [False, True])
def test_signs_stand_from_left_to_right_apart_or_touching(touching):
    boxes = [np.full((20, width), 255, np.uint8) for width in (12, 6, 15, 9)]
    for seed in range(20):
        parts = place_side_by_side(boxes, touching, np.random.default_rng(seed))
        gaps = [after.x - before.x - before.image.shape[1] for before, after in pairwise(parts)]
        assert all(-2 <= gap <= 1.6 if touching else gap > 1.5 for gap in gaps)
