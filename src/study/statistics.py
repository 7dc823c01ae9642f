"""How sure an accuracy, or a difference between two, is: over seeds and over writers."""

from typing import NamedTuple

import numpy as np
from scipy.stats import t
from statsmodels.stats.contingency_tables import mcnemar as mcnemar_test


class Interval(NamedTuple):
    """An estimate with its confidence interval, in percentage points."""

    points: float
    low: float
    high: float


def interval(
    correct: np.ndarray, other: np.ndarray | None, writers: np.ndarray, confidence: float
) -> Interval:
    """Return the accuracy of several networks, or by how much it is above that of others.

    Two variances add up: that of the mean over the seeds, of each set of networks, and that of the
    mean over writers, whose digits are alike (linearised, as for a ratio of sums). Where there is
    one writer alone, it is of the mean over the images, and says nothing of others. The t interval
    has the degrees of freedom of Welch (1947) and Satterthwaite (1946).

    Args:
        correct: bool (seeds, images): which network classified which image correctly.
        other: the same of what is compared with it on the same images, or None.
        writers: (images,) who wrote each image.
        confidence: such as 0.95.
    """
    sets = [correct] if other is None else [correct, other]
    seeds = [one.mean(axis=1) for one in sets]
    difference = correct.mean(axis=0) - (0 if other is None else other.mean(axis=0))
    names, writer = np.unique(writers, return_inverse=True)
    if len(names) == 1:
        writer = np.arange(len(writers))
    sums = np.bincount(writer, weights=difference - difference.mean())
    count = len(sums)
    variances = [float(one.var(ddof=1)) / len(one) for one in seeds]
    freedom = [len(one) - 1 for one in seeds]
    variances.append(count / (count - 1) * float(np.square(sums).sum()) / len(difference) ** 2)
    freedom.append(count - 1)
    total = sum(variances)
    mean = float(difference.mean())
    if total == 0:
        return Interval(100 * mean, 100 * mean, 100 * mean)
    welch = total**2 / sum(v**2 / f for v, f in zip(variances, freedom, strict=True))
    half = float(t.ppf((1 + confidence) / 2, welch)) * total**0.5
    return Interval(100 * mean, 100 * (mean - half), 100 * (mean + half))


def mcnemar(correct: np.ndarray, other: np.ndarray) -> float:
    """Return the exact two-sided p of McNemar's test for two networks, bool (images,) each."""
    table = [[np.sum((correct == a) & (other == b)) for b in (True, False)] for a in (True, False)]
    return float(mcnemar_test(table, exact=True).pvalue)
