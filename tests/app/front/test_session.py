import json

from app.front.session import Session
from app.front.settings import MAX_HISTORY, MAX_UNDO_STEPS

ONE = {"path": [["M", 1, 1], ["L", 9, 9]], "left": 5, "top": 5}
TWO = {"path": [["M", 2, 8], ["L", 8, 2]], "left": 5, "top": 5}


def answered(digit, is_digit=True):
    return {"prediction": digit, "confidence": 0.9, "is_digit": is_digit, "model": "cnn"}


def session_with_two_strokes():
    session = Session()
    session.draw([ONE], b"one")
    session.draw([ONE, TWO], b"two")
    return session


def test_the_last_stroke_is_the_current_image():
    assert session_with_two_strokes().image == b"two"


def test_the_same_canvas_sent_twice_is_one_step():
    session = session_with_two_strokes()
    session.draw([ONE, TWO], b"two")
    session.undo()
    assert session.image == b"one"


def test_a_canvas_that_has_sent_no_image_changes_nothing():
    session = session_with_two_strokes()
    session.draw([ONE], None)
    assert session.image == b"two"


def test_a_new_stroke_makes_the_old_answer_invalid():
    session = Session()
    session.draw([ONE], b"one")
    session.answer = answered(1)
    session.draw([ONE, TWO], b"two")
    assert session.answer is None


def test_undo_gives_a_canvas_that_starts_from_the_step_before():
    session = session_with_two_strokes()
    canvas = session.canvas
    session.undo()
    assert (session.image, session.initial_objects) == (b"one", [ONE])
    assert session.canvas != canvas
    session.undo()
    assert (session.image, session.initial_objects) == (None, [])


def test_the_canvas_s_own_reset_leaves_nothing():
    session = session_with_two_strokes()
    session.draw([], b"black")
    assert session.image is None


def test_clear_puts_the_drawing_with_its_answer_into_the_history():
    session = session_with_two_strokes()
    session.answer = answered(4)
    session.clear()
    assert session.image is None
    [entry] = session.history
    assert (entry.label, len(entry.strokes)) == (4, 2)


def test_a_drawing_that_nobody_predicted_does_not_enter_the_history():
    session = session_with_two_strokes()
    session.clear()
    assert session.history == []


def test_an_upload_takes_the_drawing_s_place_and_gives_it_back():
    session = session_with_two_strokes()
    session.upload(b"photo")
    assert session.image == b"photo"
    session.upload(None)
    assert session.image == b"two"


def test_recordings_hold_the_labelled_drawings_alone():
    session = Session()
    strokes = [[(1.0, 2.0), (3.0, 4.0)]]
    session.add_to_history(answered(7), strokes)
    session.add_to_history(answered(8, is_digit=False), strokes)  # rejected: nobody said what it is
    session.add_to_history(answered(3), [])  # an upload has no strokes
    session.add_to_history(answered(9), strokes)
    session.history[3].label = 4  # corrected
    lines = [json.loads(line) for line in session.stroke_lines("Ada").splitlines()]
    assert [(line["label"], line["writer"]) for line in lines] == [(7, "Ada"), (4, "Ada")]


def test_a_rejected_drawing_is_recorded_once_it_is_labelled():
    session = Session()
    session.add_to_history(answered(8, is_digit=False), [[(1.0, 2.0)]])
    assert session.stroke_lines("Ada") == ""
    session.history[0].label = 0
    assert json.loads(session.stroke_lines("Ada"))["label"] == 0


def test_the_oldest_of_too_many_drawings_is_forgotten():
    session = Session()
    for number in range(MAX_HISTORY + 2):
        session.add_to_history({**answered(1), "number": number}, [])
    assert [session.history[0].answer["number"], len(session.history)] == [2, MAX_HISTORY]


def test_undo_goes_back_a_bounded_number_of_strokes():
    session = Session()
    for number in range(MAX_UNDO_STEPS + 2):
        session.draw([ONE] * (number + 1), b"%d" % number)
    assert (session.steps[0].image, len(session.steps)) == (b"2", MAX_UNDO_STEPS)
