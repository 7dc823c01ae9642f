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


def compare(correct_a: np.ndarray, correct_b: np.ndarray, confidence: float) -> Difference:
    """Compare two sets of networks by what each predicted for the same test images.

    The bootstrap (Efron, 1979) is paired and has two stages: networks are drawn anew within each
    set, which has the spread of the seeds, and images are drawn anew, the same for both sets.

    Args:
        correct_a, correct_b: bool (networks, images): which network got which image right.
        confidence: of the interval, such as 0.95.
    """
    rng = np.random.default_rng(0)
    patterns, counts = np.unique(
        np.concatenate([correct_a, correct_b]).T, axis=0, return_counts=True
    )  # what happened to an image, and to how many: a resample is a draw of these counts
    drawn = rng.multinomial(counts.sum(), counts / counts.sum(), size=RESAMPLES)
    weights = np.hstack([_seed_weights(rng, len(correct_a)), -_seed_weights(rng, len(correct_b))])
    per_network = drawn @ patterns.astype(float)  # correct predictions, (RESAMPLES, networks)
    differences = 100 * (per_network * weights).sum(axis=1) / counts.sum()
    low, high = np.quantile(differences, [(1 - confidence) / 2, (1 + confidence) / 2])
    points = 100 * (correct_a.mean() - correct_b.mean())
    return Difference(points, float(low), float(high), mcnemar(correct_a[0], correct_b[0]))


def _seed_weights(rng: np.random.Generator, networks: int) -> np.ndarray:
    """Return the share of each network in each resample (RESAMPLES, networks)."""
    return rng.multinomial(networks, np.full(networks, 1 / networks), size=RESAMPLES) / networks


def mcnemar(correct_a: np.ndarray, correct_b: np.ndarray) -> float:
    """Return the exact two-sided p of McNemar's test (1947) for bool (images,) each.

    Where only one of two networks is correct, either is as likely under the null hypothesis.
    """
    only_a, only_b = int((correct_a & ~correct_b).sum()), int((correct_b & ~correct_a).sum())
    return binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
