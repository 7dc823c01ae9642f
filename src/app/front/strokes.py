"""Strokes of the canvas, in the form in which they are saved and evaluated."""

import json
import math
from itertools import pairwise
from typing import Any

CanvasObject = dict[str, Any]  # of Fabric.js
Point = tuple[float, float]
Stroke = list[Point]

UNMOVED = 0.5  # px between a path's centre as drawn and as placed that rounding explains
CURVE_STEPS = 16  # points at which a curve is looked at to find its box


def canvas_strokes(objects: list[CanvasObject]) -> list[Stroke]:
    """The pen's points, stroke by stroke, in canvas pixels (x right, y down).

    Args:
        objects: the `objects` of the canvas's JSON (Fabric.js). Free-hand paths consist of "M",
            "Q" and "L" commands, whose control points are the points that the pen visited.
            Moved, scaled and rotated paths are followed.
    """
    return [_place(drawn, _pen_points(drawn["path"])) for drawn in objects if drawn.get("path")]


def stroke_line(label: int, writer: str, strokes: list[Stroke]) -> str:
    """One line of a stroke recording: the JSON lines that `bash run.sh evaluate strokes` reads."""
    points = [[[round(x, 1), round(y, 1)] for x, y in stroke] for stroke in strokes]
    return json.dumps({"label": label, "writer": writer, "strokes": points}, ensure_ascii=False)


def _pen_points(path: list[list[Any]]) -> Stroke:
    # M x y and L x y end at the point itself; Q cx cy x y passes by its control point.
    return [(command[1], command[2]) for command in path]


def _place(drawn: CanvasObject, points: Stroke) -> Stroke:
    """The points where the path now lies: Fabric.js places a path by the centre of its box."""
    centre_x, centre_y = _centre(drawn["path"])
    left, top = drawn.get("left", centre_x), drawn.get("top", centre_y)
    scale_x, scale_y = drawn.get("scaleX", 1), drawn.get("scaleY", 1)
    angle = math.radians(drawn.get("angle", 0))
    moved = math.hypot(left - centre_x, top - centre_y) > UNMOVED
    if not moved and scale_x == scale_y == 1 and angle == 0:
        return points
    cos, sin = math.cos(angle), math.sin(angle)
    placed = []
    for point_x, point_y in points:
        x, y = (point_x - centre_x) * scale_x, (point_y - centre_y) * scale_y
        placed.append((left + x * cos - y * sin, top + x * sin + y * cos))
    return placed


def _centre(path: list[list[Any]]) -> Point:
    """The centre of the box that Fabric.js places a path by.

    Fabric.js measures a quadratic curve as the cubic one whose two control points are its one.
    """
    curve: Stroke = [(path[0][1], path[0][2])]
    for before, command in pairwise(path):
        start, control, end = before[-2:], command[1:3], command[-2:]
        for step in range(1, CURVE_STEPS + 1):
            t = step / CURVE_STEPS
            x, y = (
                (1 - t) ** 3 * first + 3 * t * (1 - t) * middle + t**3 * last
                if command[0] == "Q"
                else last
                for first, middle, last in zip(start, control, end, strict=True)
            )
            curve.append((x, y))
    xs, ys = [x for x, _ in curve], [y for _, y in curve]
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
