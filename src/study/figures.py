"""The figures of the grid: accuracy, learning curves, permuted digits, filters, mistakes."""

from collections.abc import Callable

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from model.config import IMAGE_SIZE, NUM_CLASSES
from model.data.mnist import Digits
from model.training.plots import BLUE, VERMILION
from study.comparison import Comparison
from study.permutations import IN_ORDER, PERMUTED, pixel_permutation
from study.runs import AUGMENTATIONS, DEFAULT_NETWORKS, HANDWRITING, Cell, cell
from study.tables import NAMES, PIXELS, networks_in, seeds_of

COLOURS = {"mlp": VERMILION, "cnn": BLUE, "deep": "#CC79A7", "mlp, small": "#E69F00"}
MARKERS = {"mlp": "s", "cnn": "o", "deep": "D", "mlp, small": "v"}
MOST_MISREAD = 30  # digits in each half of that figure


def plot_accuracy(comparison: Comparison) -> Figure:
    """Draw the accuracy of every cell: each seed a dot, their mean a line."""
    panels = {
        "test_accuracy": "MNIST test pictures",
        "synthetic_accuracy": "synthetic drawings",
        "recordings_accuracy": "recorded pen strokes",
    }
    every = [cell for network in networks_in(comparison) for cell in _grid_cells(network)]
    panels = {what: title for what, title in panels.items() if len(comparison.values(every, what))}
    figure, all_axes = plt.subplots(
        1, len(panels), figsize=(5 * len(panels), 4.8), layout="constrained", squeeze=False
    )
    series = [(network, pixels) for network in networks_in(comparison) for pixels in PIXELS]
    for axes, (what, title) in zip(all_axes[0], panels.items(), strict=True):
        for number, (network, pixels) in enumerate(series):
            offset = 0.8 * ((number + 0.5) / len(series) - 0.5)
            _dots(axes, comparison, network, pixels, what, offset)
        axes.set_xticks(
            range(len(AUGMENTATIONS)), [a.replace(" + ", " +\n") for a in AUGMENTATIONS]
        )
        axes.set(title=title, xlabel="augmentation", ylabel="read right (%)")
        axes.grid(axis="y", alpha=0.3)
    handles, labels = all_axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    figure.suptitle("Read right by each network: dots are seeds, lines their mean")
    return figure


def _grid_cells(network: str) -> list[Cell]:
    return [c for pixels in PIXELS for a in AUGMENTATIONS for c in seeds_of(network, pixels, a)]


def _dots(
    axes: Axes, comparison: Comparison, network: str, pixels: str, what: str, offset: float
) -> None:
    label = f"{NAMES[network]}, pixels {pixels}"
    for x, augmentation in enumerate(AUGMENTATIONS):
        values = 100 * comparison.values(seeds_of(network, pixels, augmentation), what)
        if not len(values):
            continue
        axes.plot(
            np.full(len(values), x + offset),
            values,
            MARKERS[network],
            color=COLOURS[network],
            fillstyle="full" if pixels == IN_ORDER else "none",
            label=label,
        )
        axes.hlines(values.mean(), x + offset - 0.08, x + offset + 0.08, COLOURS[network])
        label = None


def plot_learning_curves(comparison: Comparison) -> Figure:
    """Draw the error on the validation part against epochs, in order against permuted."""
    figure, panels = plt.subplots(
        1, len(AUGMENTATIONS), figsize=(11, 4.4), layout="constrained", sharey=True
    )
    for axes, augmentation in zip(panels, AUGMENTATIONS, strict=True):
        for network in DEFAULT_NETWORKS:
            for pixels in PIXELS:
                label = f"{NAMES[network]}, pixels {pixels}"
                for result in comparison.results(seeds_of(network, pixels, augmentation)):
                    errors = [100 * (1 - accuracy) for _, _, accuracy, _ in result["history"]]
                    style = "-" if pixels == IN_ORDER else "--"
                    epochs = range(1, len(errors) + 1)
                    axes.plot(
                        epochs, errors, "." + style, color=COLOURS[network], lw=1.2, label=label
                    )
                    label = None
        axes.set(title=f"augmentation: {augmentation}", xlabel="epoch", yscale="log")
        axes.grid(alpha=0.3, which="both")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
    panels[0].set_yticks([0.5, 1, 2, 5, 10])
    panels[0].set_ylabel("misread in validation (%, logarithmic)")
    panels[0].legend()
    figure.suptitle("Learning, pixels in order against permuted; a line a seed")
    return figure


def plot_permuted_digits(digits: Digits) -> Figure:
    """Draw one picture of each digit, as it is and with its pixels permuted."""
    permutation = pixel_permutation(PERMUTED)
    figure, axes = plt.subplots(2, NUM_CLASSES, figsize=(10, 2.7), layout="constrained")
    for digit in range(NUM_CLASSES):
        image = digits.images[digits.labels == digit][0]
        show(axes[0, digit], image)
        show(axes[1, digit], image.flatten()[permutation].reshape(IMAGE_SIZE, IMAGE_SIZE))
    axes[0, 0].set_ylabel(IN_ORDER)
    axes[1, 0].set_ylabel(PERMUTED)
    figure.suptitle("The same ten digits, their pixels in order and permuted")
    return figure


