"""The figures of a model card, as PNG: confusion matrix, learning curves, reliability."""

import io

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from model.calibration import reliability

# Okabe and Ito's colours, told apart by colour-blind people
BLUE, VERMILION = "#0072B2", "#D55E00"


def draw_figures(
    name: str,
    history: list[dict[str, float]],
    confusion: np.ndarray,
    test: tuple[Tensor, Tensor],
    temperature: float,
) -> dict[str, bytes]:
    """Return the PNG files of a model by their names in its card.

    `test` holds logits (N, 10) and labels (N,) of the test set; `confusion` (10, 10) are counts.
    """
    return {
        "confusion-matrix": plot_confusion(confusion, f"{name}: mistakes on the test set"),
        "learning-curves": plot_learning_curves(history, f"{name}: learning"),
        "reliability": plot_reliability(*test, temperature, f"{name}: reliability"),
    }


def plot_confusion(confusion: np.ndarray, title: str) -> bytes:
    """Draw the counts; colours show the mistakes, so the diagonal is left white."""
    figure = Figure(figsize=(6, 5.6), layout="constrained")
    mistakes = confusion * ~np.eye(len(confusion), dtype=bool)
    axes = figure.subplots()
    axes.imshow(mistakes, cmap="Blues")
    for (row, column), count in np.ndenumerate(confusion):
        colour = "white" if mistakes[row, column] > 0.6 * mistakes.max() else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=colour)
    digits = range(len(confusion))
    axes.set(
        title=title, xlabel="predicted digit", ylabel="true digit", xticks=digits, yticks=digits
    )
    return _png(figure)


def plot_learning_curves(history: list[dict[str, float]], title: str) -> bytes:
    """Draw the loss of whole batches, outliers included, and beside it validation accuracy."""
    numbers = [epoch["number"] for epoch in history]
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(numbers, [epoch["training_loss"] for epoch in history], "o-", color=BLUE)
    left.set(title="Loss of training batches", ylabel="cross-entropy (nats)", xlabel="epoch")
    right.plot(numbers, [100 * epoch["validation_accuracy"] for epoch in history], "o-", color=BLUE)
    right.set(title="Validation accuracy", ylabel="accuracy (%)", xlabel="epoch")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(title)
    return _png(figure)


def plot_reliability(logits: Tensor, labels: Tensor, temperature: float, title: str) -> bytes:
    """Draw the error rate against the expected one; a point for each bin of equally many images.

    Both axes are logarithmic, but linear below 0.1 %, so that they reach 0.
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
    axes.set(title=title, xlabel="100 % - confidence (%)", ylabel="errors (%)")
    axes.legend(loc="upper left")
    return _png(figure)


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return file.getvalue()
