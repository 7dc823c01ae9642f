"""Cut touching digits: every component falls into pieces, of which one or several make a digit.

The cuts are seams, from the top of a component to its bottom, that cross as little ink as they
can; there are more of them than digits, and `choose` decides which ones hold (over-segmentation:
R. Casey and E. Lecolinet, "A survey of methods and strategies in character segmentation", 1996).
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from model.numbers.find import Component, Line

STEP = 0.08  # heights between the upright lines along which seams are looked for
REACH = 0.25  # heights that a seam strays from its line to either side
NARROW = 0.3  # heights: narrower components stay whole
LOOP = 0.5  # cost of each further stroke that a seam crosses: it runs through a loop
MAX_COST = 3.5  # of a seam, in stroke widths of ink
MIN_MASS = 0.06  # of a digit's usual ink that lies on either side of a seam
APART = 0.07  # heights between two seams, on the average
CUTS_PER_HEIGHT = 4  # at most so many seams in a component as wide as high
BENDING = 0.2  # cost of a step aside, in pixels of ink


Seam = tuple[np.ndarray, float]  # its column in each row, and its cost


@dataclass(frozen=True)
class Piece(Component):
    """A component, or what lies between two seams of one.

    Attributes:
        component: the number of the component that it comes from.
        cost: of the seam at its right, about the stroke widths of ink it crosses; 0 without one.
    """

    component: int
    cost: float


def cut_line(line: Line) -> list[Piece]:
    """Return the pieces of a line from left to right."""
    pieces: list[Piece] = []
    seams = _seams(line.components, line.height, stroke_width(line))
    for number, (component, cuts) in enumerate(zip(line.components, seams, strict=True)):
        pieces += _cut(component, number, cuts)
    return sorted(pieces, key=_center)


def _center(piece: Piece) -> float:
    """Return the column of a piece's centre of mass."""
    profile = piece.foreground.sum(axis=0, dtype=np.float64)
    return piece.x + float(profile @ np.arange(len(profile)) / profile.sum())


def stroke_width(line: Line) -> float:
    """Return the width of a line's strokes in pixels, from the mean distance to their edges."""
    total = area = 0.0
    for component in line.components:
        mask = np.pad((component.foreground >= 96).astype(np.uint8), 1)
        total += float(cv2.distanceTransform(mask, cv2.DIST_L2, 3).sum())
        area += float(mask.sum())
    return max(2.0, 4 * total / max(area, 1.0) - 2)


def _cut(component: Component, number: int, seams: list[Seam]) -> list[Piece]:
    """Cut a component along its seams, which come from left to right."""
    height, width = component.foreground.shape
    edges = [np.zeros(height), *(path for path, _ in seams), np.full(height, width)]
    costs = [*(cost for _, cost in seams), 0.0]
    pieces = []
    for cost, (left, right) in zip(costs, pairwise(edges), strict=True):
        inside = (np.arange(width) >= left[:, None]) & (np.arange(width) < right[:, None])
        part = Component.crop(np.where(inside, component.foreground, 0), component.x, component.y)
        if part:
            pieces.append(Piece(part.foreground, part.x, part.y, number, cost))
    return pieces


def _seams(components: list[Component], height: float, stroke: float) -> list[list[Seam]]:
    """Find the seams of each component, from left to right.

    All components lie side by side on one sheet, so that one search serves them all.
    """
    room = math.ceil(2 * REACH * height)
    lefts = np.cumsum([room, *(component.foreground.shape[1] + room for component in components)])
    rows = max(len(component.foreground) for component in components)
    level = np.zeros((rows, lefts[-1]), dtype=np.float32)
    starts, owner = [], []
    for k, (left, component) in enumerate(zip(lefts, components, strict=False)):
        component_rows, width = component.foreground.shape
        level[:component_rows, left : left + width] = component.foreground / np.float32(255)
        if width > NARROW * height:
            edge, step = 0.1 * height, max(1.0, STEP * height)
            starts.append(left + np.arange(edge, width - edge, step).astype(int))
            owner += [k] * len(starts[-1])
    if not starts:
        return [[] for _ in components]
    paths, crossing = _paths(level, np.concatenate(starts), round(REACH * height))
    on_path = level[np.arange(rows), paths] >= 0.5
    strokes = (on_path[:, 1:] & ~on_path[:, :-1]).sum(axis=1) + on_path[:, 0]
    cost = crossing / stroke + LOOP * (strokes - 1).clip(0)
    sums = np.cumsum(level, axis=1)
    before = sums[np.arange(rows), paths - 1]
    least = MIN_MASS * 2.5 * height * stroke
    seams = []
    for k, (left, component) in enumerate(zip(lefts, components, strict=False)):
        usable = np.flatnonzero((np.array(owner) == k) & (cost <= MAX_COST))
        mass = (before[usable] - sums[:, left - 1]).sum(axis=1)
        total = component.foreground.sum(dtype=np.int64) / 255
        usable = usable[(mass >= least) & (total - mass >= least)]
        max_seams = math.ceil(CUTS_PER_HEIGHT * component.foreground.shape[1] / height)
        columns = paths[usable, : len(component.foreground)] - left
        seams.append(_choose(columns, cost[usable], APART * height, max_seams))
    return seams


def _choose(paths: np.ndarray, cost: np.ndarray, apart: float, max_seams: int) -> list[Seam]:
    """Choose the cheapest paths (n, h) that lie apart, on the average; they must not cross."""
    chosen: list[int] = []
    for k in np.argsort(cost, kind="stable").tolist():
        if len(chosen) < max_seams and all(
            np.abs(paths[k] - paths[other]).mean() >= apart for other in chosen
        ):
            chosen.append(k)
    seams: list[Seam] = []
    for k in sorted(chosen, key=lambda k: paths[k].mean()):
        path = np.maximum(paths[k], seams[-1][0]) if seams else paths[k]
        seams.append((path, float(cost[k])))
    return seams


def _paths(level: np.ndarray, starts: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the path of least ink from top to bottom near each of many upright lines.

    Args:
        level: (h, w) float32, 0 background, 1 ink.
        starts: (n,) columns of the lines.
        reach: columns that a path may stray to either side.

    Returns:
        The paths' columns (n, h), and the pixels of ink they cross (n,).
    """
    rows = len(level)
    columns = starts[:, None] + np.arange(-reach, reach + 1)
    columns = columns.clip(1, level.shape[1] - 1)
    cost = level[:, columns]  # (h, n, 2 * reach + 1)
    came = np.zeros(cost.shape, dtype=np.int8)
    total = cost[0]
    blocked = np.full((len(starts), 1), np.inf, dtype=np.float32)
    for row in range(1, rows):
        aslant = cost[row] * math.sqrt(2) + BENDING  # as much longer is the way
        from_left = np.concatenate([blocked, total[:, :-1]], axis=1) + aslant
        from_right = np.concatenate([total[:, 1:], blocked], axis=1) + aslant
        total = total + cost[row]
        came[row] = np.where(from_left < total, -1, came[row])
        total = np.minimum(total, from_left)
        came[row] = np.where(from_right < total, 1, came[row])
        total = np.minimum(total, from_right)
    at, index = total.argmin(axis=1), np.arange(len(starts))
    paths = np.empty((len(starts), rows), dtype=int)
    crossing = np.zeros(len(starts))
    for row in range(rows - 1, -1, -1):
        step = came[row, index, at]
        paths[:, row] = columns[index, at]
        crossing += cost[row, index, at] * np.where(step == 0, 1, math.sqrt(2))
        at = at + step
    return paths, crossing
