"""The study's results for people: answers with intervals, a table, and figures."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from scipy.stats import t
from torch import Tensor

from model.card import write_atomically
from model.data.mnist import Digits, make_permutation
from study.pixel_order import IMAGES, compare, grow, lay_out
from study.plan import IN_ORDER, MNIST, PERMUTED, QUESTIONS, RESIZED, SERVED, Row

CONFIDENCE = 0.95  # that the intervals of all questions hold at once (Bonferroni)
ANSWERS = ["question", "A", "B", "A misread", "B misread", "A / B", "answer"]
NAMES = {"mlp": "MLP", "mlp, small": "small MLP", "cnn": "CNN"}
STAGES = (15, 100, 250, 450)  # pixels that have a place
LADDER = {  # the augmentation, and whether the test set was only resized: the step
    ("none", True): "plain resizing,\ntrained on\nplain MNIST",
    ("none", False): "+ preprocessing",
    ("slight", False): "+ augmentation",
    (SERVED, False): "+ synthetic\ndigits",
}
PAGE = """# MLP against CNN: all results

`bash run.sh compare` wrote this page, from {count} networks. All numbers are misread digits in %:
means over seeds, “±” their standard deviation.

## The questions

The answer is "yes" if A misreads less than B: the whole interval of A / B lies below 1. The
interval is Student's t over the seeds, for the logarithm of A / B. All intervals hold at once with
{confidence:.0%} (Bonferroni). They tell how much chance there is in training. They do not tell how
other digits are read.

{answers}

## All networks

