"""The study's results as the tables that the page shows: pure functions of its file."""

from statistics import mean, stdev
from typing import Any

# As the study's file names them, in the order that the page shows
NETWORKS = ("mlp", "mlp, small", "cnn")
ORDERS = ("in order", "permuted")
AUGMENTATIONS = ("none", "affine", "slight", "slight + synthetic")
# MNIST's own images, and what the API's preprocessing makes of others
PREPROCESSING = ("", "preprocessed")


def accuracy_tables(study: dict[str, Any]) -> dict[str, list[list[str]]]:
    """Accuracy in % as mean ± standard deviation over seeds, by test set of the factorial.

    Args:
        study: what the API's `/api/v1/study` answers.

    Returns:
        For each test set its rows, one per network and order of the pixels: "network, order", then
        the accuracy with each of `AUGMENTATIONS`.
    """
    cells: dict[tuple[str, str, str, str], list[float]] = {}
    for row in study.get("results", []):
        if row.get("part") == "factorial" and row["preprocessing"] in PREPROCESSING:
            cell = row["on"], row["network"], row["pixels"], row["augmentation"]
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
    }


def conclusion(study: dict[str, Any], augmentation: str = "none") -> dict[str, float] | None:
    """The mean accuracies on MNIST that answer the study's question, or None if one is missing.

    Returns:
        "cnn" and "mlp" with pixels in order, "cnn_permuted" and "mlp_permuted".
    """
    means = {}
    for network in ("cnn", "mlp"):
        for pixels, suffix in (("in order", ""), ("permuted", "_permuted")):
            wanted = ("MNIST", network, pixels, augmentation)
            shares = [
                row["accuracy"]
                for row in study.get("results", [])
                if row.get("part") == "factorial"
                and (row["on"], row["network"], row["pixels"], row["augmentation"]) == wanted
            ]
            if not shares:
                return None
            means[network + suffix] = mean(shares)
    return means


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
