"""The figures of a model card: confusion matrix, learning curves, reliability."""

import io

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from model.calibration import reliability
from model.config import NUM_CLASSES

# Okabe and Ito's colours, told apart by colour-blind people
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"


def confusion_matrix(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the counts (10, 10): row true digit, column prediction."""
    pairs = labels * NUM_CLASSES + logits.argmax(dim=1)
    return pairs.bincount(minlength=NUM_CLASSES**2).reshape(NUM_CLASSES, NUM_CLASSES)


def draw_figures(
    name: str, history: list[dict[str, float]], logits: Tensor, labels: Tensor, temperature: float
) -> dict[str, bytes]:
    """Return the PNG files of a model; logits (N, 10) and labels (N,) are of the test set."""
    figures = {
        "confusion-matrix": plot_confusion(confusion_matrix(logits, labels), name),
        "learning-curves": plot_learning_curves(history, name),
        "reliability": plot_reliability(logits, labels, temperature, name),
    }
    files = {title: io.BytesIO() for title in figures}
    for title, figure in figures.items():
        figure.savefig(files[title], format="png", dpi=110)
    return {title: file.getvalue() for title, file in files.items()}


def plot_confusion(matrix: Tensor, name: str) -> Figure:
    """Draw the confusion matrix; colours show the mistakes, so the diagonal is left white."""
    figure = Figure(figsize=(6, 5.6), layout="constrained")
    axes = figure.subplots()
    counts = matrix.numpy()
    mistakes = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    axes.imshow(mistakes, cmap="Blues")
    for (row, column), count in np.ndenumerate(counts):
        dark = mistakes[row, column] > 0.6 * mistakes.max()
        colour = "white" if dark else "black" if count else "0.8"
        weight = "bold" if row == column else "normal"
        axes.text(column, row, str(count), ha="center", va="center", color=colour, weight=weight)
    digits = range(len(counts))
    axes.set(
        title=f"{name}: mistakes on the test set", xlabel="predicted digit", ylabel="true digit"
    )
    axes.set(xticks=digits, yticks=digits)
    return figure


def plot_learning_curves(history: list[dict[str, float]], name: str) -> Figure:
    """Draw the training loss and the validation accuracy against epochs.

    Each has axes of its own. The training loss includes smoothed labels and outliers, so it cannot
    be compared with a validation loss.
    """
    epochs = [epoch["number"] for epoch in history]
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(epochs, [epoch["training_loss"] for epoch in history], "o-", color=BLUE)
    left.set(title="Loss of the training batches, outliers included", ylabel="cross-entropy (nats)")
    accuracy = [100 * epoch["validation_accuracy"] for epoch in history]
    right.plot(epochs, accuracy, "s--", color=VERMILION)
    right.set(title="Validation accuracy of the averaged weights", ylabel="accuracy (%)")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.set(xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(f"{name}: learning")
    return figure


def plot_reliability(logits: Tensor, labels: Tensor, temperature: float, name: str) -> Figure:
    """Draw the error rate against the expected one, before and after temperature scaling.

    Each point is a bin of equally many images. Both axes are logarithmic down to 0.1 %, below
    which they are linear and reach 0.
    """
    figure = Figure(figsize=(5.6, 5.4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 100], [0, 100], color="0.6", label="perfectly calibrated")
    styles = ((1.0, VERMILION, "s--", "before scaling"), (temperature, BLUE, "o-", "after scaling"))
    for divisor, colour, style, label in styles:
        confidence, accuracy = reliability(logits, labels, divisor)
        axes.plot(100 - 100 * confidence, 100 - 100 * accuracy, style, color=colour, label=label)
    axes.set_xscale("symlog", linthresh=0.1)
    axes.set_yscale("symlog", linthresh=0.1)
    axes.set(
        title=f"{name}: reliability on the test set",
        xlabel="100 % - confidence (%)",
        ylabel="errors (%)",
    )
    axes.legend(loc="upper left")
    return figure
