"""The figures of the study."""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from model.training.plots import BLUE, GREEN, ORANGE, VERMILION
from study.corruptions import UNITS
from study.ladder import steps
from study.permutations import UNPERMUTED
from study.pictures import PREPROCESSED
from study.results import Comparison
from study.runs import SMALL_MLP

COLOURS = {"mlp": VERMILION, "cnn": BLUE, SMALL_MLP: ORANGE}
# seaborn's bars reach from the lowest to the highest seed
LOOK: dict[str, Any] = {"errorbar": ("pi", 100), "hue": "network", "palette": COLOURS}


def draw_all(comparison: Comparison) -> Iterator[tuple[str, Figure]]:
    """Give name and figure of all that the comparison has results for."""
    factorial = comparison.part("factorial")
    for name, rows, plot in (
        ("accuracy", factorial[factorial["preprocessing"].isin(["", PREPROCESSED])], plot_accuracy),
        ("ladder", steps(comparison), plot_ladder),
        ("patches", comparison.part("orders"), plot_patches),
        ("training-size", comparison.part("sizes"), plot_sizes),
        ("robustness", comparison.part("corruptions"), plot_robustness),
    ):
        if len(rows):
            accuracy = 100 * rows["accuracy"]
            network = rows["network"].astype(str)  # seaborn draws a category without rows, too
            yield (
                name,
                plot(rows.assign(accuracy=accuracy, misclassified=100 - accuracy, network=network)),
            )


def plot_accuracy(rows: pd.DataFrame) -> Figure:
    """Draw what is misread, by augmentation and test set; dots are means over the seeds."""
    rows = rows.assign(row=rows["network"] + ", " + rows["pixels"].astype(str))
    order = sorted(rows["row"].unique())
    columns = {"x": "augmentation", "y": "misclassified", "col": "on", "hue": "row"}
    look: dict[str, Any] = {
        "palette": [COLOURS[row.rpartition(", ")[0]] for row in order],
        "markers": ["o" if row.endswith(UNPERMUTED) else "X" for row in order],
        "errorbar": LOOK["errorbar"],
        "linestyles": "none",
    }
    shape: dict[str, Any] = {"height": 3.6, "aspect": 1.3, "sharey": False}
    shape["col_wrap"] = min(2, rows["on"].nunique())
    grid = sns.catplot(rows, kind="point", dodge=0.5, hue_order=order, **columns, **look, **shape)
    grid.set(yscale="log").set_titles("{col_name}")
    grid.set_axis_labels("trained with", "misclassified (%, logarithmic)")
    for axes in grid.axes.flat:
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
    return grid.figure


def plot_ladder(rows: pd.DataFrame) -> Figure:
    """Draw what is misread after each step, for each kind of digits."""
    figure, axes = plt.subplots(figsize=(9, 5.5), layout="constrained")
    means = rows.pivot_table("misclassified", "step", "on", observed=True)
    looks = ((BLUE, "o", "center", 0), (VERMILION, "X", "right", -7), (GREEN, "s", "left", 7))
    for (on, column), (colour, marker, side, away) in zip(
        means.items(), cycle(looks), strict=False
    ):
        places = range(len(column))
        axes.plot(column, places, marker=marker, color=colour, label=str(on))
        for percent, place in zip(column, places, strict=True):
            offset: dict[str, Any] = {"xytext": (away, 6), "textcoords": "offset points"}
            axes.annotate(f"{percent:.2g}", (percent, place), **offset, color=colour, ha=side)
    axes.set_yticks(range(len(means)), [f"{'+ ' * (i > 0)}{s}" for i, s in enumerate(means.index)])
    axes.set_xscale("symlog", linthresh=0.1)
    axes.set(xlabel="misclassified (%, logarithmic)", xlim=(0, 100))
    axes.set_title("What makes a digit reader work on your own digit")
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def plot_patches(rows: pd.DataFrame) -> Figure:
    """Draw how accuracy depends on the scale at which the pixels are permuted."""
    figure, axes = plt.subplots(figsize=(9, 4.6), layout="constrained")
    sns.pointplot(rows, x="pixels", y="accuracy", capsize=0.1, **LOOK, ax=axes)
    axes.set(xlabel="pixels (“within 4”: permuted inside blocks of 4 x 4; “among 4”: blocks move)")
    axes.set(ylabel="accuracy on MNIST's test images (%)", title="How much order does a CNN need?")
    return figure


def plot_sizes(rows: pd.DataFrame) -> Figure:
    """Draw the error against the number of training images."""
    figure, axes = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    sns.lineplot(rows, x="images", y="misclassified", marker="o", err_style="bars", **LOOK, ax=axes)
    axes.set(xscale="log", yscale="log", xlabel="training images", yticks=[1, 2, 5, 10, 20])
    axes.set(ylabel="error on MNIST's test images (%)", title="What more data gives")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
    axes.grid(alpha=0.3, which="both")
    return figure


def plot_robustness(rows: pd.DataFrame) -> Figure:
    """Draw where each network breaks: accuracy against the severity of each corruption."""
    names = {name: f"{name} ({unit})" for name, unit in UNITS.items()}
    kinds = rows["augmentation"].astype(str)
    rows = rows.assign(corruption=rows["on"].map(names), augmentation=kinds)
    columns = {"x": "severity", "y": "accuracy", "col": "corruption", "style": "augmentation"}
    shape: dict[str, Any] = {"col_wrap": 2, "height": 3.5, "facet_kws": {"sharex": False}}
    grid = sns.relplot(rows, kind="line", markers=True, **columns, **LOOK, **shape)
    grid.set_ylabels("accuracy (%)").set_titles("{col_name}")
    return grid.figure
