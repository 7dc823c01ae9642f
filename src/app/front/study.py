"""The study's results as the tables that the page shows: pure functions of its file."""

from statistics import mean, stdev
from typing import Any

ORDERS = ("in order", "permuted")  # as the study's file names them
METRICS = ("test_accuracy", "synthetic_accuracy", "recordings_accuracy")


def accuracy_table(study: dict[str, Any], metric: str) -> tuple[list[str], list[list[str]]] | None:
    """Accuracy in % as mean ± standard deviation over seeds, one row per network and order.

    Args:
        study: what the API's `/api/v1/study` answers.
        metric: one of `METRICS`.

    Returns:
        The augmentations, and rows that begin with "network, order": as one cell, so that a
        phone is wide enough; None where nothing was metricd.
    """
    groups: dict[tuple[str, str], dict[str, list[float]]] = {}
    augmentations: list[str] = []
    for result in study.get("cells", {}).values():
        cell = result["cell"]
        if cell["pixels"] not in ORDERS or cell["pictures"] is not None or metric not in result:
            continue
        if cell["augmentation"] not in augmentations:
            augmentations.append(cell["augmentation"])
        found = groups.setdefault((cell["network"], cell["pixels"]), {})
        found.setdefault(cell["augmentation"], []).append(result[metric])
    if not groups:
        return None
    augmentations.sort(key=lambda name: (name != "none", name))
    rows = [
        [", ".join(group), *(mean_and_std(found.get(name, [])) for name in augmentations)]
        for group, found in sorted(groups.items(), key=_networks_in_their_order)
    ]
    return augmentations, rows


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


def _networks_in_their_order(group: tuple[tuple[str, str], object]) -> tuple[int, str, int]:
    network, order = group[0]
    known = ("mlp", "cnn", "deep")
    rank = known.index(network) if network in known else len(known)
    return rank, network, ORDERS.index(order)
