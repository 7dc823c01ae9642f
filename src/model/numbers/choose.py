"""Choose which pieces make a digit: a lattice of segments and the best path through it.

Each run of a few pieces is a segment, which the classifier reads. A path splits a line into
segments and names each a digit or an outlier; its probability is a semi-Markov conditional random
field's (S. Sarawagi and W. Cohen, NIPS 2004) over what the classifier says of each segment and
how the segment lies in its line. `model.numbers.fit` fits its weights.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from errors import BlankImageError
from model.config import IMAGE_SIZE, NUM_CLASSES
from model.numbers.cut import Piece
from model.numbers.find import Component
from model.preprocessing.normalize import center_by_mass

WEIGHTS_FILE = Path(__file__).with_name("weights.json")
MAX_PIECES = 5  # in one segment
MAX_WIDTH = 1.4  # heights of a segment of several pieces
MAX_HOLE = 0.5  # heights between neighbouring pieces of a segment
MIN_PROBABILITY = 1e-8  # probability that the classifier gives to any digit


@dataclass(frozen=True)
class Weights:
    """What the features of a segment count; see `features_of`.

    Attributes:
        digit: (F,) of the features, where the segment is a digit.
        outlier: (F,) of the features, where it is none.
        label: (10, L) of the features that count for each digit by itself.
        probability: of the logarithm of the classifier's probability.
        calibration: scale and offset of a path's log odds, from which its confidence follows
            (J. Platt, 1999).
    """

    digit: np.ndarray
    outlier: np.ndarray
    label: np.ndarray
    probability: float
    calibration: tuple[float, float]

    @classmethod
    def load(cls) -> "Weights":
        """Read the weights that belong to this package."""
        content = json.loads(WEIGHTS_FILE.read_text())
        arrays = {name: np.array(content[name]) for name in ("digit", "outlier", "label")}
        return cls(
            **arrays,
            probability=content["probability"],
            calibration=tuple(content["calibration"]),
        )


@dataclass(frozen=True)
class Segment(Component):
    """Pieces `first` up to before `stop` of a line, taken together.

    Attributes:
        image: (28, 28) uint8 by MNIST's rule, what the classifier reads.
    """

    first: int
    stop: int
    image: np.ndarray


@dataclass(frozen=True)
class LatticePath:
    """The best path of a lattice.

    Attributes:
        segments: indices of its segments, from left to right.
        labels: the digit of each, -1 for an outlier.
        confidence: the probability, 0-1, of the number that it spells, however it is cut.
        number: the probability, 0-1, that the line is a number at all.
    """

    segments: list[int]
    labels: list[int]
    confidence: float
    number: float


def segments_of(pieces: list[Piece], height: float) -> list[Segment]:
    """Return all runs of neighbouring pieces that could be one digit; `height` is a digit's."""
    segments = []
    for first, start in enumerate(pieces):
        left, top, right, bottom = start.x, start.y, start.right, start.bottom
        for stop, piece in enumerate(pieces[first : first + MAX_PIECES], start=first + 1):
            if piece.x - right > MAX_HOLE * height:
                break
            left, top = min(left, piece.x), min(top, piece.y)
            right, bottom = max(right, piece.right), max(bottom, piece.bottom)
            if stop > first + 1 and right - left > MAX_WIDTH * height:
                break
            foreground = np.zeros((bottom - top, right - left), dtype=np.uint8)
            for part in pieces[first:stop]:
                rows = slice(part.y - top, part.bottom - top)
                place = foreground[rows, part.x - left : part.right - left]
                np.maximum(place, part.foreground, out=place)
            segments.append(Segment(foreground, left, top, first, stop, _normalized(foreground)))
    return segments


