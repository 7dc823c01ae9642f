"""Adapt a classifier to one person's hand: fit its output layer to a few labelled examples.

The features stay as they were trained. The weights of the output layer become the
maximum-a-posteriori estimate of a softmax regression on the examples, with a Gaussian prior at the
trained weights (C. Chelba and A. Acero, "Adaptation of maximum entropy capitalizer: little data can
help a lot", EMNLP 2004). The bias stays: fitting it, too, improved nothing.
"""

import numpy as np

from model.classifier import Classifier, softmax
from model.config import NUM_CLASSES

# The prior's strength, relative to the mean squared length of the examples' features: one number
# serves networks with any number of features. Chosen on recorded strokes with writers left out, by
# the sum of a writer's accuracy and of that on MNIST's test set: a stronger prior learns less, a
# weaker one forgets other people's hands. From 10 examples of each digit on, more of them bring
# less than 0.1 points (`run.sh evaluate FILE --examples 10 15`).
STRENGTH = 7e-4
LABEL_SMOOTHING = 0.02  # as in training: without it, no logit would ever be large enough
TOLERANCE = 3e-4  # of the gradient's length; the probabilities are then right to three digits
MAX_ITERATIONS = 2000


def adapt(classifier: Classifier, images: np.ndarray, labels: np.ndarray) -> Classifier:
    """Return a classifier that has learnt a person's examples; the given one does not change.

    Temperature and threshold stay: the adapted logits keep the scale of the trained ones.

    Args:
        images: (n, 28, 28) uint8 as ``preprocess`` leaves them, n at least 1.
        labels: (n,) int, 0-9.
    """
    _, features = classifier.forward(images)
    weights, bias = classifier.trained_output_layer()
    adapted = fit_weights(weights, bias, features, labels).astype(np.float32)
    return Classifier(classifier.session, classifier.card, (adapted, bias), len(labels))


def fit_weights(
    weights: np.ndarray, bias: np.ndarray, features: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Return the weights (10, d) float64 of the output layer, fitted to examples.

    They minimise the cross-entropy with smoothed labels, summed over the examples, plus
    ``STRENGTH`` times the mean squared length of the features times the squared distance from the
    trained weights. The method is Nesterov's accelerated gradient with restarts (B. O'Donoghue and
    E. Candes, 2015), its steps scaled by Boehning's bound of the curvature (1992).

    Args:
        weights: (10, d), the trained ones.
        bias: (10,), the trained one.
        features: (n, d), what the output layer sees of the examples.
        labels: (n,) int, 0-9.
    """
    features = features.astype(np.float64)
    trained = features @ weights.T + bias
    targets = np.full(trained.shape, LABEL_SMOOTHING / NUM_CLASSES)
    targets[np.arange(len(labels)), labels] += 1 - LABEL_SMOOTHING
    # The best change of the weights lies in the span of the features. With an orthonormal basis of
    # it, the fit has as many unknowns a class as there are examples, and no longer d.
    gram = features @ features.T
    squares, vectors = np.linalg.eigh(gram)
    independent = squares > 1e-10 * squares[-1]
    lengths, vectors = np.sqrt(squares[independent]), vectors[:, independent]
    coordinates = vectors * lengths  # (n, r)
    basis = (vectors / lengths).T @ features  # (r, d); features = coordinates @ basis
    penalty = STRENGTH * np.trace(gram) / len(labels)
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
