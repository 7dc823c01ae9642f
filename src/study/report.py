"""The page of results: every table of `comparison.json`, for people."""

from pathlib import Path

import pandas as pd
from matplotlib import pyplot as plt

from evaluation.results import markdown_table, write_page
from model.training.plots import save_figure
from study import figures
from study.claims import CONFIDENCE, MUCH
from study.corruptions import UNITS
from study.ladder import DRAWS, PER_DIGIT, steps
from study.results import Comparison

CLAIMS = (
    f"A difference counts from {MUCH:g} points on. The intervals are over seeds and writers "
    f"(Welch's t) and hold all at once with {100 * CONFIDENCE:g} % confidence (Bonferroni). The "
    "verdict is theirs: “confirmed” where all of the interval is as claimed, “refuted” where none "
    "of it is. McNemar's exact test compares the two networks of the first seed alone."
)
LADDER = (
    f"Own examples: {PER_DIGIT} of each digit of a writer of strokes ({DRAWS} draws; files with a "
    "writer of fewer are left out); of real pictures all others of the author. The deep network is "
    "that of `models/`, one seed."
)


def write_report(comparison: Comparison, output: Path) -> None:
    """Write comparison.md and the figures of what there is."""
    write_page(output / "comparison.md", page(comparison))
    (output / "figures").mkdir(exist_ok=True)
    for name, figure in figures.draw_all(comparison):
        save_figure(figure, output / "figures" / f"{name}.png")
        plt.close(figure)
    print(f"Results: {output}/comparison.json, comparison.md and figures/ beside it")


def page(comparison: Comparison) -> str:
    """Return all tables, as a page of their own."""
    about, factorial = comparison.about, comparison.part("factorial")
    images, seeds = comparison.table["images"].max(), comparison.table["seed"].nunique()
    counts = ", ".join(f"{on} {n:,}" for on, n in about["sets"].items() if on not in UNITS)
    row = ["network", "pixels"]
    costs = [*row, "parameters", "epochs"]
    seconds = pivot(factorial.drop_duplicates("key"), costs, "augmentation", "seconds")
    epochs = pivot(comparison.part("doubled"), [*row, "augmentation"], "epochs")
    sections = [
        ("The claims", CLAIMS, claims_tables(comparison.claims)),
        ("The ladder", LADDER, pivot(steps(comparison), ["step"], "on")),
        ("Training", "Mean seconds of training.", seconds),
        ("Accuracy by epochs", "On MNIST's validation images.", epochs),
    ]
    for (on, preprocessing), rows in factorial.groupby(["on", "preprocessing"], sort=False):
        title = f"Accuracy on {on}, {preprocessing}" if preprocessing else f"Accuracy on {on}"
        sections.append((title, "", pivot(rows, row, "augmentation")))
    sections += [
        (title, "On MNIST's test images.", pivot(comparison.part(part), ["network"], column))
        for title, part, column in (
            ("Order of the pixels", "orders", "pixels"),
            ("Training images", "sizes", "images"),
        )
    ]
    for corruption, rows in comparison.part("corruptions").groupby("on", sort=False):
        columns = pivot(rows, ["network", "augmentation"], "severity")
        sections.append((f"Corrupted by {corruption} ({UNITS[str(corruption)]})", "", columns))
    parts = [
        "# MLP against CNN: all results",
        f"{about['data']['source']}; trained on {images:,} images, {seeds} "
        f"seeds ({about['hardware']}, PyTorch {about['torch']}). Images in test sets: {counts}. "
        "All accuracies are in %, “±” is the standard deviation over the seeds.",
    ]
    for title, text, content in sections:
        parts += [f"## {title}", text, content] if content else []
    return "\n\n".join(part for part in parts if part)


def pivot(rows: pd.DataFrame, index: list[str], columns: str, of: str = "accuracy") -> str:
    """Return a table of accuracies, mean ± standard deviation over the seeds; "" without rows."""
    if rows.empty:
        return ""
    write = spread if of == "accuracy" else lambda values: f"{values.mean():.0f}"
    cells = rows.groupby([*index, columns], observed=True)[of].agg(write)
    return as_markdown(cells.unstack().fillna("-").reset_index())


def as_markdown(table: pd.DataFrame) -> str:
    """Return a table with its columns' names as header."""
    return markdown_table(list(map(str, table.columns)), table.astype(str).to_numpy().tolist())


def spread(accuracies: pd.Series) -> str:
    """Return accuracies (0-1) as "mean ± standard deviation", in %."""
    deviation = f" ± {100 * accuracies.std():.2f}" if len(accuracies) > 1 else ""
    return f"{100 * accuracies.mean():.2f}{deviation}"


def claims_tables(claims: pd.DataFrame) -> str:
    """Return each claim with the number of verdicts of each kind, and its table."""
    parts = []
    for claim, rows in claims.groupby("claim", sort=False) if len(claims) else ():
        counts = rows["verdict"].value_counts()
        parts.append(f"**{claim}**: {', '.join(f'{n} {name}' for name, n in counts.items())}.")
        interval = rows["low"].map("{:.2f} to ".format) + rows["high"].map("{:.2f}".format)
        p = ["-" if pd.isna(p) else f"{p:.2g}" for p in rows["mcnemar"]]
        rows = rows.assign(interval=interval, mcnemar=p).drop(columns=["claim", "low", "high"])
        parts.append(as_markdown(rows))
    return "\n\n".join(parts)
