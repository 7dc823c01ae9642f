"""Strokes of the canvas, in the form in which they are saved and evaluated."""

import json
import math
from itertools import pairwise
from typing import Any

import numpy as np

CanvasObject = dict[str, Any]  # of Fabric.js
Point = tuple[float, float]
Stroke = list[Point]

UNMOVED = 0.5  # px between a path's centre as drawn and as placed that rounding explains
CURVE_STEPS = 16  # parts of a curve that are looked at to find its box


def canvas_strokes(objects: list[CanvasObject]) -> list[Stroke]:
    """The pen's points, stroke by stroke, in canvas pixels (x right, y down).

    Args:
        objects: the `objects` of the canvas's JSON (Fabric.js). Free-hand paths consist of "M",
            "Q" and "L" commands, whose control points are the points that the pen visited.
            Moved, scaled and rotated paths are followed.
    """
    return [_stroke(drawn) for drawn in objects if drawn.get("path")]


def stroke_line(label: int, writer: str, strokes: list[Stroke]) -> str:
    """One line of a stroke recording: the JSON lines that `bash run.sh evaluate` reads."""
    points = [[[round(x, 1), round(y, 1)] for x, y in stroke] for stroke in strokes]
    return json.dumps({"label": label, "writer": writer, "strokes": points}, ensure_ascii=False)


def _stroke(drawn: CanvasObject) -> Stroke:
    """The points where the path now lies: Fabric.js places a path by the centre of its box."""
    path = drawn["path"]
    # M x y and L x y end at the point itself; Q cx cy x y passes by its control point.
    points = np.array([command[1:3] for command in path], dtype=float)
    centre = _centre(path)
    place = np.array([drawn.get("left", centre[0]), drawn.get("top", centre[1])])
    if math.dist(place, centre) <= UNMOVED:
        place = centre
    scale = drawn.get("scaleX", 1), drawn.get("scaleY", 1)
    angle = math.radians(drawn.get("angle", 0))
    cos, sin = math.cos(angle), math.sin(angle)
    placed = place + (points - centre) * scale @ [[cos, sin], [-sin, cos]]
    return [(x, y) for x, y in placed.tolist()]


def _centre(path: list[list[Any]]) -> np.ndarray:
    """The centre (x, y) of the box that Fabric.js places a path by.

    Fabric.js measures a quadratic curve as the cubic one whose two control points are its one. A
    line is such a curve whose control point is its end.
    """
    t = np.linspace(0, 1, CURVE_STEPS + 1)
    weights = np.stack([(1 - t) ** 3, 3 * t * (1 - t), t**3], axis=1)
    curves = [weights @ [before[-2:], after[1:3], after[-2:]] for before, after in pairwise(path)]
    points = np.concatenate([[path[0][1:]], *curves])
    return (points.min(axis=0) + points.max(axis=0)) / 2
