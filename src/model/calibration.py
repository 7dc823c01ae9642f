"""Fit the temperature and the rejection threshold, both on images that were not trained on.

One temperature divides the logits (Guo et al., ICML 2017). An image with a rejection score below
the threshold is rejected; training has seen outliers with a uniform target (Hendrycks et al.,
"Deep anomaly detection with outlier exposure", ICLR 2019).
"""

import math

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional as F

from model.classifier import rejection_score
from model.config import TARGET_FALSE_REJECTION_RATE

BINS = 15


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the temperature that minimises the log loss; logits (N, 10), labels (N,)."""

    def loss(log_temperature: float) -> float:
        return F.cross_entropy(logits.double() / math.exp(log_temperature), labels).item()

    return math.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x)


def fit_threshold(logits: Tensor, temperature: float) -> float:
    """Return the score below which `TARGET_FALSE_REJECTION_RATE` of these digits lie."""
    scores = rejection_score((logits / temperature).numpy())
    return float(np.quantile(scores.astype(np.float64), TARGET_FALSE_REJECTION_RATE))


def rejected_fraction(logits: Tensor, temperature: float, threshold: float) -> float:
    """Return the fraction (0-1) of logits (N, 10) that is rejected."""
    scores = rejection_score((logits / temperature).numpy())
    return float((scores < threshold).mean())


def measure_calibration(logits: Tensor, labels: Tensor, temperature: float) -> dict[str, float]:
    """Return the expected calibration error (0-1) and the log loss of softmax(logits / T)."""
    confidence, accuracy = reliability(logits, labels, temperature)
    loss = F.cross_entropy(logits.double() / temperature, labels)
    error = (confidence - accuracy).abs().mean()
    return {"error": error.item(), "log_loss": loss.item()}


def reliability(logits: Tensor, labels: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Return mean confidence and accuracy in `BINS` bins of equally many images, both (BINS,).

    Bins of equal width would hold nearly all images in the last one.
    """
    confidence, predicted = (logits.double() / temperature).softmax(dim=1).max(dim=1)
    correct = (predicted == labels).double()
    bins = confidence.argsort().tensor_split(BINS)
    means = [torch.stack([x[part].mean() for part in bins]) for x in (confidence, correct)]
    return means[0], means[1]
