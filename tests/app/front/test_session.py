import gc
import json

import pytest

from app.front.session import SESSIONS, Session, recording
from app.front.settings import MAX_EXAMPLES

IMAGES = [f"data:image/png;base64,{name}" for name in ("AAAA", "BBBB", "CCCC")]
STROKES = [[(1.0, 2.0), (3.0, 4.0)]]


@pytest.fixture
def session():
    """Somebody who has drawn something and labelled two digits, one of them uploaded."""
    session = Session()
    session.show(b"drawing")
    session.learn(0, IMAGES[0], STROKES)
    session.learn(7, IMAGES[1], [])
    return session


def test_another_image_forgets_what_was_said_of_the_one_before(session):
    session.said, session.explains, session.reads_number = 4, True, True
    session.show(b"drawing")
    assert (session.said, session.explains, session.reads_number) == (4, True, True)
    session.show(b"another")
    assert (session.said, session.explains, session.reads_number) == (None, False, False)


def test_the_same_image_is_one_example_with_its_last_label(session):
    session.learn(1, IMAGES[1], [])
    assert session.examples == [
        {"label": 0, "image": IMAGES[0]},
        {"label": 1, "image": IMAGES[1]},
    ]


def test_the_oldest_example_goes_where_there_are_too_many(session):
    for number in range(MAX_EXAMPLES):
        session.learn(3, f"{IMAGES[2]}{number}", [])
    assert [digit.label for digit in session.labelled] == [3] * MAX_EXAMPLES


def test_digits_are_asked_for_in_rounds_until_there_are_enough(session):
    assert session.missing(1) == [1, 2, 3, 4, 5, 6, 8, 9]
    assert session.missing(2) == [1, 2, 3, 4, 5, 6, 8, 9, *range(10)]


def test_the_browser_keeps_each_change_once(session):
    assert [digit["label"] for digit in session.kept()] == [0, 7]
    assert session.kept() is None
    session.forget()
    assert session.kept() == []


def test_a_recording_holds_what_was_drawn_and_labelled(session):
    [line] = recording(session.labelled).splitlines()
    assert json.loads(line) == {"label": 0, "writer": "me", "strokes": [[[1, 2], [3, 4]]]}


def test_a_session_is_found_by_its_key_until_nobody_holds_it():
    session = Session()
    key = session.key
    assert SESSIONS.get(key) is session
    del session
    gc.collect()
    assert SESSIONS.get(key) is None
