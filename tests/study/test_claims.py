import numpy as np
import pytest
import torch

from model.data.mnist import Digits
from study.claims import BETTER, NEEDED, TRAINED, judge, verdict
from study.permutations import UNPERMUTED
from study.pictures import MNIST, PREPROCESSED, RULE, TestSet
from study.runs import PARTS, RECIPE, make_run
from study.statistics import Interval, interval

LABELS = torch.arange(2000) % 10
CNN = [make_run("cnn", UNPERMUTED, RECIPE, 100, seed) for seed in range(5)]


@pytest.mark.parametrize(
    ("low", "high", "over", "expected"),
    [
        (1, 3, True, "confirmed"),
        (1, 3, False, "refuted"),
        (-3, 0, True, "refuted"),
        (-3, 0, False, "confirmed"),
        (0, 2, True, "open"),
    ],
)
def test_only_an_interval_all_on_one_side_of_the_bound_decides(low, high, over, expected):
    assert verdict(Interval((low + high) / 2, low, high), bound=0.5, over=over) == expected


def test_the_claims_are_judged_by_what_was_predicted():
    """Of MNIST the CNN in order misreads 1 %, all else 3 %; of the drawings all misread 20 %."""
    images = torch.zeros(2000, 28, 28, dtype=torch.uint8)
    sets = [
        TestSet(on, way, Digits(images + place, LABELS), np.arange(2000))
        for place, (on, way) in enumerate([(MNIST, ""), ("pen", PREPROCESSED), ("pen", RULE)])
    ]
    finished = {}
    for run in PARTS["factorial"].runs(100, range(5)):
        wrong = [20 if (run.network, run.pixels) == ("cnn", UNPERMUTED) else 60, 400, 0]
        predictions = {}
        for one, count in zip(sets, wrong, strict=True):
            digits = LABELS.clone()
            digits[run.seed : run.seed + count] = (digits[run.seed : run.seed + count] + 1) % 10
            predictions[one.key] = digits.byte()
        finished[run] = {"predictions": predictions}
    claims = judge(finished, sets)

    # MNIST's rule alone is asked by no claim
    assert set(claims["preprocessing"]) == {"", PREPROCESSED}
    found = claims.groupby(["claim", "on"])["verdict"].agg(list)
    assert found[BETTER, MNIST] == ["confirmed", "confirmed"]
    assert found[BETTER, "pen"] == ["refuted", "refuted"]
    assert found[NEEDED, "pen"] == ["confirmed", "refuted"]
    assert found[TRAINED, MNIST] == ["confirmed"]
    assert found[TRAINED, "pen"] == ["refuted"]
    better = claims[(claims["claim"] == BETTER) & (claims["on"] == MNIST)]
    assert better["points"].tolist() == [2, 2]
    # All intervals hold at once with 95 %: each is asked for 5 % divided by their number.
    predicted = [kept["predictions"][sets[0].key] for run, kept in finished.items() if run in CNN]
    correct = (torch.stack(predicted) == LABELS).numpy()
    single = interval(correct, None, sets[0].writers, 1 - 0.05 / len(claims))
    row = claims[(claims["claim"] == TRAINED) & (claims["on"] == MNIST)].iloc[0]
    assert (row["low"], row["high"]) == pytest.approx((single.low, single.high), abs=1e-3)
