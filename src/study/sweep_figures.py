"""The figures of the axes: permuted patches, size of the training set, changed pictures."""

from collections.abc import Callable

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from model.config import IMAGE_SIZE
from model.training.plots import BLUE, GREEN, ORANGE, VERMILION
from study.comparison import Comparison
from study.figures import COLOURS, MARKERS, show
from study.permutations import BLOCKS, IN_ORDER, among, pixel_permutation, within
from study.runs import AXES_AUGMENTATION, DEFAULT_NETWORKS, HANDWRITING, SEEDS, SIZES
from study.tables import NAMES, UNITS, block_limits, seeds_of, size_cell

SIDES = (1, *BLOCKS, IMAGE_SIZE)


def plot_patches(comparison: Comparison, picture: Tensor) -> Figure:
    """Draw how accuracy depends on the scale at which the pixels are out of order.

    Args:
        comparison: with the cells of the patch-wise permutation.
        picture: uint8 (28, 28), shown permuted under each point.
    """
    figure = plt.figure(figsize=(10, 6.6), layout="constrained")
    curves, pictures = figure.subfigures(2, 1, height_ratios=(2.1, 1))
    axes = curves.subplots()
    kinds = {
        within: ("pixels permuted inside blocks: small things are lost", BLUE, "o-"),
        among: ("blocks change places: the whole is lost", ORANGE, "D--"),
    }
    for order, (text, colour, style) in kinds.items():
        _spread(axes, comparison, order, colour, style, f"CNN, {text}")
    mlp = [comparison.values(_cells("mlp", within, side)[:1], "test_accuracy") for side in SIDES]
    mlp += [comparison.values(_cells("mlp", among, side)[:1], "test_accuracy") for side in BLOCKS]
    found = 100 * np.concatenate(mlp)
    if len(found):
        label = "MLP, all these orders: lowest to highest"
        axes.axhspan(found.min(), found.max(), color=VERMILION, alpha=0.3, label=label)
    axes.set_xticks(range(len(SIDES)), [f"{side} x {side}" for side in SIDES])
    axes.set(xlabel="size of the blocks (pixels)", ylabel="MNIST test pictures read right (%)")
    axes.set_title(
        "How much order does a CNN need? (no augmentation; bars: lowest to highest seed)"
    )
    axes.grid(alpha=0.3)
    axes.legend()
    tiles = pictures.subplots(2, len(SIDES))
    for row, (order, name) in zip(tiles, ((within, "inside"), (among, "among")), strict=True):
        for tile, side in zip(row, SIDES, strict=True):
            permutation = pixel_permutation(_name(order, side))
            shown = picture if permutation is None else picture.flatten()[permutation]
            show(tile, shown.reshape(IMAGE_SIZE, IMAGE_SIZE))
        row[0].set_ylabel(name)
    return figure


def _name(order: Callable[[int], str], side: int) -> str:
    return order(side) if side in BLOCKS else block_limits(order)[side]


def _cells(network: str, order: Callable[[int], str], side: int) -> list:
    return seeds_of(network, _name(order, side), AXES_AUGMENTATION)


def _spread(
    axes: Axes,
    comparison: Comparison,
    order: Callable[[int], str],
    colour: str,
    style: str,
    label: str,
) -> None:
    every = [comparison.values(_cells("cnn", order, side), "test_accuracy") for side in SIDES]
    places = [place for place, values in enumerate(every) if len(values)]
    values = [100 * every[place] for place in places]
    means = np.array([v.mean() for v in values])
    bars = [means - [v.min() for v in values], [v.max() for v in values] - means]
    axes.errorbar(places, means, yerr=bars, fmt=style, color=colour, capsize=4, label=label)


def plot_sizes(comparison: Comparison) -> Figure:
    """Draw the error against the number of training pictures."""
    figure, axes = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    everything = comparison.common["data"]["training"]
    for network in DEFAULT_NETWORKS:
        points = []
        for pictures in SIZES:
            cells = [size_cell(network, pictures, seed) for seed in SEEDS]
            errors = 100 * (1 - comparison.values(cells, "test_accuracy"))
            points += [(pictures or everything, error) for error in errors]
        if not points:
            continue
        counts, errors = np.array(points).T
        axes.plot(counts, errors, MARKERS[network], color=COLOURS[network], alpha=0.6)
        unique = np.unique(counts)
        means = [errors[counts == count].mean() for count in unique]
        axes.plot(unique, means, color=COLOURS[network], label=NAMES[network])
    axes.set(xscale="log", yscale="log", xlabel="training pictures")
    axes.set_ylabel("MNIST test pictures misread (%)")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_yticks([1, 2, 5, 10, 20])
    axes.yaxis.set_minor_formatter("")
    axes.set_title("What more data gives: dots are seeds, lines their mean")
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    return figure


def plot_robustness(comparison: Comparison) -> Figure:
    """Draw where each network breaks: accuracy against shift, rotation, scale and noise."""
    levels = comparison.common["robustness_levels"]
    figure, grid = plt.subplots(2, 2, figsize=(10, 7.2), layout="constrained", sharey=True)
    styles = {AXES_AUGMENTATION: "--", HANDWRITING: "-"}
    for axes, (kind, values) in zip(grid.flat, levels.items(), strict=True):
        for network in DEFAULT_NETWORKS:
            for augmentation, style in styles.items():
                results = comparison.results(seeds_of(network, IN_ORDER, augmentation))
                curves = [
                    100 * np.array(r["robustness"][kind]) for r in results if "robustness" in r
                ]
                if not curves:
                    continue
                label = f"{NAMES[network]}, augmentation: {augmentation}"
                axes.plot(
                    values,
                    np.mean(curves, axis=0),
                    style + MARKERS[network],
                    color=COLOURS[network] if augmentation == HANDWRITING else _pale(network),
                    label=label,
                )
                low, high = np.min(curves, axis=0), np.max(curves, axis=0)
                axes.fill_between(values, low, high, color=COLOURS[network], alpha=0.15)
        axes.set(xlabel=f"{kind} ({UNITS[kind]})", ylabel="read right (%)")
        axes.grid(alpha=0.3)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    figure.suptitle(
        "Where does each network break? Test pictures changed after normalisation (band: seeds)"
    )
    return figure


def _pale(network: str) -> str:
    return {"mlp": ORANGE, "cnn": GREEN}[network]
