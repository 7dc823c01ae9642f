"""What the browser tells; anybody can send anything."""

import pytest

from app.front.events import read_events

LABEL = {"number": 3, "kind": "label", "digit": 7, "part": None, "strokes": [[[1, 2], [3, 4.5]]]}
PNG = "data:image/png;base64,AAAA"


def test_new_events_are_read_and_handled_ones_left_out():
    events = [LABEL | {"number": number} for number in (2, 3, 4)]
    [event] = read_events({"events": events}, handled=3)
    assert (event.number, event.kind, event.digit) == (4, "label", 7)
    assert event.strokes == [[(1, 2), (3, 4.5)]]


@pytest.mark.parametrize(
    "change",
    [
        {"digit": 10},
        {"digit": "7"},
        {"part": -1},
        {"number": None},
        {"kind": "teleport"},
        {"strokes": [[["a", "b"]]]},
        {"strokes": [[]] * 201},
        {"strokes": [[[1, 2]] * 5_001]},
        {"kind": "next", "image": "https://stranger.example/a.png"},
        {"kind": "next", "image": PNG + "A" * 500_000},
        {"kind": "restore", "examples": [{"label": 7, "image": PNG + "A" * 2_000}]},
        {"kind": "restore", "examples": [{"label": 10, "image": PNG}]},
        {"kind": "restore", "examples": [{"label": 7, "image": PNG}] * 201},
    ],
)
def test_what_is_no_event_is_left_out(change):
    assert read_events({"events": [LABEL | change, LABEL]}, handled=0)[0].number == 3
    assert len(read_events({"events": [LABEL | change, LABEL]}, handled=0)) == 1
