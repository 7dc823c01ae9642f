"""The claims that the project set out with, as questions that an interval answers."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from study.permutations import PERMUTED, UNPERMUTED
from study.pictures import MNIST, RULE, VALIDATION, TestSet
from study.runs import AUGMENTATIONS, RECIPE, Run
from study.statistics import Interval, interval, mcnemar
from study.store import Finished

CONFIDENCE = 0.95  # that all intervals hold at once (Bonferroni)
MUCH = 0.5  # points that count as a difference
RIGHT = 95.0  # % of the drawings from which on they are read right
BETTER = "A CNN does much better than an MLP on structured pictures"
ORDER = "Under a random permutation CNNs lose their advantage, MLPs do not"
AUGMENTED = "Augmentation improves generalisation to digits drawn by hand"
NEEDED = "Predictions on drawn digits are right only if training had realistic augmentation"
TRAINED = "A well-trained CNN has over 98 % on MNIST and works on drawings"


class Question(NamedTuple):
    """A claim holds for a row where its points lie between `low` and `high`.

    The points are by how much `row` (network, pixels, augmentation) is more accurate than `other`,
    or its accuracy in % where there is no other. Asked on MNIST, or on all else, or on both.
    """

    claim: str
    row: tuple[str, str, str]
    other: tuple[str, str, str] | None = None
    low: float = -math.inf
    high: float = math.inf
    on_mnist: bool = False
    on_drawn: bool = True


QUESTIONS = [
    *(
        Question(BETTER, ("cnn", UNPERMUTED, a), ("mlp", UNPERMUTED, a), low=MUCH, on_mnist=True)
        for a in ("none", RECIPE)
    ),
    Question(ORDER, ("cnn", PERMUTED, "none"), ("mlp", PERMUTED, "none"), high=0.0, on_mnist=True),
    Question(
        ORDER, ("mlp", PERMUTED, "none"), ("mlp", UNPERMUTED, "none"), low=-MUCH, on_mnist=True
    ),
    *(
        Question(AUGMENTED, (network, UNPERMUTED, a), (network, UNPERMUTED, "none"), low=0.0)
        for network in ("mlp", "cnn")
        for a in AUGMENTATIONS[1:]
    ),
    Question(NEEDED, ("cnn", UNPERMUTED, "none"), high=RIGHT),
    Question(NEEDED, ("cnn", UNPERMUTED, "affine"), low=RIGHT),
    Question(TRAINED, ("cnn", UNPERMUTED, RECIPE), low=98.0, on_mnist=True, on_drawn=False),
    Question(TRAINED, ("cnn", UNPERMUTED, RECIPE), low=RIGHT),
]


def judge(finished: Mapping[Run, Finished], sets: Sequence[TestSet]) -> pd.DataFrame:
    """Ask every question on every test set that it is about.

    Returns:
        A row per question and test set: claim, row, against, on, road, claimed, points with their
        interval, McNemar's p for the networks of the first seed (None for a single row), verdict.
    """
    asked = [
        (question, one)
        for question in QUESTIONS
        for one in sets
        if one.on != VALIDATION and one.road != RULE  # MNIST's rule is a step of the ladder alone
        if (question.on_mnist if one.on == MNIST else question.on_drawn)
    ]
    confidence = 1 - (1 - CONFIDENCE) / len(asked)
    rows = []
    for question, one in asked:
        correct = _correct(finished, question.row, one)
        other = None if question.other is None else _correct(finished, question.other, one)
        found = interval(correct, other, one.writers, confidence)
        bound = question.high if math.isinf(question.low) else question.low
        rows.append(
            {
                "claim": question.claim,
                "row": ", ".join(question.row),
                "against": ", ".join(question.other or ()),
                "on": one.on,
                "road": one.road,
                "claimed": f"{'under' if math.isinf(question.low) else 'over'} {bound:g}",
                **{name: round(value, 3) for name, value in found._asdict().items()},
                "mcnemar": None if other is None else mcnemar(correct[0], other[0]),
                "verdict": verdict(found, question.low, question.high),
            }
        )
    return pd.DataFrame(rows)


def verdict(found: Interval, low: float, high: float) -> str:
    """Return "confirmed" if all of the interval is in [low, high], "refuted" if none, or "open"."""
    if low <= found.low and found.high <= high:
        return "confirmed"
    return "refuted" if found.high < low or found.low > high else "open"


def _correct(
    finished: Mapping[Run, Finished], row: tuple[str, str, str], one: TestSet
) -> np.ndarray:
    """Which network of a row classified which image correctly, bool (seeds, images)."""
    predictions = [
        kept["predictions"][one.key]
        for run, kept in finished.items()
        if (run.network, run.pixels, run.augmentation) == row
    ]
    return (torch.stack(predictions) == one.digits.labels).numpy()
