"""Confusion matrix and recall, and the figures of a model card."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix
from torch import Tensor

from model.card import EpochRecord, ModelCard
from model.checkpoint import write_atomically
from model.config import NUM_CLASSES
from model.training.calibration import reliability

# Okabe and Ito's colours, told apart by colour-blind people
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
LEAST_IN_BIN = 5  # images; of fewer, accuracy says nothing
FIGURES = ("confusion-matrix", "learning-curves", "reliability")  # of a model card


def confusion(logits: Tensor, labels: Tensor) -> NDArray[np.int64]:
    """Return the confusion matrix (10, 10) of counts: row true digit, column prediction."""
    predicted = logits.argmax(dim=1)
    return confusion_matrix(labels.numpy(), predicted.numpy(), labels=range(NUM_CLASSES))


def recall(matrix: NDArray[np.int64]) -> list[float]:
    """Return the correct fraction (0-1) of each digit; nan for one that never came."""
    with np.errstate(invalid="ignore"):
        return (matrix.diagonal() / matrix.sum(axis=1)).tolist()


def draw_figures(card: ModelCard, logits: Tensor, labels: Tensor) -> dict[str, Figure]:
    """Return the card's figures by their names in it; logits and labels are of the test set."""
    name, reached = card["name"], card["results"]["test_accuracy"]
    title = f"{name}: {reached:.2%} of MNIST's test images"
    matrix = plot_confusion(confusion(logits, labels), title)
    curves = plot_learning_curves(card["training"]["history"], f"{name}: learning")
    title = f"{name}: reliability on the test set"
    diagram = plot_reliability(logits, labels, card["reader"]["temperature"], title)
    return dict(zip(FIGURES, (matrix, curves, diagram), strict=True))


def plot_confusion(matrix: NDArray[np.int64], title: str) -> Figure:
    """Draw the confusion matrix; colours show the mistakes, so the diagonal is left white."""
    figure = Figure(figsize=(6, 5.6), layout="constrained")
    axes = figure.subplots()
    mistakes = np.where(np.eye(len(matrix), dtype=bool), 0, matrix)
    ConfusionMatrixDisplay(mistakes).plot(
        ax=axes, cmap="Blues", colorbar=False, include_values=False
    )
    for row, column in np.ndindex(matrix.shape):
        count = int(matrix[row, column])
        dark = mistakes[row, column] > 0.6 * max(mistakes.max(), 1)
        colour = "white" if dark else "black" if count else "0.8"
        weight = "bold" if row == column else "normal"
        axes.text(column, row, str(count), ha="center", va="center", color=colour, weight=weight)
    axes.set(title=title, xlabel="predicted digit", ylabel="true digit")
    return figure


def plot_learning_curves(history: list[EpochRecord], title: str) -> Figure:
    """Draw losses and validation accuracy against epochs."""
    epochs = [epoch["number"] for epoch in history]
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(
        epochs, [e["training_loss"] for e in history], "o-", color=BLUE, label="training batches"
    )
    left.plot(
        epochs, [e["validation_loss"] for e in history], "s--", color=VERMILION, label="validation"
    )
    left.set(title="Loss", xlabel="epoch", ylabel="cross-entropy (nats)", yscale="log")
    left.legend()
    right.plot(epochs, [100 * e["validation_accuracy"] for e in history], "s--", color=VERMILION)
    right.set(title="Validation accuracy", xlabel="epoch", ylabel="accuracy (%)")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(title)
    return figure


def plot_reliability(logits: Tensor, labels: Tensor, temperature: float, title: str) -> Figure:
    """Draw accuracy against confidence before and after temperature scaling, and the counts."""
    figure = Figure(figsize=(5.2, 5.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 1], [0, 1], color="0.6", label="perfectly calibrated")
    styles = ((1.0, VERMILION, "s--", "before scaling"), (temperature, BLUE, "o-", "after scaling"))
    for divisor, colour, style, label in styles:
        confidence, accuracy, count = reliability(logits, labels, divisor)
        shown = count >= LEAST_IN_BIN
        upper.plot(confidence[shown], accuracy[shown], style, color=colour, label=label)
    edges = np.linspace(0, 1, len(count) + 1)
    lower.bar(edges[:-1], count, width=np.diff(edges), align="edge", color=BLUE, edgecolor="white")
    ylabel = f"accuracy (bins of {LEAST_IN_BIN} images or more)"
    upper.set(title=title, ylabel=ylabel, xlim=(0, 1), ylim=(0, 1.02))
    upper.legend(loc="lower right")
    lower.set(xlabel="confidence", ylabel="images", yscale="log")
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, atomically."""
    write_atomically(path, lambda file: figure.savefig(file, format="png", dpi=110))
