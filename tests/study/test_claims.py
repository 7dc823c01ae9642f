import numpy as np
import pytest
import torch

from model.data.mnist import Digits
from study.claims import BETTER, NEEDED, TRAINED, judge, verdict
from study.permutations import UNPERMUTED
from study.pictures import MNIST, PREPROCESSED, RULE, TestSet
from study.runs import factorial
from study.statistics import Interval

LABELS = torch.arange(2000) % 10


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(1, 3, "confirmed"), (-3, 0, "refuted"), (0, 2, "open"), (0.5, 3, "confirmed")],
)
def test_only_an_interval_all_inside_or_all_outside_of_what_is_claimed_decides(low, high, expected):
    assert verdict(Interval((low + high) / 2, low, high), 0.5, 5) == expected


def test_the_claims_are_judged_by_what_was_predicted():
    """Of MNIST the CNN in order misreads 1 %, all else 3 %; of the drawings all misread 20 %."""
    images = torch.zeros(2000, 28, 28, dtype=torch.uint8)
    sets = [
        TestSet(on, road, Digits(images + place, LABELS), np.arange(2000))
        for place, (on, road) in enumerate([(MNIST, ""), ("pen", PREPROCESSED), ("pen", RULE)])
    ]
    finished = {}
    for run in factorial(100, range(5)):
        wrong = [20 if (run.network, run.pixels) == ("cnn", UNPERMUTED) else 60, 400, 0]
        predictions = {}
        for one, count in zip(sets, wrong, strict=True):
            digits = LABELS.clone()
            digits[run.seed : run.seed + count] = (digits[run.seed : run.seed + count] + 1) % 10
            predictions[one.key] = digits.byte()
        finished[run] = {"predictions": predictions}
    claims = judge(finished, sets)

    assert set(claims["road"]) == {"", PREPROCESSED}  # MNIST's rule alone is asked by no claim
    found = claims.groupby(["claim", "on"])["verdict"].agg(list)
    assert found[BETTER, MNIST] == ["confirmed", "confirmed"]
    assert found[BETTER, "pen"] == ["refuted", "refuted"]
    assert found[NEEDED, "pen"] == ["confirmed", "refuted"]
    assert found[TRAINED, MNIST] == ["confirmed"]
    assert found[TRAINED, "pen"] == ["refuted"]
    better = claims[(claims["claim"] == BETTER) & (claims["on"] == MNIST)]
    assert better["points"].tolist() == [2, 2]
