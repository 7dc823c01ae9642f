"""The claims that the project set out with, as questions that an interval answers."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from study.permutations import PERMUTED, UNPERMUTED
from study.pictures import MNIST, RULE, TestSet
from study.runs import AUGMENTATIONS, RECIPE, Run
from study.statistics import Interval, interval, mcnemar
from study.store import Finished

CONFIDENCE = 0.95  # that all intervals hold at once (Bonferroni)
MUCH = 0.5  # points that count as a difference
WORKS = 95.0  # % of the drawings from which on they are read right
BETTER = "A CNN does much better than an MLP on structured pictures"
ORDER = "Under a random permutation CNNs lose their advantage, MLPs do not"
AUGMENTED = "Augmentation improves generalisation to digits drawn by hand"
NEEDED = "Predictions on drawn digits are right only if training had realistic augmentation"
DRAWN, BOTH = "drawn", "both"
TRAINED = "A well-trained CNN has over 98 % on MNIST and works on drawings"


Row = tuple[str, str, str]  # network, pixels, augmentation


class Question(NamedTuple):
    """A claim holds for `row` where its points lie over, or else under, the bound.

    The points are by how much it is more accurate than `other`, or its accuracy in % where there
    is no other. Asked on the drawn digits, on MNIST's too, or on MNIST's alone.
    """

    claim: str
    row: Row
    other: Row | None
    bound: float
    over: bool = True
    where: str = DRAWN


_CNN, _MLP = ("cnn", UNPERMUTED), ("mlp", UNPERMUTED)
_CNN_PERMUTED, _MLP_PERMUTED = ("cnn", PERMUTED, "none"), ("mlp", PERMUTED, "none")
QUESTIONS = [
    *(Question(BETTER, (*_CNN, a), (*_MLP, a), MUCH, where=BOTH) for a in ("none", RECIPE)),
    Question(ORDER, _CNN_PERMUTED, _MLP_PERMUTED, 0, over=False, where=BOTH),
    Question(ORDER, _MLP_PERMUTED, (*_MLP, "none"), -MUCH, where=BOTH),
    *(
        Question(AUGMENTED, (*network, a), (*network, "none"), 0)
        for network in (_MLP, _CNN)
        for a in AUGMENTATIONS[1:]
    ),
    Question(NEEDED, (*_CNN, "none"), None, WORKS, over=False),
    Question(NEEDED, (*_CNN, "affine"), None, WORKS),
    Question(TRAINED, (*_CNN, RECIPE), None, 98, where=MNIST),
    Question(TRAINED, (*_CNN, RECIPE), None, WORKS),
]


def judge(finished: Mapping[Run, Finished], sets: Sequence[TestSet]) -> pd.DataFrame:
    """Ask every question on every test set that it is about.

    Returns:
        A row per question and test set: claim, row, against, on, preprocessing, claimed, points
        with their interval, McNemar's p for the networks of the first seed (None for a single
        row), verdict.
    """
    asked = [
        (question, one)
        for question in QUESTIONS
        for one in sets
        if one.preprocessing != RULE  # a step of the ladder alone
        if question.where in (BOTH, MNIST if one.on == MNIST else DRAWN)
    ]
    confidence = 1 - (1 - CONFIDENCE) / len(asked)
    rows = []
    for question, one in asked:
        correct = _correct(finished, question.row, one)
        other = None if question.other is None else _correct(finished, question.other, one)
        found = interval(correct, other, one.writers, confidence)
        rows.append(
            {
                "claim": question.claim,
                "row": ", ".join(question.row),
                "against": ", ".join(question.other or ()),
                "on": one.on,
                "preprocessing": one.preprocessing,
                "claimed": f"{'over' if question.over else 'under'} {question.bound:g}",
                **{name: round(value, 3) for name, value in found._asdict().items()},
                "mcnemar": None if other is None else mcnemar(correct[0], other[0]),
                "verdict": verdict(found, question.bound, question.over),
            }
        )
    return pd.DataFrame(rows)


def verdict(found: Interval, bound: float, over: bool) -> str:
    """Return "confirmed" if all of the interval is where it should be, "refuted" if none is."""
    if found.low <= bound <= found.high:
        return "open"
    return "confirmed" if (found.low > bound) == over else "refuted"


def _correct(finished: Mapping[Run, Finished], row: Row, one: TestSet) -> np.ndarray:
    """Which network of a row classified which image correctly, bool (seeds, images)."""
    predictions = [
        kept["predictions"][one.key]
        for run, kept in finished.items()
        if (run.network, run.pixels, run.augmentation) == row
    ]
    return (torch.stack(predictions) == one.digits.labels).numpy()
