"""The study's results as the tables that the page shows: pure functions of its file."""

from statistics import mean, stdev
from typing import Any

# As the study's file names them, in the order that the page shows
NETWORKS = ("mlp", "mlp, small", "cnn")
ORDERS = ("in order", "permuted")
AUGMENTATIONS = ("none", "affine", "slight", "slight + synthetic")
# MNIST's own images, and what the API's preprocessing makes of others
PREPROCESSING = ("", "preprocessed")
VALIDATION = "MNIST, validation"


def accuracy_tables(study: dict[str, Any]) -> dict[str, list[list[str]]]:
    """Accuracy in % as mean ± standard deviation over seeds, by test set.

    Args:
        study: what the API's `/api/v1/study` answers.

    Returns:
        For each test set its rows, one per network and order of the pixels: "network, order", then
        the accuracy with each of `AUGMENTATIONS`. Runs on all images with the fewest epochs count.
    """
    results = [row for row in study.get("results", []) if row["pixels"] in ORDERS]
    images = max((row["images"] for row in results if row["network"] in NETWORKS), default=0)
    epochs: dict[tuple[str, str], int] = {}
    cells: dict[tuple[str, str, str, str], list[float]] = {}
    kept = [row for row in results if row["images"] == images and row["network"] in NETWORKS]
    for row in kept:
        place = row["network"], row["pixels"]
        epochs[place] = min(row["epochs"], epochs.get(place, row["epochs"]))
    for row in kept:
        network, pixels = row["network"], row["pixels"]
        if row["preprocessing"] in PREPROCESSING and row["epochs"] == epochs[network, pixels]:
            cell = row["on"], network, pixels, row["augmentation"]
            cells.setdefault(cell, []).append(row["accuracy"])
    return {
        on: [
            [f"{network}, {pixels}"]
            + [mean_and_std(cells.get((on, network, pixels, name), [])) for name in AUGMENTATIONS]
            for network in NETWORKS
            for pixels in ORDERS
            if any(cell[:3] == (on, network, pixels) for cell in cells)
        ]
        for on in dict.fromkeys(cell[0] for cell in cells)
        if on != VALIDATION
    }


def mean_and_std(shares: list[float]) -> str:
    """Shares in [0, 1] as "99.41 ± 0.03" in %; the spread is the standard deviation."""
    if not shares:
        return "-"
    if len(shares) == 1:
        return f"{100 * shares[0]:.2f}"
    return f"{100 * mean(shares):.2f} ± {100 * stdev(shares):.2f}"


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """A table that screen readers can walk through."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
