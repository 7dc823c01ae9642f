"""The page of results and the figures, made from `comparison.json` and the test images."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from evaluation.results import markdown_table, write_page
from model.config import IMAGE_SIZE
from model.data.mnist import Mnist
from model.training.plots import save_figure
from study import figures
from study.corruptions import UNITS
from study.permutations import BLOCKS, PERMUTED, UNPERMUTED, inter_block, intra_block
from study.results import Comparison
from study.runs import (
    AUGMENTATIONS,
    DEFAULT_NETWORKS,
    PLATEAU_TOLERANCE,
    SIZES,
    SMALL_MLP,
    SWEEP_AUGMENTATION,
    SYNTHETIC,
)
from study.statistics import Difference, compare
from study.store import Store

PIXELS = (UNPERMUTED, PERMUTED)
NAMES = {"mlp": "MLP", "cnn": "CNN", "deep": "deep CNN", SMALL_MLP: "small MLP"}
CONFIDENCE = 0.95  # that all intervals hold at once (Bonferroni)


def write_report(
    comparison: Comparison, mnist: Mnist, output: Path, store: Store | None = None
) -> None:
    """Write comparison.md and the figures of what there is; networks come from the store."""
    write_page(output / "comparison.md", page(comparison))
    (output / "figures").mkdir(exist_ok=True)
    for name, figure in figures.draw_all(comparison, mnist.test, store):
        save_figure(figure, output / "figures" / f"{name}.png")
        plt.close(figure)
    print(f"Results: {output}/comparison.json, comparison.md and figures/ beside it")


def page(comparison: Comparison) -> str:
    """Return all tables, as a page of their own."""
    data, frame = comparison.common["data"], comparison.frame
    versions = ", ".join(sorted({found["torch"] for found in frame["versions"]}))
    parts = [
        "# MLP against CNN: all results",
        f"{len(frame)} networks, {frame['seconds'].sum() / 60:.0f} minutes of training in all "
        f"({comparison.common['hardware']}, PyTorch {versions}). Data: {data['source']}; "
        f"{data['training']:,} images to train on, {data['validation']:,} to see accuracy level "
        f"off, {data['test']:,} to test once. “±” is the standard deviation over the seeds.",
        "## Accuracy",
        "Accuracy on MNIST's test images, in %:",
        accuracy_table(comparison, "test_accuracy"),
        "Accuracy on synthetic digits, in % (held back: of another seed than those that "
        f"“{SYNTHETIC}” trains on, but from the same templates):",
        accuracy_table(comparison, "synthetic_accuracy"),
    ]
    if recordings := comparison.common.get("recordings"):
        parts += [
            f"Accuracy on recorded pen strokes of people, in % ({recordings['count']:,} of "
            f"{recordings['file']}; training has seen none):",
            accuracy_table(comparison, "recordings_accuracy"),
        ]
    parts += [
        "## Differences",
        f"Points are of accuracy on the {data['test']:,} test images, over all seeds. The "
        "intervals come from a paired bootstrap over test images and seeds, and hold all at once "
        f"with {100 * CONFIDENCE:g} % confidence (Bonferroni) as far as so few seeds can show it; "
        "the verdict is theirs. McNemar's exact test compares the two networks of the first seed "
        "alone.",
        differences_table(comparison),
        "## Size, training and speed",
        f"In full runs a network that still gained more than {100 * PLATEAU_TOLERANCE:g} points of "
        "validation accuracy in the last quarter of its epochs was trained anew with twice as "
        "many; the seconds include the shorter trainings. Microseconds are per image in batches of "
        "1,000, the fastest of all networks of that kind and order; augmentation does not change "
        "them.",
        cost_table(comparison),
    ]
    for title, text, table in (
        (
            "How much order does a CNN need?",
            "Accuracy on MNIST's test images, in %, trained without augmentation. 1 x 1 "
            "intra-block and 28 x 28 inter-block are unpermuted pixels; 28 x 28 intra-block and "
            "1 x 1 inter-block the full permutation.",
            patches_table(comparison),
        ),
        (
            "Size of the training set",
            "Accuracy on MNIST's test images, in %, trained without augmentation.",
            sizes_table(comparison),
        ),
        (
            "Corrupted after normalisation",
            "Accuracy on MNIST's test images, in %.",
            robustness_tables(comparison),
        ),
    ):
        parts += [f"## {title}", text, table] if table else []
    return "\n\n".join(parts)


def mean_and_spread(values: Sequence[float] | pd.Series) -> str:
    """Return accuracies (0-1) as "mean ± standard deviation", in %."""
    if not len(values):
        return "-"
    spread = f" ± {100 * np.std(values, ddof=1):.2f}" if len(values) > 1 else ""
    return f"{100 * np.mean(values):.2f}{spread}"


def accuracy_table(comparison: Comparison, metric: str) -> str:
    """Return the means over seeds with their spread: a row per network and order of pixels."""
    rows = [
        [f"{NAMES[network]}, {pixels}"]
        + [
            mean_and_spread(found.loc[found["augmentation"] == augmentation, metric].dropna())
            for augmentation in AUGMENTATIONS
        ]
        for network in NAMES
        for pixels in PIXELS
        if len(found := comparison.select(network=network, pixels=pixels))
    ]
    return markdown_table(["", *AUGMENTATIONS], rows)


def differences(comparison: Comparison) -> dict[tuple[str, str], Difference]:
    """Return the differences by question and augmentation.

    Their intervals hold all at once with probability CONFIDENCE.
    """
    questions = [
        (f"CNN against MLP, pixels {pixels}", ("cnn", pixels), ("mlp", pixels)) for pixels in PIXELS
    ]
    questions += [
        (
            f"{NAMES[network]}, pixels permuted against unpermuted",
            (network, PERMUTED),
            (network, UNPERMUTED),
        )
        for network in DEFAULT_NETWORKS
    ]
    questions += [
        (
            f"CNN against an MLP with as many parameters, pixels {pixels}",
            ("cnn", pixels),
            (SMALL_MLP, pixels),
        )
        for pixels in PIXELS
    ]
    pairs = [
        (question, augmentation, (*one, augmentation), (*other, augmentation))
        for question, one, other in questions
        for augmentation in AUGMENTATIONS
    ]
    pairs += [
        (
            f"{NAMES[network]}, pixels {UNPERMUTED}, augmentation against none",
            augmentation,
            (network, UNPERMUTED, augmentation),
            (network, UNPERMUTED, "none"),
        )
        for network in DEFAULT_NETWORKS
        for augmentation in AUGMENTATIONS[1:]
    ]
    correct = {}
    for question, augmentation, *sets in pairs:
        rows = [
            comparison.select(**dict(zip(("network", "pixels", "augmentation"), one, strict=True)))
            for one in sets
        ]
        if all(map(len, rows)):
            correct[question, augmentation] = [comparison.correct(one) for one in rows]
    confidence = 1 - (1 - CONFIDENCE) / max(1, len(correct))
    return {asked: compare(one, other, confidence) for asked, (one, other) in correct.items()}


def differences_table(comparison: Comparison) -> str:
    """Return every difference with interval, McNemar's p and verdict."""
    rows = []
    for (question, augmentation), d in differences(comparison).items():
        verdict = "no difference shown"
        if d.shown:
            verdict = "more accurate" if d.points > 0 else "less accurate"
        p = "< 0.0001" if d.mcnemar < 1e-4 else f"{d.mcnemar:.4f}"
        interval = f"{d.low:+.2f} to {d.high:+.2f}"
        rows.append([question, augmentation, f"{d.points:+.2f}", interval, p, verdict])
    header = ["", "augmentation", "points", "interval", "McNemar's p", "verdict"]
    return markdown_table(header, rows)


