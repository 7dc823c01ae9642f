"""Make confidence honest and choose what is rejected; both on images not trained on.

One temperature divides the logits (Guo et al., "On calibration of modern neural networks",
ICML 2017). What has a lower rejection score (`model.classifier.rejection_score`) than a threshold
is rejected; training has seen outliers with a uniform target (Hendrycks et al., "Deep anomaly
detection with outlier exposure", ICLR 2019).
"""

import math

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss
from torch import Tensor
from torch.nn import functional as F
from torchmetrics.functional.classification import multiclass_calibration_error

from model.card import CalibrationError
from model.classifier import rejection_score
from model.config import NUM_CLASSES, TARGET_FALSE_REJECTION_RATE

BINS = 15  # of equal width


def measure_calibration(logits: Tensor, labels: Tensor, temperature: float) -> CalibrationError:
    """Measure the calibration of softmax(logits / temperature); logits (N, 10), labels (N,).

    The expected calibration error is that of 15 bins of equal width.
    """
    probabilities = (logits.double() / temperature).softmax(dim=1)
    error = multiclass_calibration_error(probabilities, labels, NUM_CLASSES, n_bins=BINS, norm="l1")
    loss = log_loss(labels.numpy(), probabilities.numpy(), labels=list(range(NUM_CLASSES)))
    return {"error": error.item(), "log_loss": float(loss)}


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the temperature that minimises the log loss; logits (N, 10), labels (N,)."""

    def loss(log_temperature: float) -> float:
        return F.cross_entropy(logits.double() / math.exp(log_temperature), labels).item()

    return math.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x)


def fit_threshold(logits: Tensor, temperature: float) -> float:
    """Return the score below which ``TARGET_FALSE_REJECTION_RATE`` of these digits lie."""
    rejection_scores = rejection_score((logits / temperature).softmax(dim=1).numpy())
    return float(np.quantile(rejection_scores.astype(np.float64), TARGET_FALSE_REJECTION_RATE))


def reliability(
    logits: Tensor, labels: Tensor, temperature: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return per bin the mean confidence, the accuracy (nan where empty) and the count."""
    probabilities = (logits / temperature).softmax(dim=1)
    confidence, predicted = probabilities.max(dim=1)
    correct = (predicted == labels).double().numpy()
    bins = torch.clamp((confidence * BINS).long(), max=BINS - 1).numpy()
    count = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid="ignore"):
        mean_confidence = np.bincount(bins, confidence.double().numpy(), BINS) / count
        accuracy = np.bincount(bins, correct, BINS) / count
    return mean_confidence, accuracy, count
