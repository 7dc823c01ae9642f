"""How much a few examples of a writer's digits help, and what they cost on others' images.

For each writer and each draw the output layer is fitted to examples drawn at random; the writer's
other samples are classified. The fits of the first draw also classify MNIST's test set and
out-of-distribution images.
"""

from typing import TypedDict

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from errors import StrokeFileError
from evaluation.out_of_distribution import ood_samples
from evaluation.results import markdown_table
from model.adaptation import fit_weights
from model.classifier import Classifier
from model.config import NUM_CLASSES
from model.data.mnist import Digits
from model.training.calibration import measure_calibration
from model.training.plots import BLUE

DRAWS = 5
OOD_KINDS = ("letters", "scribbles")
OOD_COUNT = 1_000  # images of each kind


class AdaptationResults(TypedDict):
    """What `examples_per_digit` do; fractions are from 0 to 1.

    `accuracy` has one entry per writer, the mean of the draws on that writer's other samples, of
    which `rejected` are taken for no digit. `mnist_accuracy` has one entry per writer, too.
    `ood_rejected` is the mean over writers.
    """

    examples_per_digit: int
    accuracy: list[float]
    rejected: float
    calibration_error: float
    mnist_accuracy: list[float]
    ood_rejected: dict[str, float]


def measure(
    classifier: Classifier,
    images: np.ndarray,
    labels: np.ndarray,
    chosen: list[np.ndarray],
    counts: list[int],
    mnist: Digits,
) -> list[AdaptationResults]:
    """Measure no examples and each of ``counts``.

    Args:
        classifier: whose output layer is fitted.
        images: (N, 28, 28) uint8 of the samples.
        labels: (N,) int, 0-9.
        chosen: the writers' samples, as `choose_writers` gives them.
        counts: of examples per digit.
        mnist: what every fit of the first draw classifies.
    """
    features = classifier.forward(images)[1]
    others = [ood_samples(kind, OOD_COUNT, seed=0) for kind in OOD_KINDS]
    other_features = [classifier.forward(images)[1] for images in others]
    mnist_features = classifier.forward(mnist.images.numpy())[1]
    weights, bias = classifier.output_layer

    def rejected(logits: np.ndarray) -> float:
        return 1 - float(classifier.is_digit(classifier.probabilities(logits)).mean())

    results = []
    for count in (0, *counts):
        accuracy = np.empty((len(chosen), DRAWS))
        mnist_accuracy, ood_rejected = [], []
        rest_logits, rest_labels = [], []
        for row, indices in enumerate(chosen):
            for draw in range(DRAWS):
                examples = draw_examples(labels[indices], count, [draw, row])
                rest = np.delete(indices, examples)
                examples = indices[examples]
                fitted = weights
                if count:
                    fitted = fit_weights(weights, bias, features[examples], labels[examples])
                logits = features[rest] @ fitted.T + bias
                accuracy[row, draw] = np.mean(logits.argmax(axis=1) == labels[rest])
                rest_logits.append(logits)
                rest_labels.append(labels[rest])
                if draw == 0:
                    digits = (mnist_features @ fitted.T + bias).argmax(axis=1)
                    mnist_accuracy.append(float(np.mean(digits == mnist.labels.numpy())))
                    ood_rejected.append([rejected(x @ fitted.T + bias) for x in other_features])
        logits, truth = np.concatenate(rest_logits), np.concatenate(rest_labels)
        calibration = measure_calibration(
            torch.from_numpy(logits), torch.from_numpy(truth), classifier.temperature
        )
        results.append(
            AdaptationResults(
                examples_per_digit=count,
                accuracy=accuracy.mean(axis=1).tolist(),
                rejected=rejected(logits),
                calibration_error=calibration["error"],
                mnist_accuracy=mnist_accuracy,
                ood_rejected=dict(zip(OOD_KINDS, np.mean(ood_rejected, axis=0), strict=True)),
            )
        )
    return results


def choose_writers(labels: np.ndarray, writers: np.ndarray, counts: list[int]) -> list[np.ndarray]:
    """Return the indices of each writer's samples who has more than ``counts`` of each digit.

    Raises:
        StrokeFileError: there is none.
    """
    chosen = [
        indices
        for writer in np.unique(writers)
        if np.bincount(labels[indices := np.flatnonzero(writers == writer)], minlength=10).min()
        > max(counts)
    ]
    if not chosen:
        raise StrokeFileError(
            f"No writer has {max(counts) + 1} samples of every digit or more: "
            "ask for fewer examples per digit, or record more."
        )
    return chosen


def draw_examples(labels: np.ndarray, count: int, seed: list[int]) -> np.ndarray:
    """Return the indices of ``count`` samples of each digit, drawn at random from labels (N,)."""
    rng = np.random.default_rng(seed)
    digits = [rng.permutation(np.flatnonzero(labels == digit)) for digit in range(NUM_CLASSES)]
    return np.concatenate([indices[:count] for indices in digits])


def report(results: list[AdaptationResults]) -> str:
    """Return the results as a Markdown table, one row per number of examples."""
    rows = [
        [
            str(row["examples_per_digit"] or "none"),
            f"{np.mean(row['accuracy']):.2%}",
            f"{min(row['accuracy']):.2%}",
            f"{row['rejected']:.2%}",
            f"{100 * row['calibration_error']:.2f}",
            f"{np.mean(row['mnist_accuracy']):.2%}",
            f"{min(row['mnist_accuracy']):.2%}",
            *(f"{row['ood_rejected'][kind]:.1%}" for kind in OOD_KINDS),
        ]
        for row in results
    ]
    header = [
        "examples per digit",
        f"mean of {len(results[0]['accuracy'])} writers",
        "worst writer",
        "rejected",
        "calibration error, points",
        "MNIST test set, mean",
        "worst",
        *(f"rejected: {kind}" for kind in OOD_KINDS),
    ]
    return markdown_table(header, rows)


def plot(results: list[AdaptationResults], title: str) -> Figure:
    """Draw accuracy against examples: a thin line for each writer, a thick one for their mean."""
    counts = [row["examples_per_digit"] for row in results]
    accuracy = 100 * np.array([row["accuracy"] for row in results])
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    axes.plot(counts, accuracy, color="0.7", linewidth=0.7)
    axes.plot(counts, accuracy.mean(axis=1), "o-", color=BLUE, linewidth=2.5)
    axes.set(xticks=counts, xlabel="examples of each digit", ylabel="accuracy, %", title=title)
    axes.grid(alpha=0.3)
    return figure
