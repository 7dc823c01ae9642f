"""The study's results for people: answers with intervals, tables and figures."""

import io
import json
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from scipy.stats import t

from model.card import write_atomically
from study.plan import IN_ORDER, LADDER, MNIST, PERMUTED, QUESTIONS, RESIZED, Row

CONFIDENCE = 0.95  # that the intervals of all questions hold at once (Bonferroni)
ANSWERS = ["question", "A", "B", "A misread", "B misread", "A / B", "answer"]
MARKERS = ["o", "s", "^", "D", "v"]  # no line is known by its colour alone
NAMES = {"mlp": "MLP", "mlp, small": "small MLP", "cnn": "CNN"}
PAGE = """# MLP against CNN: all results

`bash run.sh compare` writes this page, from {count} networks. All numbers are what is misread,
in %; “±” is the standard deviation over the seeds.

## The questions

The answer is "yes" if A misreads less than B: the whole interval of A / B lies below 1. It is
Student's t over the seeds, for the logarithm of A / B. All intervals hold at once with
{confidence:.0%} (Bonferroni). They tell how much chance there is in training. They do not tell how
other digits are read. Where all seeds share one permutation (last table), they hold for it alone.

{answers}
"""


def write_report(table: pd.DataFrame, folder: Path) -> None:
    """Write comparison.md, figures/, and comparison.json, which the page shows.

    The table is what comparison.csv holds.
    """
    table = table.assign(misread=100 * table["errors"] / table["digits"])
    table["accuracy"] = 1 - table["misread"] / 100
    shown = main_rows(table).assign(part="factorial", preprocessing="", on=table["test_set"])
    columns = ["part", "network", "pixels", "augmentation", "on", "preprocessing", "accuracy"]
    results = json.dumps({"results": shown[columns].to_dict("records")}, indent=0)
    files = {"comparison.md": page(table).encode(), "comparison.json": results.encode()}
    for name, figure in figures(table).items():
        png = io.BytesIO()
        figure.savefig(png, dpi=110, bbox_inches="tight")
        files[f"figures/{name}.png"] = png.getvalue()
        plt.close(figure)
    (folder / "figures").mkdir(exist_ok=True)
    for old in (folder / "figures").glob("*.png"):  # one without a test set is not drawn any more
        old.unlink()
    write_atomically({folder / name: content for name, content in files.items()})


def main_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return MLP and CNN, in order and permuted, on preprocessed test sets."""
    is_main = table["pixels"].isin((IN_ORDER, PERMUTED)) & table["network"].isin(NAMES)
    return table[is_main & ~table["test_set"].str.endswith(RESIZED)]


def select(table: pd.DataFrame, row: Row) -> pd.DataFrame:
    return table[np.all([table[name] == value for name, value in row._asdict().items()], axis=0)]


def answer(first: pd.Series, second: pd.Series) -> tuple[str, str]:
    """Return the ratio of two rows' errors, given by seed, and whether the first has fewer."""
    if len(first.index.intersection(second.index)) < 2:
        return "-", "not measured yet: run `bash run.sh compare` with this test set"
    middle, low, high = ratio(first, second)
    verdict = "yes" if high < 1 else "no, it misreads more" if low > 1 else "no clear difference"
    return f"{middle:.2f} ({low:.2f} to {high:.2f})", verdict


def ratio(first: pd.Series, second: pd.Series) -> tuple[float, float, float]:
    """Return the ratio and the ends of its interval; no errors count as half of one."""
    logs = (first.clip(lower=0.5) / second.clip(lower=0.5)).dropna().apply(np.log)
    tail = (1 - CONFIDENCE) / len(QUESTIONS) / 2
    half = t.ppf(1 - tail, len(logs) - 1) * logs.sem()
    middle, low, high = np.exp(logs.mean() + np.array([0, -half, half]))
    return middle, low, high


