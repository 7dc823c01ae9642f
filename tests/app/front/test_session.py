import gc

import pytest

from app.front.examples import Entry
from app.front.session import SESSIONS, Session
from app.front.settings import MAX_EXAMPLES

STROKES = [[(1.0, 2.0), (3.0, 4.0)]]


@pytest.fixture
def session():
    """Somebody who has drawn something and labelled two digits, one of them uploaded."""
    session = Session()
    session.show(b"drawing")
    session.learn(0, "image 0", STROKES)
    session.learn(7, "image 7", [])
    return session


def test_another_image_forgets_what_was_said_of_the_one_before(session):
    session.said, session.explains, session.reads_number = 4, True, True
    session.show(b"drawing")
    assert (session.said, session.explains, session.reads_number) == (4, True, True)
    session.show(b"another")
    assert (session.said, session.explains, session.reads_number) == (None, False, False)


def test_the_models_are_given_what_was_labelled_oldest_first(session):
    assert session.examples == [
        {"label": 0, "image": "image 0"},
        {"label": 7, "image": "image 7"},
    ]


def test_the_same_image_is_one_example_with_its_last_label(session):
    session.learn(1, "image 7", [])
    assert [digit.label for digit in session.labelled] == [0, 1]


def test_the_oldest_example_goes_where_there_are_too_many(session):
    for number in range(MAX_EXAMPLES):
        session.learn(3, f"another {number}", [])
    assert len(session.labelled) == MAX_EXAMPLES
    assert session.counts[:4] == [0, 0, 0, MAX_EXAMPLES]


def test_the_browser_keeps_each_change_once(session):
    assert [digit["label"] for digit in session.kept()] == [0, 7]
    assert session.kept() is None
    session.forget()
    assert session.kept() == []


def test_what_the_browser_kept_comes_back_with_its_strokes(session):
    again = Session()
    again.load(Entry.model_construct(**digit) for digit in session.kept())
    assert again.recording() == session.recording()
    assert again.examples == session.examples


def test_a_recording_holds_what_was_drawn_and_labelled(session):
    assert session.recording() == [{"label": 0, "writer": "me", "strokes": STROKES}]


def test_a_session_is_found_by_its_key_until_nobody_holds_it():
    session = Session()
    key = session.key
    assert SESSIONS.get(key) is session
    del session
    gc.collect()
    assert SESSIONS.get(key) is None