def _normalized(foreground: np.ndarray) -> np.ndarray:
    try:
        return center_by_mass(foreground)
    except BlankImageError:  # a single pixel
        return np.zeros((IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)


def features_of(
    segments: list[Segment],
    pieces: list[Piece],
    height: float,
    stroke: float,
    scores: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Describe segments: how they lie in their line, and how sure the classifier is.

    Args:
        height: of a digit of the line, in pixels.
        stroke: the width of the line's strokes, in pixels.
        scores: (N,) the classifier's rejection scores, 0.1-1.

    Returns:
        The features (N, F) that count alike for all digits, and those (N, L) that do not.
    """
    boxes = np.array([segment.box for segment in segments], dtype=np.float64)
    _, y, width, extent = (boxes / height).T
    tall = [p.y + p.bottom for p in pieces if p.bottom - p.y >= 0.5 * height]
    offset = np.abs(y + extent / 2 - np.median(tall or [0]) / 2 / height)
    score = np.clip((scores - 0.1) / 0.9, 1e-4, 1 - 1e-4)
    masses = [segment.foreground.sum(dtype=np.int64) / 255 for segment in segments]
    length = np.array(masses) / (stroke * height)
    images = np.stack([segment.image for segment in segments]).astype(np.float32)
    energy = (images**2).sum(axis=(1, 2)) + 1
    mirrored = (images * images[:, :, ::-1]).sum(axis=(1, 2)) / energy
    turned = (images * images[:, ::-1]).sum(axis=(1, 2)) / energy
    inside = np.array([_joints(segment, pieces, height) for segment in segments]).T
    one = np.ones(len(segments))
    short = np.maximum(-np.log(extent), 0)
    symmetry = np.minimum(mirrored, turned)
    common = (
        one,
        np.log(score),
        np.log(score / (1 - score)) / 4,
        short,
        np.maximum(np.log(extent), 0),
        width,
        (width - 0.6) ** 2,
        offset,
        np.maximum(0.5 - np.maximum(extent, width), 0),
        length,
        np.maximum(length - 3, 0),
        *inside,
    )
    return np.stack(common, axis=1), np.stack((one, short, width, symmetry), axis=1)


def _joints(segment: Segment, pieces: list[Piece], height: float) -> tuple[float, ...]:
    """Describe what a segment joins and where it parts from the next one.

    Returns:
        The widest hole in it in heights, seams left uncut, components joined beyond the first,
        whether it ends at a seam, the seam's cost, and else the gap to the
        next piece and the overlap with it in heights.
    """
    members = pieces[segment.first : segment.stop]
    right, hole = members[0].right, 0.0
    for piece in members[1:]:
        hole = max(hole, (piece.x - right) / height)
        right = max(right, piece.right)
    joined = len({piece.component for piece in members}) - 1
    uncut = len(members) - 1 - joined
    if segment.stop == len(pieces):
        return hole, uncut, joined, 0, 0, 0, 0
    follower = pieces[segment.stop]
    if follower.component == members[-1].component:
        return hole, uncut, joined, 1, members[-1].cost, 0, 0
    gap = min(max((follower.x - right) / height, -0.5), 0.5)
    return hole, uncut, joined, 0, 0, max(gap, 0), max(-gap, 0)


def best_path(
    segments: list[Segment],
    features: tuple[np.ndarray, np.ndarray],
    probabilities: np.ndarray,
    weights: Weights,
) -> LatticePath:
    """Find the likeliest path from the first piece to the last, by dynamic programming.

    Args:
        features: of the segments, from `features_of`.
        probabilities: (N, 10) the classifier's.
    """
    common, by_label = features
    digit = (common @ weights.digit)[:, None] + by_label @ weights.label.T
    digit += weights.probability * np.log(np.maximum(probabilities, MIN_PROBABILITY))
    outlier = common @ weights.outlier
    first = np.array([segment.first for segment in segments])
    stop = np.array([segment.stop for segment in segments])
    ending = [np.flatnonzero(stop == node) for node in range(stop.max() + 1)]

    every = np.column_stack([digit, outlier])
    score = every.max(axis=1)
    best, came = np.zeros(len(ending)), np.zeros(len(ending), dtype=int)
    for node in range(1, len(ending)):
        total = best[first[ending[node]]] + score[ending[node]]
        came[node] = ending[node][total.argmax()]
        best[node] = total.max()
    chosen: list[int] = []
    node = len(ending) - 1
    while node > 0:
        chosen.insert(0, int(came[node]))
        node = first[chosen[0]]
    labels = every[chosen].argmax(axis=1)
    labels[labels == NUM_CLASSES] = -1

    def log_sum(scores: np.ndarray) -> float:
        """Sum over all paths, each segment with the score (N,) of its allowed labels."""
        sums = np.zeros(len(ending))
        for node in range(1, len(ending)):
            sums[node] = np.logaddexp.reduce(sums[first[ending[node]]] + scores[ending[node]])
        return float(sums[-1])

    total = log_sum(np.logaddexp.reduce(every, axis=1))
    number = np.exp(log_sum(np.logaddexp.reduce(digit, axis=1)) - total)
    # The same number may come of several cuts: position in the number is a second state.
    sums = np.full((len(ending), len(labels) + 1), -np.inf)
    sums[0, 0] = 0
    spelled = np.where(labels >= 0, digit[:, labels], -np.inf)
    for node in range(1, len(ending)):
        before = sums[first[ending[node]], :-1] + spelled[ending[node]]
        sums[node, 1:] = np.logaddexp.reduce(before, axis=0)
    share = float(np.clip(np.exp(sums[-1, -1] - total), 1e-12, 1 - 1e-12))
    scale, offset = weights.calibration
    confidence = 1 / (1 + math.exp(-scale * math.log(share / (1 - share)) - offset))
    return LatticePath(chosen, labels.tolist(), confidence, float(number))