def page(table: pd.DataFrame) -> str:
    answers = []
    for text, *rows in QUESTIONS:
        found = [select(table, row) for row in rows]
        errors = [networks.groupby("seed")["errors"].mean() for networks in found]
        cells = [", ".join(row) for row in rows]
        cells += [spread(networks["misread"]) for networks in found]
        answers.append([text, *cells, *answer(*errors)])
    on_mnist = table[table["test_set"] == MNIST]
    plain = on_mnist[on_mnist["augmentation"] == "none"]
    networks = on_mnist.groupby(["network", "pixels"], sort=False)
    seeds = networks[["seed", "permutation"]].nunique().add_prefix("number of ").add_suffix("s")
    sections = {
        "What makes a digit reader work": pivot(ladder(table), ["step"], "drawings"),
        **{
            f"{name}, by augmentation": pivot(rows, ["network", "pixels"], "augmentation")
            for name, rows in main_rows(table).groupby("test_set")
        },
        "MNIST, by the order of the pixels": pivot(plain, ["pixels"], "network"),
        "The networks": markdown(seeds.assign(seconds=networks["seconds"].mean().round())),
    }
    text = PAGE.format(
        count=len(on_mnist),
        confidence=CONFIDENCE,
        answers=pd.DataFrame(answers, columns=ANSWERS).to_markdown(index=False),
    )
    return text + "".join(f"\n## {name}\n\n{part}\n" for name, part in sections.items())


def ladder(table: pd.DataFrame) -> pd.DataFrame:
    """Return the networks of each step of the ladder, with `step`, and `drawings` they read."""
    names = sorted({name.removesuffix(RESIZED) for name in table["test_set"]} - {MNIST})
    found = [table[:0].assign(step="", drawings="")]
    for step, row in LADDER.items():
        for name in names:
            rows = select(table, row._replace(test_set=name + row.test_set))
            found.append(rows.assign(step=step, drawings=name))
    return pd.concat(found)


def pivot(rows: pd.DataFrame, index: list[str], columns: str) -> str:
    cells = rows.groupby([*index, columns], sort=False)["misread"].agg(spread)
    return markdown(cells.unstack(fill_value="-", sort=False))


def markdown(table: pd.DataFrame) -> str:
    return table.reset_index().astype(str).to_markdown(index=False, disable_numparse=True)


def spread(percentages: pd.Series) -> str:
    """Return "mean ± standard deviation", the mean alone of a single seed."""
    if len(percentages) < 2:
        return f"{percentages.mean():.2f}" if len(percentages) else "-"
    return f"{percentages.mean():.2f} ± {percentages.std():.2f}"


def figures(table: pd.DataFrame) -> dict[str, Figure]:
    rows, steps = main_rows(table), ladder(table)
    rows = rows.assign(line=rows["network"].replace(NAMES) + ", pixels " + rows["pixels"])
    rows["augmentation"] = rows["augmentation"].str.replace("+ ", "+\n")
    look: dict[str, Any] = {"x": "augmentation", "linestyle": "none", "dodge": 0.5}
    look |= {"col": "test_set", "col_wrap": 2, "sharey": False, "height": 3.6, "aspect": 1.05}
    title = "MNIST and drawings: what each network misreads, by augmentation"
    label = "augmentation of the training images"
    drawn = {"accuracy": draw(rows, title, label, hue="line", **look)}

    if not steps.empty:
        steps["step"] = [fill(step, 16) for step in steps["step"]]
        title = "What makes a digit reader work: each step adds one thing"
        label = "step, added to the one before"
        drawn["ladder"] = draw(steps, title, label, x="step", hue="drawings", dodge=0.2)
    return drawn


def draw(rows: pd.DataFrame, title: str, label: str, *, hue: str, **look: object) -> Figure:
    """Draw means of what is misread, and bars from the best to the worst seed."""
    markers = MARKERS[: rows[hue].nunique()]
    style = {"errorbar": ("pi", 100), "palette": "colorblind", "markers": markers, "aspect": 1.6}
    grid = sns.catplot(rows, kind="point", y="misread", hue=hue, **{**style, **look})
    grid.set(yscale="log").set_titles("{col_name}")
    grid.set_axis_labels(label, "misread digits (%),\nlogarithmic scale")
    for axes in grid.axes.flat:
        axes.yaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), major_formatter="{x:g}")
        axes.minorticks_off()
    sns.move_legend(grid, "upper center", bbox_to_anchor=(0.5, 0), ncols=3, title=None)
    grid.figure.tight_layout()
    grid.figure.suptitle(title, y=1.03)
    return grid.figure
