"""Handwriting as geometry: templates of strokes and the smooth curves through their points."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

TEMPLATES_DIR = Path(__file__).parent


@dataclass(frozen=True)
class Template:
    """One way to write a character.

    `shapes` are one or more key shapes of the same strokes; a drawing takes a random mixture of
    them. A shape is text: strokes separated by "/", points "x,y" by blanks, "!" after a corner, on
    a grid about 60 wide and 100 high, y downwards. `weight` says how often the template is drawn
    compared with the others of its character.
    """

    character: str
    weight: float
    description: str
    variants: tuple[str, ...]


def read_templates(path: Path) -> list[Template]:
    """Read a file of templates: "character | weight | description", key shapes indented below."""
    templates: list[Template] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("    "):
            last = templates[-1]
            templates[-1] = replace(last, variants=(*last.variants, line.strip()))
        elif line and not line.startswith("#"):
            character, weight, description = (part.strip() for part in line.split(" | "))
            templates.append(Template(character, float(weight), description, ()))
    return templates


class Templates:
    """Templates as padded tensors, ready to be drawn in batches.

    `points` (T, V, S, P, 2): templates, key shapes, strokes, points; `corners` (T, S, P) is 1 at
    corners; `last` (T, S) is the index of a stroke's last point, 0 where there is no stroke.
    """

    def __init__(self, templates: Sequence[Template]) -> None:
        """Parse the templates; a ValueError names one whose key shapes do not fit together."""
        parsed = [[_parse(shape) for shape in template.variants] for template in templates]
        for template, variants in zip(templates, parsed, strict=True):
            lengths = [[len(stroke) for stroke in shape] for shape in variants]
            if any(length != lengths[0] for length in lengths) or min(lengths[0]) < 2:
                raise ValueError(
                    f"the key shapes of {template.character!r} ({template.description}) differ: "
                    f"their strokes have {lengths} points"
                )
        max_variants = max(len(variants) for variants in parsed)
        strokes = max(len(variants[0]) for variants in parsed)
        points = max(len(stroke) for variants in parsed for stroke in variants[0])
        self.characters = [template.character for template in templates]
        self.weights = torch.tensor([template.weight for template in templates])
        self.variants = torch.zeros(len(parsed), max_variants, dtype=torch.bool)
        self.points = torch.zeros(len(parsed), max_variants, strokes, points, 2)
        self.corners = torch.zeros(len(parsed), strokes, points)
        self.last = torch.zeros(len(parsed), strokes, dtype=torch.int64)
        for t, variants in enumerate(parsed):
            for v, shape in enumerate(variants):
                self.variants[t, v] = True
                for s, stroke in enumerate(shape):
                    xy = torch.tensor([point[:2] for point in stroke])
                    self.points[t, v, s, : len(stroke)] = xy
                    self.points[t, v, s, len(stroke) :] = xy[-1]
                    self.corners[t, s, : len(stroke)] = torch.tensor([p[2] for p in stroke])
                    self.last[t, s] = len(stroke) - 1

    def __len__(self) -> int:
        """Return the number of templates."""
        return len(self.weights)

    def frequency(self, character: str) -> Tensor:
        """Return how often (T,) each template is drawn for a character: 0 for those of others."""
        return self.weights * torch.tensor([c == character for c in self.characters])


def _parse(shape: str) -> list[list[tuple[float, float, float]]]:
    """Return the strokes of a key shape as lists of (x, y, 1 at a corner)."""
    strokes = []
    for stroke in shape.split("/"):
        points = []
        for word in stroke.split():
            x, y = word.rstrip("!").split(",")
            points.append((float(x), float(y), float(word.endswith("!"))))
        strokes.append(points)
    return strokes


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