{networks}
"""


def write_report(table: pd.DataFrame, training: Digits, folder: Path) -> None:
    """Write comparison.md, comparison.json and figures/ from the table of `read_results`.

    The first training images show how the order of permuted pixels is found.
    """
    images, permutation = training.images[:IMAGES].flatten(1), make_permutation(0)
    pixels, correlation, partial = compare(images[:, permutation])
    places, sequence = grow(correlation, partial)
    layout = lay_out(pixels, places)
    order = {"permutation": permutation.tolist(), "recovered": layout.tolist()}
    files = {name: text.encode() for name, text in texts(table, order).items()}
    pictures = stages(images[0], permutation, layout, pixels[sequence])
    figures = {"order": draw_order(table, pictures), "accuracy": draw_accuracy(table)}
    if set(table["test_set"]) != {MNIST}:
        figures["ladder"] = draw_ladder(table)
    for name, figure in figures.items():
        png = io.BytesIO()
        figure.savefig(png, dpi=110, bbox_inches="tight")
        files[f"figures/{name}.png"] = png.getvalue()
        plt.close(figure)
    (folder / "figures").mkdir(exist_ok=True)
    write_atomically({folder / name: content for name, content in files.items()})


def texts(table: pd.DataFrame, order: dict[str, list[int]]) -> dict[str, str]:
    """Return comparison.md, and comparison.json, which the page shows.

    `order` has a permutation of the pixels and the layout that was recovered from it.
    """
    answers = pd.DataFrame([answer(table, *question) for question in QUESTIONS], columns=ANSWERS)
    cells = table.groupby(["network", "pixels", "augmentation", "test_set"])["misread"]
    networks = cells.agg(spread).unstack(fill_value="-").reset_index()
    page = PAGE.format(
        count=(table["test_set"] == MNIST).sum(),
        confidence=CONFIDENCE,
        answers=answers.to_markdown(index=False),
        networks=networks.to_markdown(index=False, disable_numparse=True),
    )
    shown = table[~table["test_set"].str.endswith(RESIZED)].rename(columns={"test_set": "on"})
    shown = shown.assign(part="factorial", preprocessing="", accuracy=1 - shown["misread"] / 100)
    columns = ["part", "network", "pixels", "augmentation", "on", "preprocessing", "accuracy"]
    results = {"results": shown[columns].to_dict("records"), "order": order}
    return {"comparison.md": page, "comparison.json": json.dumps(results, indent=0)}


def answer(table: pd.DataFrame, question: str, *rows: Row) -> list[str]:
    """Return a line of the table of answers."""
    found = [table[table[[*Row._fields]].eq([*row]).all(axis=1)].set_index("seed") for row in rows]
    cells = [question, *(", ".join(row) for row in rows), *(spread(a["misread"]) for a in found)]
    if min(map(len, found)) < 2:
        return [*cells, "-", "not measured"]
    middle, low, high = ratio(*(networks["errors"] for networks in found))
    verdict = "yes" if high < 1 else "no, it misreads more" if low > 1 else "no clear difference"
    return [*cells, f"{middle:.2f} ({low:.2f} to {high:.2f})", verdict]


def ratio(first: pd.Series, second: pd.Series) -> tuple[float, float, float]:
    """Return the ratio of errors, given by seed, and its interval; no errors count as half."""
    logs = first.clip(lower=0.5).div(second.clip(lower=0.5)).dropna().apply(np.log)
    tail = (1 - CONFIDENCE) / len(QUESTIONS) / 2
    half = t.ppf(1 - tail, len(logs) - 1) * logs.sem()
    middle, low, high = np.exp(logs.mean() + np.array([0, -half, half]))
    return middle, low, high


def spread(percentages: pd.Series) -> str:
    """Return "mean ± standard deviation"; "-" for fewer than two seeds."""
    if len(percentages) < 2:
        return "-"
    return f"{percentages.mean():.2f} ± {percentages.std():.2f}"


def draw_accuracy(table: pd.DataFrame) -> Figure:
    """Draw what MLP and CNN misread in each test set, by augmentation."""
    resized = table["test_set"].str.endswith(RESIZED)
    rows = table[table["pixels"].isin((IN_ORDER, PERMUTED)) & ~resized]
    rows = rows.assign(line=rows["network"].map(NAMES) + ", pixels " + rows["pixels"])
    title = "What each network misreads, by the augmentation of its training images"
    look = {"col": "test_set", "col_wrap": 2, "sharey": False, "linestyle": "none", "height": 3.2}
    return draw_points(rows, title, "augmentation", "line", **look)


def draw_ladder(table: pd.DataFrame) -> Figure:
    """Draw what makes a digit reader work on your own digits."""
    rows = table[table[["network", "pixels"]].eq(["cnn", IN_ORDER]).all(axis=1)]
    rows = rows[rows["test_set"] != MNIST]
    keys = zip(rows["augmentation"], rows["test_set"].str.endswith(RESIZED), strict=True)
    drawings = rows["test_set"].str.removesuffix(RESIZED)
    rows = rows.assign(step=[LADDER.get(key, "") for key in keys], drawings=drawings)
    title = "What makes a CNN read your own digits: each step adds one thing"
    return draw_points(rows, title, "step", "drawings", order=LADDER.values(), height=4.5)


def draw_points(rows: pd.DataFrame, title: str, x: str, hue: str, **look: object) -> Figure:
    """Draw means of what is misread, and bars from the best to the worst seed."""
    style = {"errorbar": ("pi", 100), "palette": "colorblind", "dodge": 0.3, "aspect": 1.4}
    markers = ["o", "s", "^", "D", "v"][: rows[hue].nunique()]  # no line by colour alone
    look = {**style, "kind": "point", "markers": markers, **look}
    grid = sns.catplot(rows, x=x, y="misread", hue=hue, **look)
    grid.set(yscale="log").set_titles("{col_name}")
    grid.set_axis_labels(x, "misread digits (%), log scale")
    for axes in grid.axes.flat:
        axes.yaxis.set(major_locator=LogLocator(subs=(1, 2, 3, 5)), major_formatter="{x:g}")
        axes.minorticks_off()
        axes.grid(axis="y", alpha=0.3)
    sns.move_legend(grid, "upper center", bbox_to_anchor=(0.5, 0), ncols=3, title=None)
    grid.figure.suptitle(title, y=1.03)
    return grid.figure


def stages(
    image: Tensor, permutation: Tensor, layout: np.ndarray, sequence: np.ndarray
) -> dict[str, np.ndarray]:
    """Return an image (784,) in order, permuted, and laid out again in this sequence of pixels."""
    permuted = image[permutation].numpy()
    pictures = {"in order": image.numpy(), "permuted": permuted}
    for count in STAGES:
        is_laid = np.isin(layout, sequence[:count])
        pictures[f"{count} pixels\nlaid"] = np.where(is_laid, permuted[layout], np.nan)
    return {**pictures, "recovered,\nas found": permuted[layout]}


def draw_order(table: pd.DataFrame, pictures: dict[str, np.ndarray]) -> Figure:
    """Draw how the order of permuted pixels is found, and what it is worth on MNIST."""
    figure, parts = plt.subplot_mosaic(
        [[*pictures], ["bars"] * len(pictures)], figsize=(10, 5.2), height_ratios=(1, 2)
    )
    figure.suptitle("The order of permuted pixels can be found again, from images without labels")
    gray = plt.get_cmap("gray").with_extremes(bad="tab:blue")
    for title, picture in pictures.items():
        parts[title].imshow(picture.reshape(28, 28), cmap=gray, vmin=0, vmax=255)
        parts[title].set(xticks=[], yticks=[], title=title)
    rows = table[(table["test_set"] == MNIST) & (table["augmentation"] == "none")]
    rows = rows.assign(line=rows["network"].map(NAMES) + ", " + rows["pixels"])
    means = rows.groupby("line")["misread"].mean().sort_values()
    bars: dict[str, Any] = {"x": "misread", "y": "line", "order": means.index, "ax": parts["bars"]}
    sns.barplot(rows, color="skyblue", errorbar=None, **bars)
    sns.stripplot(rows, color="black", size=4, **bars)
    for place, mean in enumerate(means):
        parts["bars"].text(mean / 2, place, f"{mean:.2f} %", ha="center", va="center")
    label = "misread test digits of MNIST (%); bars are means, points are seeds; no augmentation"
    parts["bars"].set(xlabel=label, ylabel="")
    return figure
