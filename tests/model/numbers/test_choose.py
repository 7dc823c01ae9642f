import itertools

import numpy as np
import pytest

from model.numbers.choose import (
    MAX_PIECES,
    Segment,
    Weights,
    best_path,
    segments_of,
)
from model.numbers.cut import Piece

NOTHING = np.zeros((1, 1), dtype=np.uint8)


def piece(x: int, width: int, *, component: int = 0, cost: float = 0.0) -> Piece:
    return Piece(np.full((60, width), 255, dtype=np.uint8), x, 2, component, cost)


def test_segments_are_all_short_runs_of_neighbouring_pieces():
    pieces = [piece(10 * k, 10, component=k) for k in range(8)]
    runs = {(s.first, s.stop) for s in segments_of(pieces, 64.0)}
    assert runs == {(i, j) for i in range(8) for j in range(i + 1, 9) if j - i <= MAX_PIECES}


def test_a_segment_is_the_ink_of_its_pieces_in_their_common_box():
    segments = segments_of([piece(0, 10), piece(14, 6)], 64.0)
    both = next(segment for segment in segments if segment.stop - segment.first == 2)
    assert both.box == (0, 2, 20, 60)
    assert (both.foreground.any(axis=0) == ([True] * 10 + [False] * 4 + [True] * 6)).all()
    assert both.image.shape == (28, 28) and both.image.max() == 255


def random_lattice(rng: np.random.Generator):
    """Segments of one to three of five pieces, with features and probabilities at random."""
    runs = [(i, j) for i in range(5) for j in range(i + 1, 6) if j - i <= 3]
    segments = [Segment(NOTHING, 0, 0, i, j, NOTHING) for i, j in runs]
    features = rng.normal(size=(len(runs), 3)), rng.normal(size=(len(runs), 2))
    probabilities = rng.dirichlet(np.full(10, 0.2), len(runs))
    weights = Weights(
        digit=rng.normal(size=3),
        outlier=rng.normal(size=3),
        label=rng.normal(size=(10, 2)),
        probability=0.8,
        calibration=(1.5, 0.2),
    )
    return segments, features, probabilities, weights


@pytest.mark.parametrize("seed", range(6))
def test_best_path_and_its_probabilities_are_those_of_trying_every_path(seed):
    segments, features, probabilities, weights = random_lattice(np.random.default_rng(seed))
    digit = (features[0] @ weights.digit)[:, None] + features[1] @ weights.label.T
    digit = digit + 0.8 * np.log(np.maximum(probabilities, 1e-8))
    scores = np.column_stack([digit, features[0] @ weights.outlier])
    starts = {s.first: [k for k, t in enumerate(segments) if t.first == s.first] for s in segments}

    def paths(at: int):
        if at == 5:
            yield []
        for k in starts.get(at, []):
            for rest in paths(segments[k].stop):
                yield [k, *rest]

    best, total, numbers, spelled = (-np.inf, None, None), 0.0, 0.0, {}
    for path in paths(0):
        for labels in itertools.product(range(11), repeat=len(path)) if len(path) < 4 else ():
            score = scores[path, labels].sum()
            best = max(best, (score, path, labels))
            spelled[labels] = spelled.get(labels, 0.0) + np.exp(score)
        total += np.exp(scores[path]).sum(axis=1).prod()
        numbers += np.exp(digit[path]).sum(axis=1).prod()
    found = best_path(segments, features, probabilities, weights)
    assert found.number == pytest.approx(numbers / total)
    if len(found.segments) < 4:
        labels = tuple(10 if label < 0 else label for label in found.labels)
        assert (found.segments, labels) == (best[1], best[2])
        expected = 0.0 if -1 in found.labels else spelled[labels] / total
        odds = expected / (1 - expected)
        calibrated = odds**1.5 * np.exp(0.2)
        assert found.confidence == pytest.approx(calibrated / (1 + calibrated), abs=1e-9)
    else:
        assert scores[found.segments].max(axis=1).sum() > best[0]
