import pytest

from app.front.canvas import Canvas
from app.front.settings import MAX_UNDO_STEPS

ONE = {"path": [["M", 1, 1], ["L", 9, 9]], "left": 5, "top": 5}
TWO = {"path": [["M", 2, 8], ["L", 8, 2]], "left": 5, "top": 5}


@pytest.fixture
def canvas():
    """Two strokes, one after the other."""
    canvas = Canvas()
    canvas.update([ONE], b"one")
    canvas.update([ONE, TWO], b"two")
    return canvas


def test_the_same_objects_sent_twice_are_no_change(canvas):
    assert not canvas.update([ONE, TWO], b"two")
    canvas.undo()
    assert canvas.image == b"one"


def test_a_canvas_that_has_sent_no_image_changes_nothing(canvas):
    assert not canvas.update([ONE], None)
    assert canvas.image == b"two"


def test_undo_gives_a_canvas_that_starts_from_the_step_before(canvas):
    number = canvas.number
    canvas.undo()
    assert (canvas.image, canvas.initial_objects) == (b"one", [ONE])
    assert canvas.number != number
    canvas.undo()
    assert (canvas.image, canvas.initial_objects) == (None, [])


def test_the_canvas_s_own_reset_leaves_nothing(canvas):
    assert canvas.update([], b"black")
    assert canvas.image is None
    assert not canvas.update([], b"black")


def test_undo_goes_back_a_bounded_number_of_strokes():
    canvas = Canvas()
    for number in range(MAX_UNDO_STEPS + 2):
        canvas.update([ONE] * (number + 1), b"%d" % number)
    assert (canvas.steps[0].image, len(canvas.steps)) == (b"2", MAX_UNDO_STEPS)
