"""Is a difference between two sets of trained networks there, or chance?"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

RESAMPLES = 20_000


@dataclass(frozen=True)
class Difference:
    """How much more accurate the first set of networks is than the second.

    Attributes:
        points: difference of the mean accuracies in percentage points.
        low, high: its bootstrap interval.
        mcnemar: exact two-sided p of McNemar's test between the two networks of the first seed.
    """

    points: float
    low: float
    high: float
    mcnemar: float

    @property
    def shown(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


def compare(right_a: np.ndarray, right_b: np.ndarray, level: float) -> Difference:
    """Compare two sets of networks by what each read right of the same test pictures.

    The bootstrap (Efron, 1979) is paired and has two stages: networks are drawn anew within each
    set, which has the spread of the seeds, and pictures are drawn anew, the same for both sets.

    Args:
        right_a, right_b: bool (networks, pictures): which network read which picture right.
        level: of the interval, such as 0.95.
    """
    rng = np.random.default_rng(0)
    patterns, counts = np.unique(
        np.concatenate([right_a, right_b]).T, axis=0, return_counts=True
    )  # what happened to a picture, and to how many: a resample is a draw of these counts
    drawn = rng.multinomial(counts.sum(), counts / counts.sum(), size=RESAMPLES)
    weights = np.hstack([_seed_weights(rng, len(right_a)), -_seed_weights(rng, len(right_b))])
    per_network = drawn @ patterns.astype(float)  # right answers, (RESAMPLES, networks)
    differences = 100 * (per_network * weights).sum(axis=1) / counts.sum()
    low, high = np.quantile(differences, [(1 - level) / 2, (1 + level) / 2])
    points = 100 * (right_a.mean() - right_b.mean())
    return Difference(points, float(low), float(high), mcnemar(right_a[0], right_b[0]))


def _seed_weights(rng: np.random.Generator, networks: int) -> np.ndarray:
    """Return the share of each network in each resample (RESAMPLES, networks)."""
    return rng.multinomial(networks, np.full(networks, 1 / networks), size=RESAMPLES) / networks


def mcnemar(right_a: np.ndarray, right_b: np.ndarray) -> float:
    """Return the exact two-sided p of McNemar's test (1947) for bool (pictures,) each.

    Where only one of two networks is right, either is as likely under the null hypothesis.
    """
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    return binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
