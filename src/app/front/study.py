"""The study's results as the tables that the page shows: pure functions of its file."""

from typing import Any

import pandas as pd

from app.front.texts import written

CONCLUSION = {  # the values of the text that answers the question: network and order of the pixels
    "cnn": ("cnn", "in order"),
    "mlp": ("mlp", "in order"),
    "cnn_permuted": ("cnn", "permuted"),
    "mlp_permuted": ("mlp", "permuted"),
    "cnn_recovered": ("cnn", "recovered"),
}


def factorial(study: dict[str, Any]) -> pd.DataFrame:
    """The runs in an answer of `/api/v1/study`: one a row, with its "accuracy" in [0, 1]."""
    runs = pd.DataFrame(study["results"])
    return runs[runs["part"] == "factorial"]


def accuracy_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Accuracy in % as "99.41 ± 0.03": mean and standard deviation over seeds.

    Returns:
        A row for each network and order of the pixels, a column for each augmentation.
    """
    rows = ["network", "pixels"]
    cells = runs.pivot_table("accuracy", rows, "augmentation", mean_and_std, sort=False)
    return cells.fillna("-")


def conclusion(runs: pd.DataFrame) -> dict[str, float]:
    """The accuracies on MNIST, by the names of `CONCLUSION`; those that are missing are left out.

    They are means over seeds, of networks trained without augmentation.
    """
    plain = runs[(runs["on"] == "MNIST") & (runs["augmentation"] == "none")]
    means = plain.groupby(["network", "pixels"])["accuracy"].mean().to_dict()
    return {name: means[cell] for name, cell in CONCLUSION.items() if cell in means}


def mean_and_std(shares: "pd.Series[float]") -> str:
    """Shares in [0, 1] as "99.41 ± 0.03" in %; the spread is the standard deviation."""
    spread = f" ± {written(100 * shares.std(), 2)}" if len(shares) > 1 else ""
    return written(100 * shares.mean(), 2) + spread
