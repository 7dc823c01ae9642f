import json

import pytest

from app.front.session import Session
from app.front.settings import MAX_HISTORY

ONE = {"path": [["M", 1, 1], ["L", 9, 9]], "left": 5, "top": 5}
TWO = {"path": [["M", 2, 8], ["L", 8, 2]], "left": 5, "top": 5}
STROKES = [[(1.0, 2.0), (3.0, 4.0)]]


def answered(digit, is_digit=True, image="data:image/png;base64,AAAA"):
    return {
        "prediction": digit,
        "confidence": 0.9,
        "is_digit": is_digit,
        "model": "cnn",
        "image": image,
    }


@pytest.fixture
def session():
    """Somebody has drawn two strokes, which were read as 4."""
    session = Session()
    session.draw([ONE], b"one")
    session.draw([ONE, TWO], b"two")
    session.answer = answered(4)
    return session


def add(session, number, digit=1, strokes=()):
    """Add a drawing whose image is told from others by its number."""
    return session.add(number, answered(digit, image=f"image {number}"), list(strokes))


def test_a_new_stroke_makes_the_old_answer_invalid(session):
    session.draw([ONE, TWO, ONE], b"three")
    assert session.answer is None
    assert session.image == b"three"


def test_what_the_canvas_sends_again_keeps_the_answer(session):
    session.draw([ONE, TWO], b"two")
    assert session.answer == answered(4)


def test_clear_puts_the_drawing_with_its_answer_into_the_history(session):
    session.clear()
    assert session.image is None
    [drawing] = session.history
    assert (drawing.label, len(drawing.strokes), drawing.is_example) == (4, 2, False)


def test_a_drawing_that_nobody_predicted_does_not_enter_the_history(session):
    session.answer = None
    session.clear()
    assert session.history == []


def test_an_upload_takes_the_drawing_s_place_and_gives_it_back(session):
    session.upload(b"photo")
    assert (session.image, session.answer) == (b"photo", None)
    session.upload(None)
    assert session.image == b"two"


def correct(session, digit):
    """What a tap on one of the ten buttons does."""
    session.correction = digit
    session.record()


def test_a_corrected_drawing_is_an_example_and_is_read_again(session):
    correct(session, 9)
    assert session.examples == [{"label": 9, "image": "data:image/png;base64,AAAA"}]
    assert session.answer is None


def test_a_corrected_drawing_stands_in_the_history_once(session):
    correct(session, 9)
    session.answer = answered(9)
    session.clear()
    [drawing] = session.history
    assert (drawing.label, drawing.answer["prediction"]) == (9, 4)


@pytest.mark.parametrize("change", [Session.undo, lambda s: s.draw([ONE, TWO, ONE], b"three")])
def test_a_drawing_that_goes_on_takes_its_correction_back(session, change):
    correct(session, 9)
    change(session)
    assert (session.history, session.examples) == ([], [])


def test_the_reset_of_the_canvas_keeps_the_correction(session):
    correct(session, 9)
    session.draw([], b"black")
    assert [example["label"] for example in session.examples] == [9]


def test_a_correction_counts_when_the_drawing_is_cleared_at_once(session):
    session.correction = 9
    session.clear()
    assert [example["label"] for example in session.examples] == [9]


@pytest.mark.parametrize("change", [Session.undo, lambda s: s.upload(b"photo"), Session.clear])
def test_a_correction_does_not_label_another_image(session, change):
    session.answer, session.correction = None, 9
    change(session)
    assert session.correction is None


def test_a_drawing_that_is_left_out_is_no_example(session):
    session.record()
    [drawing] = session.history
    session.set_label(drawing, 9)
    session.set_label(drawing, None)
    assert session.examples == []
    assert session.stroke_lines("Ada") == ""


def test_switched_off_examples_are_kept(session):
    correct(session, 9)
    session.use_examples(False)
    assert session.examples == []
    assert len(session.saved_examples) == 1
    session.use_examples(True)
    assert len(session.examples) == 1


def test_forgetting_leaves_what_was_not_corrected():
    session = Session()
    kept, forgotten = add(session, 1), add(session, 2)
    session.set_label(forgotten, 5)
    session.forget_examples()
    assert session.history == [kept]


def test_saved_examples_can_be_loaded_and_loaded_again(session):
    correct(session, 9)
    other = Session()
    other.load(session.saved_examples)
    other.load(session.saved_examples)
    assert other.saved_examples == session.saved_examples


def test_a_loaded_label_corrects_the_example_that_is_there(session):
    correct(session, 9)
    session.load([{"label": 4, "image": "data:image/png;base64,AAAA"}])
    assert [example["label"] for example in session.examples] == [4]


def test_the_digit_with_the_fewest_examples_is_asked_for_next():
    session = Session()
    asked = []
    for number in range(20):
        digit = session.next_digit(2)
        asked.append(digit)
        session.set_label(add(session, number), digit)
    assert asked == [*range(10), *range(10)]
    assert session.counts == [2] * 10
    assert session.next_digit(2) is None
    assert session.next_digit(3) == 0


def test_strokes_hold_the_labelled_drawings_alone():
    session = Session()
    session.add(1, answered(7), STROKES)
    session.add(2, answered(8, is_digit=False), STROKES)  # rejected: nobody said what it is
    session.add(3, answered(3), [])  # an upload has no strokes
    session.set_label(session.add(4, answered(9, is_digit=False), STROKES), 0)
    lines = [json.loads(line) for line in session.stroke_lines("Ada").splitlines()]
    assert [(line["label"], line["writer"]) for line in lines] == [(7, "Ada"), (0, "Ada")]


def test_of_too_many_drawings_the_oldest_that_is_no_example_is_forgotten():
    session = Session()
    session.set_label(add(session, 0), 5)
    for number in range(1, MAX_HISTORY + 1):
        add(session, number)
    assert len(session.history) == MAX_HISTORY
    assert [drawing.source for drawing in session.history[:2]] == [0, 2]


def test_of_too_many_examples_the_oldest_is_forgotten():
    session = Session()
    for number in range(MAX_HISTORY):
        session.set_label(add(session, number), 5)
    newest = add(session, MAX_HISTORY)
    assert session.history[0].source == 1
    assert session.history[-1] is newest
