import json

from app.front.session import Visit

ONE = {"path": [["M", 1, 1], ["L", 9, 9]], "left": 5, "top": 5}
TWO = {"path": [["M", 2, 8], ["L", 8, 2]], "left": 5, "top": 5}


def answered(digit, is_digit=True):
    return {"prediction": digit, "confidence": 0.9, "is_digit": is_digit, "model": "cnn"}


def visit_with_two_strokes():
    visit = Visit()
    visit.draw([ONE], b"one")
    visit.draw([ONE, TWO], b"two")
    return visit


def test_the_last_stroke_is_the_picture_at_hand():
    assert visit_with_two_strokes().picture == b"two"


def test_the_same_canvas_sent_twice_is_one_step():
    visit = visit_with_two_strokes()
    visit.draw([ONE, TWO], b"two")
    visit.undo()
    assert visit.picture == b"one"


def test_a_canvas_that_has_sent_no_picture_changes_nothing():
    visit = visit_with_two_strokes()
    visit.draw([ONE], None)
    assert visit.picture == b"two"


def test_a_new_stroke_makes_the_old_answer_void():
    visit = Visit()
    visit.draw([ONE], b"one")
    visit.answer = answered(1)
    visit.draw([ONE, TWO], b"two")
    assert visit.answer is None


def test_undo_gives_a_canvas_that_starts_from_the_step_before():
    visit = visit_with_two_strokes()
    canvas = visit.canvas
    visit.undo()
    assert (visit.picture, visit.start) == (b"one", [ONE])
    assert visit.canvas != canvas
    visit.undo()
    assert (visit.picture, visit.start) == (None, [])


def test_the_canvas_s_own_reset_leaves_nothing():
    visit = visit_with_two_strokes()
    visit.draw([], b"black")
    assert visit.picture is None


def test_clear_puts_the_drawing_with_its_answer_into_the_history():
    visit = visit_with_two_strokes()
    visit.answer = answered(4)
    visit.clear()
    assert visit.picture is None
    [entry] = visit.history
    assert (entry.picture, entry.label, len(entry.strokes)) == (b"two", 4, 2)


def test_a_drawing_that_nobody_read_does_not_enter_the_history():
    visit = visit_with_two_strokes()
    visit.clear()
    assert visit.history == []


def test_an_upload_takes_the_drawing_s_place_and_gives_it_back():
    visit = visit_with_two_strokes()
    visit.upload(b"photo")
    assert visit.picture == b"photo"
    visit.upload(None)
    assert visit.picture == b"two"


def test_recordings_hold_the_labelled_drawings_alone():
    visit = Visit()
    strokes = [[(1.0, 2.0), (3.0, 4.0)]]
    visit.remember(b"a", answered(7), strokes)
    visit.remember(b"b", answered(8, is_digit=False), strokes)  # refused: nobody said what it is
    visit.remember(b"c", answered(3), [])  # an upload has no strokes
    visit.remember(b"d", answered(9), strokes)
    visit.history[3].label = 4  # corrected
    lines = [json.loads(line) for line in visit.recordings("Ada").splitlines()]
    assert [(line["label"], line["writer"]) for line in lines] == [(7, "Ada"), (4, "Ada")]


def test_a_refused_drawing_is_recorded_once_it_is_labelled():
    visit = Visit()
    visit.remember(b"b", answered(8, is_digit=False), [[(1.0, 2.0)]])
    assert visit.recordings("Ada") == ""
    visit.history[0].label = 0
    assert json.loads(visit.recordings("Ada"))["label"] == 0
