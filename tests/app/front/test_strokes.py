import json

import pytest

from app.front.strokes import canvas_strokes, stroke_line

# As Fabric.js 7.4 sent them: a stroke with the mouse, and a click.
STROKE = {
    "type": "Path",
    "originX": "center",
    "originY": "center",
    "left": 138.912,
    "top": 140,
    "scaleX": 1,
    "scaleY": 1,
    "angle": 0,
    "path": [
        ["M", 79.978, 59.978],
        ["Q", 80, 60, 90, 60.5],
        ["Q", 100, 61, 110, 61.5],
        ["Q", 120, 62, 130, 61.5],
        ["Q", 140, 61, 150, 61],
        ["Q", 160, 61, 170, 60.5],
        ["Q", 180, 60, 190, 60],
        ["Q", 200, 60, 192.5, 75],
        ["Q", 185, 90, 177.5, 105],
        ["Q", 170, 120, 155, 170],
        ["L", 139.978, 220.022],
    ],
}
CLICK = {"left": 50, "top": 250, "path": [["M", 49.978, 250], ["L", 50.022, 250]]}
SQUARE = {"path": [["M", 0, 0], ["L", 10, 0], ["L", 10, 20]], "left": 5, "top": 10}


def test_a_stroke_is_the_points_that_the_mouse_visited():
    visited = [(80, 60), (80, 60), (100, 61), (120, 62), (140, 61), (160, 61), (180, 60),
               (200, 60), (185, 90), (170, 120), (140, 220)]  # fmt: skip
    [stroke] = canvas_strokes([STROKE])
    assert stroke == [pytest.approx(point, abs=0.03) for point in visited]


def test_a_click_is_a_stroke_of_one_place():
    [stroke] = canvas_strokes([CLICK])
    assert stroke == [pytest.approx((50, 250), abs=0.03)] * 2


def test_strokes_keep_their_order():
    assert [len(stroke) for stroke in canvas_strokes([CLICK, STROKE])] == [2, 11]


def test_a_stroke_moved_on_the_canvas_is_followed():
    [stroke] = canvas_strokes([STROKE | {"left": 138.912 + 30, "top": 140 - 20}])
    assert stroke[7] == pytest.approx((230, 40), abs=0.1)


def test_a_stroke_scaled_and_turned_on_the_canvas_is_followed():
    # Twice as large about its middle (5, 10), then a quarter turn clockwise: x' = 5 - 2 (y - 10),
    # y' = 10 + 2 (x - 5).
    [stroke] = canvas_strokes([SQUARE | {"scaleX": 2, "scaleY": 2, "angle": 90}])
    assert stroke == [
        pytest.approx((25, 0)),
        pytest.approx((25, 20)),
        pytest.approx((-15, 20)),
    ]


def test_objects_that_are_no_strokes_are_passed_over():
    assert canvas_strokes([{"type": "Rect", "left": 1, "top": 2}]) == []


def test_a_recording_is_one_line_of_json():
    line = stroke_line(7, "Zoé", [[(1.04, 2.0), (3.0, 4.0)], [(5.0, 6.0)]])
    assert "\n" not in line
    assert json.loads(line) == {
        "label": 7,
        "writer": "Zoé",
        "strokes": [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0]]],
    }
