"""Handwriting as geometry: templates of strokes and the smooth curves through their points."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

TEMPLATES_DIR = Path(__file__).parent


@dataclass(frozen=True)
class Template:
    """One way to write a character.

    `shapes` are one or more key shapes of the same strokes; a drawing takes a random mixture of
    them. A stroke has points (x, y, 1 at a corner) on a grid about 60 wide and 100 high, y
    downwards. `weight` says how often the template is drawn compared with the others of its
    character.
    """

    character: str
    weight: float
    description: str
    shapes: list[list[list[tuple[float, float, float]]]]


def read_templates(path: Path) -> list[Template]:
    """Read a file of templates: "character | weight | description", key shapes indented below.

    Strokes are separated by "/", points "x,y" by blanks; "!" follows a corner.
    """
    templates: list[Template] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("    "):
            templates[-1].shapes.append([parse_stroke(stroke) for stroke in line.split("/")])
        elif line and not line.startswith("#"):
            character, weight, description = (part.strip() for part in line.split(" | "))
            templates.append(Template(character, float(weight), description, []))
    return templates


def parse_stroke(text: str) -> list[tuple[float, float, float]]:
    """Return the points (x, y, 1 at a corner) of a stroke."""
    points = []
    for point in text.split():
        x, y = point.rstrip("!").split(",")
        points.append((float(x), float(y), float(point.endswith("!"))))
    return points


class Templates:
    """Templates as padded tensors, ready to be drawn in batches.

    `points` (T, V, S, P, 2): templates, key shapes, strokes, points; `corners` (T, S, P) is 1 at
    corners; `last` (T, S) is the index of a stroke's last point, 0 where there is no stroke.
    """

    def __init__(self, templates: Sequence[Template]) -> None:
        """Pad the templates; a ValueError names one whose key shapes do not fit together."""
        for template in templates:
            lengths = [[len(stroke) for stroke in shape] for shape in template.shapes]
            if any(length != lengths[0] for length in lengths) or min(lengths[0]) < 2:
                raise ValueError(
                    f"the key shapes of {template.character!r} ({template.description}) differ: "
                    f"their strokes have {lengths} points"
                )
        shapes = max(len(template.shapes) for template in templates)
        strokes = max(len(template.shapes[0]) for template in templates)
        points = max(len(stroke) for template in templates for stroke in template.shapes[0])
        self.characters = [template.character for template in templates]
        self.weights = torch.tensor([template.weight for template in templates])
        self.variants = torch.zeros(len(templates), shapes, dtype=torch.bool)
        self.points = torch.zeros(len(templates), shapes, strokes, points, 2)
        self.corners = torch.zeros(len(templates), strokes, points)
        self.last = torch.zeros(len(templates), strokes, dtype=torch.int64)
        for t, template in enumerate(templates):
            self.variants[t, : len(template.shapes)] = True
            for v, shape in enumerate(template.shapes):
                for s, stroke in enumerate(map(torch.tensor, shape)):
                    self.points[t, v, s, : len(stroke)] = stroke[:, :2]
                    self.points[t, v, s, len(stroke) :] = stroke[-1, :2]
                    self.corners[t, s, : len(stroke)] = stroke[:, 2]
                    self.last[t, s] = len(stroke) - 1

    def frequency(self, character: str) -> Tensor:
        """Return how often (T,) each template is drawn for a character: 0 for those of others."""
        return self.weights * torch.tensor([c == character for c in self.characters])


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
