"""The figures of the study."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from torch import Tensor, nn

from model.config import IMAGE_SIZE, NUM_CLASSES
from model.data.mnist import Digits
from model.training.plots import BLUE, ORANGE, VERMILION
from study.corruptions import UNITS
from study.permutations import (
    BLOCKS,
    PERMUTED,
    UNPERMUTED,
    inter_block,
    intra_block,
    permute,
    pixel_permutation,
)
from study.results import Comparison
from study.runs import AUGMENTATIONS, DEFAULT_NETWORKS, SIZES, SWEEP_AUGMENTATION, SYNTHETIC, Run
from study.store import Store

COLOURS = {"mlp": VERMILION, "cnn": BLUE, "deep": "#CC79A7", "mlp, small": ORANGE}
METRICS = {
    "test_accuracy": "MNIST test images",
    "synthetic_accuracy": "synthetic digits",
    "recordings_accuracy": "recorded pen strokes",
}
PIXELS = (UNPERMUTED, PERMUTED)
MOST_MISCLASSIFIED = 30  # digits in each half of that figure
# seaborn's error bars reach from the lowest to the highest seed
RANGE: dict[str, Any] = {"errorbar": ("pi", 100)}
BY_NETWORK: dict[str, Any] = {"hue": "network", "palette": COLOURS}


def draw_all(
    comparison: Comparison, test: Digits, store: Store | None
) -> Iterator[tuple[str, Figure]]:
    """Give name and figure of all that the comparison has results for."""
    yield "accuracy", plot_accuracy(comparison)
    yield "learning-curves", plot_learning_curves(comparison)
    yield "permuted-digits", plot_permuted_digits(test)
    if _has_all(comparison, DEFAULT_NETWORKS, "none"):
        yield "confusion-matrices", plot_confusions(comparison, test.labels)
    if _has_all(comparison, ("cnn",), SYNTHETIC):
        yield "misread-digits", plot_misclassified(comparison, test)
    networks = load_for_filters(comparison, store) if store is not None else []
    if len(networks) == len(RUNS_WITH_FILTERS):
        yield "filters", plot_filters(networks)
    if len(comparison.select(pixels=intra_block(BLOCKS[0]))):
        yield "patches", plot_patches(comparison, test.images[0])
    if comparison.frame["pictures"].any():
        yield "training-size", plot_sizes(comparison)
    if comparison.frame["robustness"].notna().any():
        yield "robustness", plot_robustness(comparison)


def _has_all(comparison: Comparison, networks: tuple[str, ...], augmentation: str) -> bool:
    """Whether there are results of these networks both unpermuted and permuted."""
    return all(
        len(comparison.select(network=network, pixels=pixels, augmentation=augmentation))
        for network in networks
        for pixels in PIXELS
    )


def show(axes: Axes, image: np.ndarray | Tensor, limit: float | None = None) -> None:
    """Draw a small image without ticks; values from -limit to limit if that is given."""
    axes.imshow(np.asarray(image), cmap="gray", vmin=limit and -limit, vmax=limit)
    axes.set(xticks=[], yticks=[])


def plot_accuracy(comparison: Comparison) -> Figure:
    """Draw the accuracies: dots are means over seeds, bars reach from the lowest to the highest."""
    rows = comparison.select(pixels=PIXELS).rename(columns=METRICS)
    metrics = [metric for metric in METRICS.values() if rows[metric].notna().any()]
    points = rows.melt(["network", "pixels", "augmentation"], metrics, "metric", "accuracy (%)")
    points["accuracy (%)"] *= 100
    points["series"] = points["network"] + ", " + points["pixels"]
    series = sorted(points["series"].unique())
    look: dict[str, Any] = {
        "palette": [COLOURS[name.rpartition(", ")[0]] for name in series],
        "markers": ["o" if name.endswith(UNPERMUTED) else "X" for name in series],
    }
    columns = {"x": "augmentation", "y": "accuracy (%)", "col": "metric", "hue": "series"}
    order: dict[str, Any] = {"order": AUGMENTATIONS, "hue_order": series, "sharey": False}
    grid = sns.catplot(
        points, **columns, **order, **look, **RANGE, kind="point", linestyles="none", dodge=0.5
    )
    return grid.figure


def plot_learning_curves(comparison: Comparison) -> Figure:
    """Draw the error on the validation part against epochs."""
    rows = comparison.select(pixels=PIXELS, network=DEFAULT_NETWORKS)
    curves = rows.assign(
        epoch=rows["history"].map(lambda history: range(1, len(history) + 1)),
        error=rows["history"].map(lambda history: [100 * (1 - epoch[2]) for epoch in history]),
    ).explode(["epoch", "error"])
    curves[["epoch", "error"]] = curves[["epoch", "error"]].astype(float)
    columns = {"x": "epoch", "y": "error", "col": "augmentation", "style": "pixels"}
    lines: dict[str, Any] = {"kind": "line", "units": "seed", "estimator": None, "height": 4}
    grid = sns.relplot(curves, **columns, **BY_NETWORK, **lines, col_order=AUGMENTATIONS)
    grid.set(yscale="log").set_ylabels("validation error (%, logarithmic); one line per seed")
    return grid.figure


def plot_permuted_digits(digits: Digits) -> Figure:
    """Draw one image of each digit, as it is and with its pixels permuted."""
    figure, axes = plt.subplots(2, NUM_CLASSES, figsize=(10, 2.7), layout="constrained")
    for digit in range(NUM_CLASSES):
        image = digits.images[digits.labels == digit][0]
        for row, pixels in zip(axes, PIXELS, strict=True):
            show(row[digit], permute(image, pixels))
    axes[0, 0].set_ylabel("unpermuted")
    axes[1, 0].set_ylabel("permuted")
    figure.suptitle("The same ten digits, their pixels unpermuted and permuted")
    return figure


RUNS_WITH_FILTERS = [("cnn", pixels) for pixels in PIXELS] + [("mlp", pixels) for pixels in PIXELS]


def load_for_filters(comparison: Comparison, store: Store) -> list[nn.Module]:
    """Return the networks that `plot_filters` shows; fewer where runs are not finished."""
    rows = comparison.select(augmentation="none", seed=0)
    runs = [
        Run(**cell)
        for network, pixels in RUNS_WITH_FILTERS
        for cell in rows.loc[(rows["network"] == network) & (rows["pixels"] == pixels), "cell"]
    ]
    return [store.network(run) for run in runs if store.load(run)]


def plot_filters(networks: list[nn.Module]) -> Figure:
    """Draw what the first layers look for.

    Args:
        networks: CNN and CNN permuted, MLP and MLP permuted, as RUNS_WITH_FILTERS says.
    """
    first = [next(network.parameters()).detach() for network in networks]
    figure = plt.figure(figsize=(11, 7.2), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=(1, 1.05), squeeze=False).flat
    for part, weights, pixels in zip(upper.subfigures(1, 2), first[:2], PIXELS, strict=True):
        _tiles(part, weights[:32, 0], 4, f"CNN, first convolution, pixels {pixels}")
    # of the MLP the twelve hidden units with the largest weights
    unpermuted, permuted = (w[w.norm(dim=1).argsort(descending=True)[:12]] for w in first[2:])
    order = pixel_permutation(PERMUTED)
    assert order is not None
    restored = permuted[:, order.argsort()]
    titles = ("unpermuted", "permuted", "permuted, put back in order")
    rows = (unpermuted, permuted, restored)
    for part, title, weights in zip(lower.subfigures(1, 3), titles, rows, strict=True):
        tiles = weights.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
        _tiles(part, tiles, 3, f"MLP, first layer, pixels {title}")
    figure.suptitle("What the first layer looks for: white excites, black inhibits")
    return figure


def _tiles(figure: SubFigure, weights: Tensor, rows: int, title: str) -> None:
    figure.suptitle(title, fontsize="medium")
    grid = figure.subplots(rows, len(weights) // rows)
    for axes, tile in zip(grid.flat, weights.numpy(), strict=True):
        show(axes, tile, limit=np.abs(tile).max())


def plot_confusions(comparison: Comparison, labels: Tensor) -> Figure:
    """Draw which digit was taken for which, means over seeds, without augmentation."""
    figure, grid = plt.subplots(2, 2, figsize=(9, 9), layout="constrained")
    for row, network in zip(grid, DEFAULT_NETWORKS, strict=True):
        for axes, pixels in zip(row, PIXELS, strict=True):
            found = comparison.select(network=network, pixels=pixels, augmentation="none")
            counts = np.zeros((NUM_CLASSES, NUM_CLASSES))
            for index, predicted in np.concatenate([*found["misread"]]).astype(int):
                counts[labels[index], predicted] += 1 / len(found)
            shown = np.where(counts >= 0.5, counts.round().astype(int).astype(str), "")
            sns.heatmap(counts, annot=shown, fmt="", cmap="Blues", cbar=False, ax=axes)
            axes.set(xlabel="predicted digit", ylabel="true digit")
            axes.set_title(f"{network}, pixels {pixels}: {counts.sum():.0f} misclassified")
    figure.suptitle("Mistakes on MNIST's test images, without augmentation (mean over seeds)")
    return figure


def plot_misclassified(comparison: Comparison, test: Digits) -> Figure:
    """Draw digits that every CNN misclassifies, and those that only permuted CNNs misclassify."""
    unpermuted, permuted = (
        comparison.select(network="cnn", pixels=pixels, augmentation=SYNTHETIC) for pixels in PIXELS
    )
    correct, correct_permuted = comparison.correct(unpermuted), comparison.correct(permuted)
    halves = {
        "misclassified by every CNN with unpermuted pixels": (unpermuted, ~correct.any(axis=0)),
        "misclassified by every CNN with permuted pixels, by none with unpermuted ones": (
            permuted,
            correct.all(axis=0) & ~correct_permuted.any(axis=0),
        ),
    }
    figure = plt.figure(figsize=(10, 7.6), layout="constrained")
    parts = figure.subfigures(2, 1, squeeze=False).flat
    for part, (title, (rows, chosen)) in zip(parts, halves.items(), strict=True):
        predicted = dict(rows["misread"].iloc[0])
        indices = np.flatnonzero(chosen)
        more = f" (the first {MOST_MISCLASSIFIED})" if len(indices) > MOST_MISCLASSIFIED else ""
        part.suptitle(f"{len(indices)} {title}{more}", fontsize="medium")
        tiles = np.ravel(part.subplots(3, MOST_MISCLASSIFIED // 3))
        for axes in tiles:
            axes.axis("off")
        for axes, index in zip(tiles, indices, strict=False):
            show(axes, test.images[index])
            axes.set_title(f"{test.labels[index]} as {predicted[int(index)]}", fontsize="small")
    figure.suptitle(f"Misclassified digits (“true as predicted”), augmentation: {SYNTHETIC}")
    return figure


def plot_patches(comparison: Comparison, image: Tensor) -> Figure:
    """Draw how accuracy depends on the scale at which the pixels are permuted.

    Args:
        comparison: with the runs of the patch-wise permutations.
        image: uint8 (28, 28), shown permuted under each point.
    """
    sides = (1, *BLOCKS, IMAGE_SIZE)
    orders = {
        "intra-block: pixels permuted inside blocks": intra_block,
        "inter-block: blocks change places": inter_block,
    }
    rows = comparison.select(augmentation=SWEEP_AUGMENTATION)
    points = pd.concat(
        rows[rows["pixels"] == order(side)].assign(block=f"{side} x {side}", permutation=name)
        for name, order in orders.items()
        for side in sides
    )
    points["accuracy"] = 100 * points["test_accuracy"]
    figure = plt.figure(figsize=(10, 6.6), layout="constrained")
    curves, images = figure.subfigures(2, 1, height_ratios=(2.1, 1), squeeze=False).flat
    axes = curves.subplots()
    cnn, columns = points[points["network"] == "cnn"], {"x": "block", "y": "accuracy"}
    bars = {"hue": "permutation", "palette": [BLUE, ORANGE], "capsize": 0.1}
    sns.pointplot(cnn, **columns, **bars, **RANGE, ax=axes)
    mlp = points.loc[(points["network"] == "mlp") & (points["seed"] == 0), "accuracy"]
    axes.axhspan(mlp.min(), mlp.max(), color=VERMILION, alpha=0.3, label="MLP, all these orders")
    axes.set(xlabel="size of the blocks (pixels)", ylabel="accuracy on MNIST's test images (%)")
    axes.set_title("How much order does a CNN need? (bars: lowest to highest seed)")
    axes.legend()
    tiles = images.subplots(2, len(sides))
    for row, order, name in zip(tiles, orders.values(), ("intra", "inter"), strict=True):
        for tile, side in zip(row, sides, strict=True):
            show(tile, permute(image, order(side)))
        row[0].set_ylabel(name)
    return figure


def plot_sizes(comparison: Comparison) -> Figure:
    """Draw the error against the number of training images."""
    conditions = {"pixels": UNPERMUTED, "augmentation": SWEEP_AUGMENTATION}
    rows = comparison.select(**conditions, network=DEFAULT_NETWORKS, pictures=(0, *SIZES))
    images = rows["pictures"].replace(0, comparison.common["data"]["training"])
    error = 100 * (1 - rows["test_accuracy"])
    figure, axes = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    points = rows.assign(images=images, error=error)
    bars: dict[str, Any] = {"marker": "o", "err_style": "bars", **RANGE}
    sns.lineplot(points, x="images", y="error", **BY_NETWORK, **bars, ax=axes)
    axes.set(xscale="log", yscale="log", xlabel="training images", yticks=[1, 2, 5, 10, 20])
    axes.set(ylabel="error on MNIST's test images (%)", title="What more data gives")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
    axes.grid(alpha=0.3, which="both")
    return figure


def plot_robustness(comparison: Comparison) -> Figure:
    """Draw where each network breaks: accuracy against the severity of each corruption."""
    severities = comparison.common["robustness_levels"]
    curves = pd.DataFrame(
        {
            "network": result["cell"]["network"],
            "augmentation": result["cell"]["augmentation"],
            "corruption": f"{corruption} ({UNITS[corruption]})",
            "severity": severity,
            "accuracy (%)": 100 * accuracy,
        }
        for result in comparison.cells.values()
        for corruption, accuracies in result.get("robustness", {}).items()
        for severity, accuracy in zip(severities[corruption], accuracies, strict=True)
    )
    columns = {"x": "severity", "y": "accuracy (%)", "col": "corruption", "style": "augmentation"}
    lines: dict[str, Any] = {"kind": "line", "markers": True, "col_wrap": 2, "height": 3.5, **RANGE}
    grid = sns.relplot(curves, **columns, **BY_NETWORK, **lines, facet_kws={"sharex": False})
    return grid.figure
