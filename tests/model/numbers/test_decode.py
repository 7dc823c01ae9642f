from itertools import groupby, product

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from model.numbers.decode import align, likeliest_strings, only_digits, single_digit
from model.numbers.line import BLANK, CLASSES, FIRST_DIGIT, OTHER

FEW = [BLANK, FIRST_DIGIT + 3, FIRST_DIGIT + 7]  # classes whose paths can be enumerated


def random_probabilities(columns: int, classes: list[int], seed: int) -> np.ndarray:
    found = np.zeros((columns, CLASSES))
    found[:, classes] = np.random.default_rng(seed).dirichlet([0.4] * len(classes), size=columns)
    return found


def spell(path: tuple[int, ...]) -> tuple[int, ...]:
    """Merge equal neighbours, leave out blanks: CTC's rule."""
    return tuple(kind - FIRST_DIGIT for kind, _ in groupby(path) if kind != BLANK)


def by_ctc_loss(probabilities: np.ndarray, string: tuple[int, ...]) -> float:
    """The probability of a string as torch finds it."""
    logs = torch.from_numpy(probabilities).log().clamp_min(-700)[:, None]
    wanted = torch.tensor([[digit + FIRST_DIGIT for digit in string]])
    loss = F.ctc_loss(logs, wanted, (len(logs),), (len(string),), reduction="sum")
    return float(torch.exp(-loss))


@pytest.mark.parametrize("seed", range(8))
def test_the_likeliest_strings_are_those_that_all_paths_together_make_likeliest(seed):
    probabilities = random_probabilities(4, FEW, seed)
    wanted: dict[tuple[int, ...], float] = {}
    for path in product(FEW, repeat=4):
        p = float(probabilities[range(4), path].prod())
        wanted[spell(path)] = wanted.get(spell(path), 0.0) + p
    best = sorted(wanted.items(), key=lambda entry: -entry[1])[:4]
    found = likeliest_strings(probabilities, 4)
    assert [p for _, p in found] == pytest.approx([p for _, p in best], abs=1e-3)
    assert found[0][0] == best[0][0]


@pytest.mark.parametrize("seed", range(5))
def test_probabilities_of_strings_and_of_single_digits_are_what_ctc_loss_gives(seed):
    clear = np.random.default_rng(seed).choice([BLANK, BLANK, 3, 5, 8], size=20)
    probabilities = 0.95 * np.eye(CLASSES)[clear]
    probabilities += 0.05 * random_probabilities(20, list(range(OTHER)), seed)
    for string, p in likeliest_strings(probabilities, 2):
        wanted = by_ctc_loss(probabilities, string)
        assert 0.9 * wanted <= p <= 1.0001 * wanted  # the search leaves out unlikely paths
    probabilities = random_probabilities(9, list(range(CLASSES)), seed)
    wanted = [by_ctc_loss(probabilities, (digit,)) for digit in range(10)]
    assert single_digit(probabilities) == pytest.approx(wanted, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("string", [(3,), (3, 7), (3, 3), (7, 3, 7), (3, 3, 7)])
def test_digits_are_aligned_along_the_best_of_all_paths(string):
    for seed in range(5):
        probabilities = random_probabilities(7, FEW, seed)
        paths = [path for path in product(FEW, repeat=7) if spell(path) == string]
        scores = [np.log(probabilities[range(7), path] + 1e-9).sum() for path in paths]
        best = np.array(paths[int(np.argmax(scores))])
        runs = np.split(np.arange(7), np.flatnonzero(np.diff(best)) + 1)
        weights = probabilities[range(7), best] + 1e-9
        wanted = [np.average(run, weights=weights[run]) for run in runs if best[run[0]] != BLANK]
        assert align(probabilities, string) == pytest.approx(wanted)


def test_other_signs_are_left_out_and_the_probability_that_there_are_none_is_told():
    probabilities = np.zeros((3, CLASSES), np.float32)
    probabilities[:, FIRST_DIGIT], probabilities[:, OTHER] = (0.8, 0.5, 0.9), (0.2, 0.5, 0.1)
    digits, number = only_digits(probabilities)
    assert number == pytest.approx(0.8 * 0.5 * 0.9)
    assert digits[:, FIRST_DIGIT] == pytest.approx([1, 1, 1]) and not digits[:, OTHER].any()
    digits, number = only_digits(np.eye(CLASSES, dtype=np.float32)[[BLANK, OTHER]])
    assert number == 0 and np.isfinite(digits).all()
