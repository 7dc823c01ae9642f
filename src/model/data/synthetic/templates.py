"""Handwriting as geometry: templates of strokes and the smooth curves through their points."""

import torch
from torch import Tensor


class Templates:
    """Ways to write characters, as padded tensors, ready to be drawn in batches.

    The text of templates has lines "character | weight | description", with one or more key shapes
    of the same strokes indented below; a drawing takes a random mixture of them. Strokes are
    separated by "/", points "x,y" by blanks; "!" follows a corner. The grid is about 60 wide and
    100 high, y downwards. The weight says how often a template is drawn compared with the others
    of its character.

    `points` (T, V, S, P, 2): templates, key shapes, strokes, points; `corners` (T, S, P) is 1 at
    corners; `last` (T, S) is the index of a stroke's last point, 0 if there is no stroke;
    `variants` (T, V) is true where there is a key shape.
    """

    def __init__(self, text: str) -> None:
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        heads = [line.split(" | ") for line in lines if not line.startswith("    ")]
        self.characters = [head[0] for head in heads]
        self.weights = torch.tensor([float(head[1]) for head in heads])
        self.descriptions = [head[2] for head in heads]
        shapes: list[list[list[Tensor]]] = []
        for line in lines:
            if line.startswith("    "):
                shapes[-1].append([parse_stroke(stroke) for stroke in line.split("/")])
            else:
                shapes.append([])
        variants = max(len(variants) for variants in shapes)
        strokes = max(len(variants[0]) for variants in shapes)
        points = max(len(stroke) for variants in shapes for stroke in variants[0])
        self.variants = torch.zeros(len(shapes), variants, dtype=torch.bool)
        self.points = torch.zeros(len(shapes), variants, strokes, points, 2)
        self.corners = torch.zeros(len(shapes), strokes, points)
        self.last = torch.zeros(len(shapes), strokes, dtype=torch.int64)
        for t, template in enumerate(shapes):
            for v, shape in enumerate(template):
                self.variants[t, v] = True
                for s, stroke in enumerate(shape):
                    padded = stroke[torch.arange(points).clamp_max(len(stroke) - 1)]
                    self.points[t, v, s] = padded[:, :2]
                    self.corners[t, s] = padded[:, 2]
                    self.last[t, s] = len(stroke) - 1

    def frequency(self, character: str) -> Tensor:
        """Return how often (T,) each template is drawn for a character: 0 for those of others."""
        return self.weights * torch.tensor([c == character for c in self.characters])


def parse_stroke(text: str) -> Tensor:
    """Return the points (P, 3) of a stroke: x, y, 1 at a corner."""
    points = []
    for point in text.split():
        x, y = point.rstrip("!").split(",")
        points.append([float(x), float(y), float(point.endswith("!"))])
    return torch.tensor(points)


def curve(points: Tensor, corners: Tensor, last: Tensor, at: Tensor) -> Tensor:
    """Return the points (n, S, K, 2) of smooth curves through control points (n, S, P, 2).

    `corners` (n, S, P) in [0, 1] says how sharp the turn at each point is, `last` (n, S) where each
    stroke ends, `at` (n, S, K) where to look, in units of control points; beyond its ends a curve
    goes on straight.
    """
    chord = points[..., 1:, :] - points[..., :-1, :]
    knot = chord.norm(dim=-1, keepdim=True).sqrt().clamp_min(1e-3)
    before, after = chord[..., :-1, :], chord[..., 1:, :]
    knot_before, knot_after = knot[..., :-1, :], knot[..., 1:, :]
    velocity = (
        before / knot_before + after / knot_after - (before + after) / (knot_before + knot_after)
    )
    sharp = corners[..., 1:-1, None]
    leave, arrive = chord.clone(), chord.clone()  # tangents at the start and end of each segment
    leave[..., 1:, :] = torch.lerp(velocity * knot_after, after, sharp)
    arrive[..., :-1, :] = torch.lerp(velocity * knot_before, before, sharp)
    segments = torch.arange(chord.shape[-2])
    is_last = (segments == (last - 1)[..., None])[..., None]
    # The ends continue the bend of their neighbours, as a parabola does.
    arrive = torch.where(is_last, chord, arrive)
    first = 2 * chord[..., :1, :] - arrive[..., :1, :]
    arrive = torch.where(is_last, 2 * chord - leave, arrive)
    leave = torch.cat([first, leave[..., 1:, :]], dim=-2)

    segment = at.floor().long().clamp_min(0).minimum((last - 1).clamp_min(0)[..., None])
    beyond = (at - segment)[..., None]
    f = beyond.clamp(0, 1)
    pick = segment[..., None].expand(*segment.shape, 2)
    start, step = points.gather(-2, pick), chord.gather(-2, pick)
    leaving, arriving = leave.gather(-2, pick), arrive.gather(-2, pick)
    place = (
        start
        + (f * f * (3 - 2 * f)) * step
        + (f * (1 - f) ** 2) * leaving
        - (f * f * (1 - f)) * arriving
    )
    return place + (beyond - f) * torch.where(beyond > 1, arriving, leaving)
