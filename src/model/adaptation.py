"""Adapt a classifier to one person's hand: fit its output layer to a few labelled examples.

Only the weights of the output layer change. They become the maximum-a-posteriori estimate of a
softmax regression, with a Gaussian prior at the trained weights (C. Chelba and A. Acero,
"Adaptation of maximum entropy capitalizer: little data can help a lot", EMNLP 2004).

A label may be wrong: a tap on the wrong button. The less likely the network finds a label, the
more its own answer replaces the label (S. Reed et al., "Training deep neural networks on noisy
labels with bootstrapping", ICLR 2015). Ten printed digits, with the network's own answers, are
fitted too. They keep a few corrections from spoiling the other digits (A. Robins,
"Catastrophic forgetting, rehearsal and pseudorehearsal", 1995).
"""

import cv2
import numpy as np

from model.classifier import Classifier, softmax
from model.config import NUM_CLASSES
from model.preprocessing.normalize import center_by_mass

# Strength of the prior, in mean squared lengths of the examples' features. A stronger one learns
# less, a weaker one forgets other people's hands. It was chosen on pen strokes, by the accuracy on
# writers left out plus that on MNIST.
STRENGTH = 7e-4
# Probability that a label is one particular wrong digit. Networks mostly give wrong labels less
# than 1e-4, and right labels of misread digits more than 1e-2.
WRONG_LABEL = 3e-4
LABEL_SMOOTHING = 0.02  # as in training: without it, no logit would ever be large enough
TOLERANCE = 3e-4  # of the gradient's length; the probabilities are then right to three digits
MAX_ITERATIONS = 2000


def adapt(classifier: Classifier, images: np.ndarray, labels: np.ndarray) -> Classifier:
    """Return a new classifier that has learnt a person's examples, one or more.

    The images are (n, 28, 28) uint8 as ``preprocess`` leaves them, the labels (n,) int. Temperature
    and threshold stay, for the adapted logits keep their scale.
    """
    count = len(labels)
    weights, bias = classifier.trained_output_layer()
    _, features = classifier.forward(np.concatenate([images, printed_digits()]))
    logits = features @ weights.T + bias
    targets = softmax(logits.astype(np.float64))
    smoothed = np.eye(NUM_CLASSES)[labels] * (1 - LABEL_SMOOTHING) + LABEL_SMOOTHING / NUM_CLASSES
    shares = doubts(classifier.probabilities(logits[:count]), labels)[:, None]
    targets[:count] = (1 - shares) * smoothed + shares * targets[:count]
    penalty = STRENGTH * np.square(features[:count]).sum() / count
    adapted = fit_weights(weights, bias, features, targets, penalty).astype(np.float32)
    return Classifier(classifier.session, classifier.card, (adapted, bias), count)


def printed_digits() -> np.ndarray:
    """Return the digits 0 to 9 in a plain font, (10, 28, 28) uint8."""
    images = []
    for digit in range(NUM_CLASSES):
        canvas = np.zeros((120, 100), np.uint8)
        cv2.putText(canvas, str(digit), (15, 100), cv2.FONT_HERSHEY_SIMPLEX, 3.5, 255, thickness=8)
        images.append(center_by_mass(canvas))
    return np.stack(images)


def doubts(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the share (n,) of the network's own answer in each example's target, 0-1.

    It is the probability that the label is wrong, by Bayes' rule from the calibrated
    `probabilities` (n, 10). It is divided by the square of how many examples of the label are
    doubted: wrong taps are rarely alike, and a new form is believed from its second example on.
    """
    likely = probabilities[np.arange(len(labels)), labels]
    wrong = WRONG_LABEL / (WRONG_LABEL + likely)
    alike = np.bincount(labels, wrong, minlength=NUM_CLASSES)[labels]
    return wrong / np.maximum(alike, 1) ** 2


def fit_weights(
    weights: np.ndarray, bias: np.ndarray, features: np.ndarray, targets: np.ndarray, penalty: float
) -> np.ndarray:
    """Return the output layer's weights (10, d) float64, fitted to features (n, d).

    They minimise the cross-entropy with the targets (n, 10), summed over the examples, plus
    `penalty` times the squared distance from the trained `weights`. The method is Nesterov's
    accelerated gradient with restarts (B. O'Donoghue and E. Candes, 2015). Its steps are scaled by
    Boehning's bound of the curvature (1992).
    """
    features = features.astype(np.float64)
    trained = features @ weights.T + bias
    # The best change of the weights lies in the span of the features. In an orthonormal basis of
    # it, a class has as many unknowns as there are examples, not d.
    squares, vectors = np.linalg.eigh(features @ features.T)
    independent = squares > 1e-10 * squares[-1]
    lengths, vectors = np.sqrt(squares[independent]), vectors[:, independent]
    coordinates = vectors * lengths  # (n, r)
    basis = (vectors / lengths).T @ features  # (r, d); features = coordinates @ basis
    curvature = (lengths**2 / 2 + 2 * penalty)[:, None]  # at most; in this basis it is diagonal
    change = ahead = np.zeros((len(basis), NUM_CLASSES))
    momentum = 1.0
    for _ in range(MAX_ITERATIONS):
        errors = softmax(trained + coordinates @ ahead) - targets
        gradient = coordinates.T @ errors + 2 * penalty * ahead
        if np.linalg.norm(gradient) < TOLERANCE:
            break
        previous, change = change, ahead - gradient / curvature
        if np.vdot(gradient, change - previous) > 0:
            momentum = 1.0
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = change + (momentum - 1) / following * (change - previous)
        momentum = following
    return weights + ahead.T @ basis
