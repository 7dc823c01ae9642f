import json
from itertools import pairwise

import cv2
import numpy as np
import pytest

from evaluation import numbers
from evaluation.__main__ import main
from evaluation.numbers import (
    GAPS,
    HEIGHT,
    Number,
    measure,
    numbers_of_writers,
    synthetic_samples,
    write_number,
)
from model.data.strokes import StrokeSample

ONE = StrokeSample(label=1, writer="ada", strokes=[[(0, 0), (0, 100)]])
ZERO = StrokeSample(label=0, writer="bob", strokes=[[(0, 0), (60, 0), (60, 100), (0, 100), (0, 0)]])


def extents(image: np.ndarray) -> list[tuple[int, int]]:
    """First and last column of each run of ink."""
    edges = np.flatnonzero(np.diff(image.any(axis=0), prepend=False, append=False))
    return list(zip(edges[::2], edges[1::2], strict=True))


def test_digits_stand_from_left_to_right_with_the_gap_between_their_edges():
    for seed in range(10):
        number = write_number([ONE, ZERO, ONE], (0.3, 0.3), np.random.default_rng(seed))
        assert number.text == "101"
        runs = extents(number.image >= 128)
        height = np.ptp(np.flatnonzero(number.image.any(axis=1))) + 1
        gaps = [start - end for (_, end), (start, _) in pairwise(runs)]
        assert len(gaps) == 2
        assert gaps == pytest.approx([0.3 * height] * 2, abs=0.06 * height + 2)


def test_a_dot_is_painted_too():
    dotted = StrokeSample(label=1, writer="ada", strokes=[[(0, 0), (0, 100)], [(60, 50)]])
    number = write_number([dotted], (0.3, 0.3), np.random.default_rng(0))
    assert len(extents(number.image >= 128)) == 2


def test_touching_digits_are_mostly_one_component():
    written = [
        write_number([ZERO, ZERO], (-0.08, -0.06), np.random.default_rng(k)) for k in range(9)
    ]
    counts = [cv2.connectedComponents((n.image >= 128).astype(np.uint8))[0] - 1 for n in written]
    assert counts == [1] * 9


def test_a_number_has_one_writer_and_a_seed_always_gives_the_same():
    first, again = (numbers_of_writers([ONE, ZERO], 20, GAPS["apart"], seed=4) for _ in range(2))
    assert all(len(set(number.text)) == 1 and 2 <= len(number.text) <= 6 for number in first)
    assert {number.text[0] for number in first} == {"0", "1"}
    assert all((a.image == b.image).all() for a, b in zip(first, again, strict=True))
    heights = [n.image.any(axis=1).sum() for n in first]
    assert min(heights) > 0.7 * HEIGHT[0] and max(heights) < 1.5 * HEIGHT[1]


def test_synthetic_samples_cover_all_digits():
    samples = synthetic_samples(100, seed=1)
    assert {sample.label for sample in samples} == set(range(10))
    assert samples == synthetic_samples(100, seed=1)


def test_shares_are_of_what_was_read(monkeypatch):
    class Line:
        def __init__(self, number, confidence):
            self.number, self.confidence = number, confidence

    answers = iter([[Line("12", 0.9)], [Line("13", 0.5)], [Line(None, 0.2)], []])
    monkeypatch.setattr(numbers, "read_numbers", lambda *_: next(answers))
    image = np.zeros((40, 40), dtype=np.uint8)
    image[10:30, 10:20] = 255
    written = [Number("12", image), Number("12", image), Number(None, image), Number("7", image)]
    assert measure(None, written) == {
        "pictures": 4,
        "whole": 0.25,
        "called_a_number": 0.5,
        "confidence": pytest.approx(0.7),
        "right_of_called": 0.5,
    }


def test_the_command_measures_every_kind(tmp_path, capsys):
    path = tmp_path / "results.json"
    assert main(["numbers", "--count", "6", "--json", str(path)]) == 0
    results = json.loads(path.read_text())
    assert results["model"] == "cnn"
    others = {"single digits", "words", "expressions", "scribbles"}
    assert set(results["kinds"]) == {"apart", "touching"} | others
    assert results["kinds"]["apart"]["whole"] >= 0.5
    assert results["kinds"]["words"]["whole"] is None
    printed = capsys.readouterr().out
    assert all(kind in printed for kind in results["kinds"])
