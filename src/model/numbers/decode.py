"""Decode a line: find the likeliest strings of digits, and where each digit stands.

`probabilities` come from the network for lines, (columns, 12): blank, ten digits, other signs.
"""

from collections import defaultdict
from itertools import pairwise

import numpy as np

from model.config import NUM_CLASSES
from model.numbers.line import BLANK, FIRST_DIGIT, OTHER, TINY

BEAMS = 12  # strings that the search keeps
NEGLIGIBLE = 1e-4  # a class less likely than this is not tried

Digits = tuple[int, ...]


def only_digits(probabilities: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the probabilities without other signs, and the probability that there are none.

    The second is a product: the columns are independent of each other.
    """
    none = float((1 - probabilities[:, OTHER]).prod())
    masked = np.maximum(probabilities, TINY)  # the rest of a column may be 0
    masked[:, OTHER] = 0
    return masked / masked.sum(axis=1, keepdims=True), none


def likeliest_strings(probabilities: np.ndarray, count: int) -> list[tuple[Digits, float]]:
    """Return the likeliest strings of digits with their probabilities, best first.

    This is prefix search (A. Graves et al., 2006, section 3.2) within a beam.
    """
    beams: dict[Digits, list[float]] = {(): [1.0, 0.0]}  # ends in blank, ends in its digit
    for column in probabilities:
        blank, *digits = column[:OTHER].tolist()
        likely = [(digit, p) for digit, p in enumerate(digits) if p >= NEGLIGIBLE]
        grown: dict[Digits, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for string, (in_blank, in_digit) in beams.items():
            total = in_blank + in_digit
            grown[string][0] += total * blank
            for digit, p in likely:
                if string and string[-1] == digit:
                    grown[string][1] += in_digit * p
                    grown[*string, digit][1] += in_blank * p
                else:
                    grown[*string, digit][1] += total * p
        beams = dict(sorted(grown.items(), key=lambda entry: -sum(entry[1]))[:BEAMS])
    return [(string, sum(ends)) for string, ends in beams.items()][:count]


def align(probabilities: np.ndarray, string: Digits) -> np.ndarray:
    """Return the mean column of each digit, in the likeliest path for a string (Viterbi)."""
    states = np.full(2 * len(string) + 1, BLANK)
    states[1::2] = np.array(string) + FIRST_DIGIT
    logs = np.log(probabilities + TINY)[:, states]
    may_skip = np.zeros(len(states), bool)  # the blank between two different digits
    may_skip[2:] = states[2:] != states[:-2]
    score = np.full(len(states), -np.inf)
    score[:2] = logs[0, :2]
    came = np.zeros(logs.shape, int)
    for number, column in enumerate(logs[1:], start=1):
        step = np.concatenate(([-np.inf], score[:-1]))
        skip = np.where(may_skip, np.concatenate(([-np.inf] * 2, score[:-2])), -np.inf)
        options = np.stack((score, step, skip))
        came[number] = options.argmax(axis=0)
        score = options.max(axis=0) + column
    state = len(states) - (1 if score[-1] >= score[-2] else 2)
    weights = np.zeros((len(string), len(logs)))
    for number in range(len(logs) - 1, -1, -1):
        if state % 2:
            weights[state // 2, number] = probabilities[number, states[state]] + TINY
        state -= came[number, state]
    return weights @ np.arange(len(logs)) / weights.sum(axis=1)


def around(probabilities: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return (digits, 10): the highest probability of each digit near each place, normalised."""
    middles = np.round((places[:-1] + places[1:]) / 2).astype(int)
    edges = [0, *middles.tolist(), len(probabilities)]
    near = [
        probabilities[start : max(start + 1, stop), FIRST_DIGIT:OTHER].max(axis=0)
        for start, stop in pairwise(edges)
    ]
    shares = np.array(near) + NEGLIGIBLE
    return shares / shares.sum(axis=1, keepdims=True)


def single_digit(probabilities: np.ndarray) -> np.ndarray:
    """Return the probability (10,) that the line spells this one digit."""
    before, inside, after = 1.0, np.zeros(NUM_CLASSES), np.zeros(NUM_CLASSES)
    for column in probabilities.astype(np.float64):
        digit, blank = column[FIRST_DIGIT:OTHER], column[BLANK]
        after = (after + inside) * blank
        inside = (before + inside) * digit
        before *= blank
    return inside + after