def show(axes: Axes, image: np.ndarray | Tensor, **settings: object) -> None:
    """Draw a small picture without ticks."""
    axes.imshow(np.asarray(image), **{"cmap": "gray", **settings})
    axes.set(xticks=[], yticks=[])


def cells_with_filters() -> list[Cell]:
    """Return the cells whose networks `plot_filters` shows."""
    return [cell(network, pixels, "none", 0) for network in DEFAULT_NETWORKS for pixels in PIXELS]


def plot_filters(load: Callable[[Cell], nn.Module]) -> Figure:
    """Draw what the first layers look for, trained on pixels in order and on permuted ones.

    Args:
        load: gives the trained network of a cell of `cells_with_filters`.
    """
    figure = plt.figure(figsize=(11, 7.2), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=(1, 1.05))
    for part, pixels in zip(upper.subfigures(1, 2), PIXELS, strict=True):
        weights = next(load(cell("cnn", pixels, "none", 0)).parameters())[:, 0].detach()
        _tiles(part, weights[:32], 4, f"CNN, first convolution, pixels {pixels}")
    order = _strongest(load(cell("mlp", IN_ORDER, "none", 0)))
    permuted = _strongest(load(cell("mlp", PERMUTED, "none", 0)))
    back = permuted[:, pixel_permutation(PERMUTED).argsort()]
    titles = ("in order", "permuted", "permuted, put back in order")
    for part, title, rows in zip(
        lower.subfigures(1, 3), titles, (order, permuted, back), strict=True
    ):
        _tiles(
            part, rows.reshape(-1, IMAGE_SIZE, IMAGE_SIZE), 3, f"MLP, first layer, pixels {title}"
        )
    figure.suptitle("What the first layer looks for: white excites, black inhibits")
    return figure


def _strongest(network: nn.Module, count: int = 12) -> Tensor:
    """Return the weights (count, 784) of the hidden units with the largest ones."""
    weights = next(network.parameters()).detach()
    return weights[weights.norm(dim=1).argsort(descending=True)[:count]]


def _tiles(figure: Figure, weights: Tensor, rows: int, title: str) -> None:
    figure.suptitle(title, fontsize="medium")
    for axes, tile in zip(
        figure.subplots(rows, len(weights) // rows).flat, weights.numpy(), strict=True
    ):
        limit = np.abs(tile).max()
        show(axes, tile, vmin=-limit, vmax=limit)


def plot_confusions(comparison: Comparison, labels: Tensor) -> Figure:
    """Draw which digit was read for which, means over seeds, without augmentation."""
    figure, all_axes = plt.subplots(2, 2, figsize=(9, 9), layout="constrained")
    for row, network in zip(all_axes, DEFAULT_NETWORKS, strict=True):
        for axes, pixels in zip(row, PIXELS, strict=True):
            results = comparison.results(seeds_of(network, pixels, "none"))
            counts = np.zeros((NUM_CLASSES, NUM_CLASSES))
            for result in results:
                for index, read in result["misread"]:
                    counts[labels[index], read] += 1 / len(results)
            axes.imshow(counts, cmap="Blues")
            for y, x in np.argwhere(counts >= 0.5):
                dark = counts[y, x] > 0.6 * counts.max()
                colour = "white" if dark else "black"
                axes.text(x, y, f"{counts[y, x]:.0f}", ha="center", va="center", color=colour)
            axes.set(xticks=range(NUM_CLASSES), yticks=range(NUM_CLASSES))
            axes.set(xlabel="digit read", ylabel="true digit")
            axes.set_title(f"{NAMES[network]}, pixels {pixels}: {counts.sum():.0f} misread")
    figure.suptitle("Mistakes on the MNIST test pictures, without augmentation (mean over seeds)")
    return figure


def plot_misread(comparison: Comparison, test: Digits) -> Figure:
    """Draw digits that every CNN misread, and digits that only permuted CNNs misread."""
    order = seeds_of("cnn", IN_ORDER, HANDWRITING)
    permuted = seeds_of("cnn", PERMUTED, HANDWRITING)
    right, right_permuted = comparison.right(order), comparison.right(permuted)
    halves = {
        "misread by every CNN, pixels in order": (order, ~right.any(axis=0)),
        "misread by every CNN with permuted pixels, by none with pixels in order": (
            permuted,
            right.all(axis=0) & ~right_permuted.any(axis=0),
        ),
    }
    figure = plt.figure(figsize=(10, 7.6), layout="constrained")
    for part, (title, (cells, chosen)) in zip(figure.subfigures(2, 1), halves.items(), strict=True):
        read = dict(comparison.results(cells)[0]["misread"])
        indices = np.flatnonzero(chosen)
        more = f" (the first {MOST_MISREAD})" if len(indices) > MOST_MISREAD else ""
        part.suptitle(f"{len(indices)} {title}{more}", fontsize="medium")
        tiles = list(part.subplots(3, MOST_MISREAD // 3).flat)
        for axes in tiles:
            axes.axis("off")
        for axes, index in zip(tiles, indices, strict=False):
            show(axes, test.images[index])
            axes.set_title(f"{test.labels[index]} as {read[int(index)]}", fontsize="small")
    figure.suptitle(f"Misread digits (“true as read”), augmentation: {HANDWRITING}")
    return figure
