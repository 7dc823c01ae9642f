"""What the browser tells; anybody can send anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.front.events import read_events

LABEL = {"number": 3, "kind": "label", "digit": 7, "part": None, "strokes": [[[1, 2], [3, 4.5]]]}
PNG = "data:image/png;base64,AAAA"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_a_label_comes_with_the_points_of_the_strokes():
    [event] = read_events({"events": [LABEL]}, handled=2)
    assert (event.kind, event.digit, event.strokes) == ("label", 7, [[(1, 2), (3, 4.5)]])


def test_what_was_handled_is_not_handled_again():
    events = [LABEL | {"number": number} for number in (2, 3, 4)]
    assert [event.number for event in read_events({"events": events}, handled=3)] == [4]


@pytest.mark.parametrize(
    "change",
    [
        {"digit": 10},
        {"digit": "7"},
        {"part": -1},
        {"number": "3"},
        {"kind": "teleport"},
        {"strokes": [[["a", "b"]]]},
        {"strokes": [[]] * 201},
        {"strokes": [[[1, 2]] * 5_001]},
        {"kind": "next", "image": "https://stranger.example/a.png"},
        {"kind": "next", "image": PNG + "A" * 500_000},
        {"kind": "restore", "examples": [{"label": 7, "image": PNG}]},
    ],
)
def test_what_is_no_event_is_left_out(change):
    assert read_events({"events": [LABEL | change]}, handled=0) == []


@given(JSON)
def test_no_value_breaks_the_page(value):
    read_events(value, handled=0)
    read_events({"events": value}, handled=0)
    read_events({"events": [{"number": 1, "kind": "label", "digit": value}]}, handled=0)
