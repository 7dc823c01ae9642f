"""Adapt a classifier to one person's hand: fit its output layer to a few labelled examples.

The features stay as they were trained. The weights of the output layer become the
maximum-a-posteriori estimate of a softmax regression on the examples, with a Gaussian prior at the
trained weights (C. Chelba and A. Acero, "Adaptation of maximum entropy capitalizer: little data can
help a lot", EMNLP 2004). The bias stays: fitting it, too, improved nothing.
"""

from collections.abc import Callable

import numpy as np

from model.classifier import Classifier
from model.config import NUM_CLASSES

# The prior's strength, relative to the mean squared length of the examples' features: one number
# serves networks with any number of features. Chosen on recorded strokes with writers left out, by
# the sum of a writer's accuracy and of that on MNIST's test set: a stronger prior learns less, a
# weaker one forgets other people's hands. From 10 examples of each digit on, more of them bring
# less than 0.1 points (`run.sh evaluate FILE --examples 10 15`).
STRENGTH = 7e-4
LABEL_SMOOTHING = 0.02  # as in training: without it, no logit would ever be large enough
TOLERANCE = 1e-3  # of the gradient's length; the probabilities are then right to three digits
MAX_ITERATIONS = 200
MEMORY = 10  # steps that L-BFGS remembers
SUFFICIENT_DECREASE = 1e-4  # Armijo's condition: part of the decrease that the slope promises

Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]


def adapt(classifier: Classifier, images: np.ndarray, labels: np.ndarray) -> Classifier:
    """Return a classifier that has learnt a person's examples; the given one does not change.

    Temperature and threshold stay: the adapted logits keep the scale of the trained ones.

    Args:
        images: (n, 28, 28) uint8 as ``preprocess`` leaves them, n at least 1.
        labels: (n,) int, 0-9.
    """
    _, features = classifier.forward(images)
    weights, bias = classifier.onnx.output_layer
    adapted = fit_weights(weights, bias, features, labels).astype(np.float32)
    return Classifier(classifier.card, classifier.onnx, adapted)


def fit_weights(
    weights: np.ndarray, bias: np.ndarray, features: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Return the weights (10, d) float64 of the output layer, fitted to examples.

    They minimise the cross-entropy with smoothed labels, summed over the examples, plus
    ``STRENGTH`` times the mean squared length of the features times the squared distance from the
    trained weights.

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

    def objective(change: np.ndarray) -> tuple[float, np.ndarray]:
        logits = trained + coordinates @ change
        logits -= logits.max(axis=1, keepdims=True)
        log_probabilities = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        loss = penalty * np.vdot(change, change) - np.vdot(targets, log_probabilities)
        errors = np.exp(log_probabilities) - targets
        return float(loss), coordinates.T @ errors + 2 * penalty * change

    change = minimize(objective, np.zeros((len(basis), NUM_CLASSES)))
    return weights + change.T @ basis


def minimize(objective: Objective, point: np.ndarray) -> np.ndarray:
    """Return where a strictly convex function is least, by L-BFGS with step halving.

    (J. Nocedal and S. J. Wright, "Numerical optimization", 2006, algorithms 7.4 and 7.5.)

    Args:
        objective: gives value and gradient, which has the shape of ``point``.
        point: where to start.
    """
    value, gradient = objective(point)
    memory: list[tuple[np.ndarray, np.ndarray]] = []
    for _ in range(MAX_ITERATIONS):
        length = float(np.linalg.norm(gradient))
        if length < TOLERANCE:
            break
        direction = -_inverse_hessian_times(gradient, memory) if memory else -gradient / length
        slope = np.vdot(gradient, direction)
        rate = 1.0
        while True:
            step = rate * direction
            new_value, new_gradient = objective(point + step)
            if not new_value > value + SUFFICIENT_DECREASE * rate * slope:
                break
            rate /= 2
        memory = [*memory, (step, new_gradient - gradient)][-MEMORY:]
        point, value, gradient = point + step, new_value, new_gradient
    return point


def _inverse_hessian_times(
    gradient: np.ndarray, memory: list[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Multiply by the inverse Hessian as steps and changes of the gradient tell it (7.4)."""
    product: np.ndarray = gradient
    factors = []
    for step, change in reversed(memory):
        factors.append(np.vdot(step, product) / np.vdot(step, change))
        product = product - factors[-1] * change
    step, change = memory[-1]
    product = product * np.vdot(step, change) / np.vdot(change, change)
    for (step, change), factor in zip(memory, reversed(factors), strict=True):
        product = product + (factor - np.vdot(change, product) / np.vdot(step, change)) * step
    return product
