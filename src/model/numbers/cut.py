"""Cut touching digits: every component falls into pieces, of which one or several make a digit.

The cuts are seams, from the top of a component to its bottom, that cross as little ink as they
can; there are more of them than digits, and `choose` decides which ones hold (over-segmentation:
R. Casey and E. Lecolinet, "A survey of methods and strategies in character segmentation", 1996).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from model.numbers.find import Component, Line

STEP = 0.08  # heights between the columns where a seam is looked for
REACH = 0.25  # heights that a seam strays from its column to either side
NARROW = 0.3  # heights: narrower components stay whole
MAX_CROSSING = 3.2  # stroke widths of ink that a seam crosses
MIN_MASS = 0.06  # of a digit's usual ink that lies on either side of a seam
APART = 0.07  # heights between two seams, on the average
CUTS_PER_HEIGHT = 4  # at most so many seams in a component as wide as high
BENDING = 0.05  # cost of a step aside, in pixels of ink


@dataclass(frozen=True)
class Piece:
    """A component, or what lies between two seams of one.

    Attributes:
        ink: (h, w) uint8, 0 background, 255 ink, cropped.
        x, y: its upper left corner in the line's pixels.
        component: the number of the component that it comes from.
        crossing: stroke widths of ink that the seam at its right crosses; 0 where there is none.
    """

    ink: np.ndarray
    x: int
    y: int
    component: int
    crossing: float

    @property
    def right(self) -> int:
        return self.x + self.ink.shape[1]

    @property
    def bottom(self) -> int:
        return self.y + self.ink.shape[0]

    @property
    def center(self) -> float:
        profile = self.ink.sum(axis=0, dtype=np.int64)
        return self.x + float((profile * np.arange(len(profile))).sum() / profile.sum()) + 0.5


def cut_line(line: Line) -> list[Piece]:
    """Return the pieces of a line from left to right."""
    stroke = stroke_width(line)
    pieces = []
    for number, component in enumerate(line.components):
        pieces += cut_component(component, number, line.height, stroke)
    return sorted(pieces, key=lambda piece: piece.center)


def stroke_width(line: Line) -> float:
    """Return the width of a line's strokes in pixels: a strip's mean distance to its edge is w/4."""
    total = area = 0.0
    for component in line.components:
        mask = np.pad((component.ink >= 96).astype(np.uint8), 1)
        total += float(cv2.distanceTransform(mask, cv2.DIST_L2, 3).sum())
        area += float(mask.sum())
    return max(1.0, 4 * total / max(area, 1.0) - 1)


def cut_component(
    component: Component, number: int, height: float, stroke: float
) -> list[Piece]:
    """Cut one component at its seams.

    Args:
        number: the component's number, which the pieces keep.
        height: of a digit of the line, in pixels.
        stroke: the width of the line's strokes, in pixels.
    """
    seams = _seams(component.ink, height, stroke) if component.width > NARROW * height else []
    columns = np.arange(component.width)
    edges = [np.zeros(component.height), *(path for path, _ in seams)]
    edges.append(np.full(component.height, component.width))
    pieces = []
    for k, (left, right) in enumerate(zip(edges, edges[1:], strict=False)):
        inside = (columns >= left[:, None]) & (columns < right[:, None])
        ink = np.where(inside, component.ink, 0)
        rows, filled = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        if len(rows) == 0:
            continue
        crop = ink[rows[0] : rows[-1] + 1, filled[0] : filled[-1] + 1]
        x, y = component.x + int(filled[0]), component.y + int(rows[0])
        pieces.append(Piece(crop, x, y, number, seams[k][1] if k < len(seams) else 0.0))
    return pieces


def _seams(ink: np.ndarray, height: float, stroke: float) -> list[tuple[np.ndarray, float]]:
    """Return seams from left to right: their columns (h,), and the ink they cross."""
    rows, width = ink.shape
    starts = np.arange(0.1 * height, width - 0.1 * height, max(1.0, STEP * height))
    if len(starts) == 0:
        return []
    reach = max(1, round(REACH * height))
    columns = np.round(starts).astype(int)[:, None] + np.arange(-reach, reach + 1)
    outside = (columns < 0) | (columns >= width)
    level = ink.astype(np.float32) / 255
    cost = np.where(outside, np.float32(1e3), level[:, columns.clip(0, width - 1)])
    came = np.zeros(cost.shape, dtype=np.int8)
    total = cost[0]
    blocked = np.full((len(starts), 1), 1e6, dtype=np.float32)
    for row in range(1, rows):
        options = np.stack(
            [
                np.concatenate([blocked, total[:, :-1]], axis=1) + BENDING,
                total,
                np.concatenate([total[:, 1:], blocked], axis=1) + BENDING,
            ]
        )
        came[row] = options.argmin(axis=0) - 1
        total = options.min(axis=0) + cost[row]
    at = total.argmin(axis=1)
    index = np.arange(len(starts))
    paths = np.empty((len(starts), rows), dtype=int)
    crossing = np.zeros(len(starts))
    for row in range(rows - 1, -1, -1):
        paths[:, row] = columns[index, at]
        crossing += cost[row, index, at]
        at = at + came[row, index, at]
    before = np.concatenate([np.zeros((rows, 1)), level.cumsum(axis=1)], axis=1)
    mass = before[np.arange(rows), paths.clip(0, width)].sum(axis=1)
    least = MIN_MASS * 2.5 * height * stroke
    useful = (mass >= least) & (level.sum() - mass >= least)
    useful &= crossing <= MAX_CROSSING * stroke
    chosen: list[int] = []
    most = int(np.ceil(CUTS_PER_HEIGHT * width / height))
    for k in np.argsort(crossing, kind="stable"):
        if not useful[k] or len(chosen) >= most:
            continue
        if all(np.abs(paths[k] - paths[c]).mean() >= APART * height for c in chosen):
            chosen.append(int(k))
    chosen.sort(key=lambda k: paths[k].mean())
    seams: list[tuple[np.ndarray, float]] = []
    for k in chosen:
        path = np.maximum(paths[k], seams[-1][0]) if seams else paths[k]
        seams.append((path, float(crossing[k] / stroke)))
    return seams
