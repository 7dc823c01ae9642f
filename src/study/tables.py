"""The results as Markdown tables."""

from collections.abc import Callable, Sequence

import numpy as np

from study.comparison import Comparison
from study.permutations import BLOCKS, IN_ORDER, PERMUTED, among, within
from study.runs import (
    AUGMENTATIONS,
    AXES_AUGMENTATION,
    DEFAULT_NETWORKS,
    HANDWRITING,
    LEVEL,
    SEEDS,
    SIZES,
    SMALL_MLP,
    Cell,
    cell,
)

PIXELS = (IN_ORDER, PERMUTED)
NAMES = {"mlp": "MLP", "cnn": "CNN", "deep": "deep CNN", SMALL_MLP: "small MLP"}
UNITS = {"shift": "pixels", "rotation": "degrees", "scale": "times", "noise": "standard deviation"}


def seeds_of(network: str, pixels: str, augmentation: str, pictures: int | None = None) -> list:
    """Return the cells of all seeds."""
    return [cell(network, pixels, augmentation, seed, pictures) for seed in SEEDS]


def has_patches(comparison: Comparison) -> bool:
    """Whether the patch-wise permutations have been measured."""
    cells = seeds_of("cnn", within(BLOCKS[0]), AXES_AUGMENTATION)
    return bool(comparison.results(cells))


def has_sizes(comparison: Comparison) -> bool:
    """Whether smaller training sets have been tried."""
    return bool(comparison.results([size_cell("cnn", SIZES[0])]))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def mean_and_spread(values: np.ndarray) -> str:
    """Return accuracies (0-1) as "mean ± standard deviation", in %."""
    if not len(values):
        return "-"
    mean = f"{100 * values.mean():.2f}"
    return f"{mean} ± {100 * values.std(ddof=1):.2f}" if len(values) > 1 else mean


def networks_in(comparison: Comparison) -> list[str]:
    """Return the networks there are results of."""
    found = {result["cell"]["network"] for result in comparison.cells.values()}
    return [network for network in NAMES if network in found]


def accuracy_table(comparison: Comparison, what: str) -> str:
    """Return the means over seeds with their spread: a row a network and order of pixels."""
    rows = [
        [f"{NAMES[network]}, {pixels}"]
        + [
            mean_and_spread(comparison.values(seeds_of(network, pixels, augmentation), what))
            for augmentation in AUGMENTATIONS
        ]
        for network in networks_in(comparison)
        for pixels in PIXELS
    ]
    return table(["", *AUGMENTATIONS], rows)


def cost_table(comparison: Comparison) -> str:
    """Return parameters, epochs, times and how level validation accuracy was at the end."""
    rows = []
    for network in networks_in(comparison):
        for augmentation in AUGMENTATIONS:
            for pixels in PIXELS:
                results = comparison.results(seeds_of(network, pixels, augmentation))
                if results:
                    speed = f"{_microseconds(comparison, network, pixels):.1f}"
                    costs = [*_costs(results), speed]
                    rows.append([f"{NAMES[network]}, {pixels}", augmentation, *costs])
    return (
        f"In full runs a network that still gained more than {100 * LEVEL:g} points of validation "
        "accuracy in the last quarter of its epochs was trained anew with twice as many. "
        "Microseconds are of a picture in a batch of 1,000, the fastest of all networks of that "
        "kind and order; augmentation does not change them.\n\n"
        + table(
            [
                "",
                "augmentation",
                "parameters",
                "epochs",
                "largest gain of the last quarter (points)",
                "seconds of training",
                "µs a picture",
            ],
            rows,
        )
    )


def _costs(results: list[dict]) -> list[str]:
    epochs = sorted({result["epochs"] for result in results})
    gain = max(result["gain_of_last_quarter"] for result in results)
    return [
        f"{results[0]['parameters']:,}",
        " to ".join(map(str, epochs[:: max(1, len(epochs) - 1)])),
        f"{100 * gain:+.2f}",
        f"{np.mean([result['seconds'] for result in results]):.0f}",
    ]


def _microseconds(comparison: Comparison, network: str, pixels: str) -> float:
    """The best time of all networks of a kind: what else a machine does only ever adds to it."""
    same = [cell for a in AUGMENTATIONS for cell in seeds_of(network, pixels, a)]
    return comparison.values(same, "microseconds_a_picture").min()


def patches_table(comparison: Comparison) -> str:
    """Return accuracy by size of the blocks, inside or among which pixels are permuted."""

    def row(block: int, order: Callable[[int], str], network: str) -> str:
        pixels = order(block) if block in BLOCKS else block_limits(order)[block]
        cells = seeds_of(network, pixels, AXES_AUGMENTATION)
        if network == "mlp":
            cells = cells[:1]
        return mean_and_spread(comparison.values(cells, "test_accuracy"))

    rows = [
        [f"{block} x {block}"]
        + [row(block, order, network) for order in (within, among) for network in ("cnn", "mlp")]
        for block in (1, *BLOCKS, 28)
    ]
    return (
        "MNIST test pictures read right, in %, trained without augmentation. 1 x 1 within and "
        "28 x 28 among are the pixels in order; 28 x 28 within and 1 x 1 among the full "
        "permutation.\n\n"
        + table(
            ["blocks", "CNN, within", "MLP, within (1 seed)", "CNN, among", "MLP, among (1 seed)"],
            rows,
        )
    )


def block_limits(order: Callable[[int], str]) -> dict[int, str]:
    """Return what the smallest and the largest block mean: one pixel, and the whole picture."""
    return {1: IN_ORDER, 28: PERMUTED} if order is within else {1: PERMUTED, 28: IN_ORDER}


def size_cell(network: str, pictures: int | None, seed: int = 0) -> Cell:
    """Return the cell of the training-set axis with so many pictures."""
    return cell(network, IN_ORDER, AXES_AUGMENTATION, seed, pictures)


def sizes_table(comparison: Comparison) -> str:
    """Return accuracy by number of training pictures."""
    everything = comparison.common["data"]["training"]
    rows = []
    for pictures in SIZES:
        accuracies = [
            comparison.values([size_cell(network, pictures, s) for s in SEEDS], "test_accuracy")
            for network in DEFAULT_NETWORKS
        ]
        if any(map(len, accuracies)):
            rows.append([f"{pictures or everything:,}", *map(mean_and_spread, accuracies)])
    return (
        "MNIST test pictures read right, in %, trained without augmentation. The 5,000 "
        "validation pictures are never trained on, so the whole is "
        f"{everything:,}.\n\n"
        + table(["training pictures", *(NAMES[network] for network in DEFAULT_NETWORKS)], rows)
    )


def robustness_tables(comparison: Comparison) -> str:
    """Return a table for each kind of change; empty where nothing was measured."""
    parts = []
    for kind, levels in comparison.common["robustness_levels"].items():
        rows = []
        for network in DEFAULT_NETWORKS:
            for augmentation in (AXES_AUGMENTATION, HANDWRITING):
                results = comparison.results(seeds_of(network, IN_ORDER, augmentation))
                curves = [r["robustness"][kind] for r in results if "robustness" in r]
                if curves:
                    means = np.mean(curves, axis=0)
                    name = f"{NAMES[network]}, {augmentation}"
                    rows.append([name, *(f"{100 * mean:.1f}" for mean in means)])
        if rows:
            header = [f"{kind} ({UNITS[kind]})", *(f"{level:g}" for level in levels)]
            parts.append(table(header, rows))
    return "\n\n".join(parts)