def cost_table(comparison: Comparison) -> str:
    """Return parameters, epochs, times and how level validation accuracy was at the end."""
    rows = []
    for network in NAMES:
        for pixels in PIXELS:
            of_kind = comparison.select(network=network, pixels=pixels)
            for augmentation in AUGMENTATIONS:
                found = of_kind[of_kind["augmentation"] == augmentation]
                if found.empty:
                    continue
                cells = [
                    f"{found['parameters'].iloc[0]:,}",
                    " to ".join(map(str, sorted({found["epochs"].min(), found["epochs"].max()}))),
                    f"{100 * found['gain_of_last_quarter'].max():+.2f}",
                    f"{found['seconds'].mean():.0f}",
                    # what else a machine does only ever adds to a time
                    f"{of_kind['microseconds_a_picture'].min():.1f}",
                ]
                rows.append([f"{NAMES[network]}, {pixels}", augmentation, *cells])
    header = ["", "augmentation", "parameters", "epochs"]
    header += ["largest gain of the last quarter (points)", "seconds of training", "µs per image"]
    return markdown_table(header, rows)


def patches_table(comparison: Comparison) -> str:
    """Return accuracy by size of the blocks; "" where these runs were not made."""

    def cell(network: str, order: Callable[[int], str], block: int) -> str:
        found = comparison.select(
            network=network, pixels=order(block), augmentation=SWEEP_AUGMENTATION
        )
        values = found["test_accuracy"]
        return mean_and_spread(values[:1] if network == "mlp" else values)

    if comparison.select(pixels=intra_block(BLOCKS[0])).empty:
        return ""
    header = ["blocks", "CNN, intra-block", "MLP, intra-block (1 seed)"]
    header += ["CNN, inter-block", "MLP, inter-block (1 seed)"]
    rows = [
        [f"{block} x {block}"]
        + [
            cell(network, order, block)
            for order in (intra_block, inter_block)
            for network in ("cnn", "mlp")
        ]
        for block in (1, *BLOCKS, IMAGE_SIZE)
    ]
    return markdown_table(header, rows)


def sizes_table(comparison: Comparison) -> str:
    """Return accuracy by number of training images; "" where these runs were not made."""

    def cell(network: str, size: int | None) -> str:
        conditions = {"pixels": UNPERMUTED, "augmentation": SWEEP_AUGMENTATION}
        found = comparison.select(network=network, pictures=size or 0, **conditions)
        return mean_and_spread(found["test_accuracy"])

    sizes = [size for size in SIZES if (comparison.frame["pictures"] == (size or 0)).any()]
    if len(sizes) < 2:
        return ""
    rows = [
        [
            f"{size or comparison.common['data']['training']:,}",
            *(cell(network, size) for network in DEFAULT_NETWORKS),
        ]
        for size in sizes
    ]
    return markdown_table(
        ["training images", *(NAMES[network] for network in DEFAULT_NETWORKS)], rows
    )


def robustness_tables(comparison: Comparison) -> str:
    """Return a table per corruption; "" where nothing was measured."""
    measured = comparison.frame.dropna(subset="robustness")
    tables = []
    for corruption, severities in comparison.common["robustness_levels"].items():
        rows = []
        for (network, augmentation), found in measured.groupby(["network", "augmentation"]):
            means = np.mean([curves[corruption] for curves in found["robustness"]], axis=0)
            name = f"{NAMES[str(network)]}, {augmentation}"
            rows.append([name, *(f"{100 * mean:.1f}" for mean in means)])
        if rows:
            unit = f"{corruption} ({UNITS[corruption]})"
            tables.append(markdown_table([unit, *(f"{s:g}" for s in severities)], rows))
    return "\n\n".join(tables)
