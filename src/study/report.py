"""The page of results and the README's section, made from `comparison.json` alone."""

from pathlib import Path

from errors import DataError
from model.checkpoint import write_atomically
from study.comparison import Comparison
from study.findings import CONFIDENCE, differences_table, findings
from study.runs import HANDWRITING
from study.tables import (
    accuracy_table,
    cost_table,
    has_patches,
    has_sizes,
    patches_table,
    robustness_tables,
    sizes_table,
)

BEGIN = "<!-- results of the study, written by: bash run.sh compare --report -->"
END = "<!-- end of the results of the study -->"


def update_readme(readme: Path, comparison: Comparison) -> None:
    """Put the section of results between the markers of the README.

    Raises:
        DataError: the markers are not there.
    """
    text = readme.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise DataError(f"{readme} needs two lines between which the results go:\n{BEGIN}\n{END}")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    text = f"{before}{BEGIN}\n\n{readme_section(comparison)}\n{END}{after}"
    write_atomically(readme, lambda file: file.write(text.encode()))


def readme_section(comparison: Comparison) -> str:
    """Return the README's section of results."""
    figures = {
        "accuracy": "Accuracy of each network, order of pixels and augmentation",
        "permuted-digits": "What a permuted digit looks like",
    }
    if has_patches(comparison):
        figures["patches"] = "How much order a CNN needs"
    return "\n\n".join(
        [
            _origin(comparison),
            *_accuracy_tables(comparison),
            findings(comparison),
            "Each verdict is a paired bootstrap's over test pictures and seeds; all intervals "
            f"together hold with {100 * CONFIDENCE:g} % confidence (Bonferroni).",
            *(f"![{text}](models/figures/{name}.png)" for name, text in figures.items()),
            "All tables are in [models/comparison.md](models/comparison.md), all figures in "
            "[models/figures](models/figures), every number in "
            "[models/comparison.json](models/comparison.json).",
        ]
    )


def full_report(comparison: Comparison) -> str:
    """Return all tables, as a page of their own."""
    parts = [
        "# MLP against CNN: all results",
        _origin(comparison),
        "## Accuracy",
        *_accuracy_tables(comparison),
        "## Differences",
        findings(comparison),
        differences_table(comparison),
        "## Size, training and speed",
        cost_table(comparison),
    ]
    if has_patches(comparison):
        parts += ["## How much order does a CNN need?", patches_table(comparison)]
    if has_sizes(comparison):
        parts += ["## Size of the training set", sizes_table(comparison)]
    if robustness := robustness_tables(comparison):
        parts += ["## Changed after normalisation", robustness]
    return "\n\n".join(parts) + "\n"


def _accuracy_tables(comparison: Comparison) -> list[str]:
    parts = [
        "MNIST test pictures read right, in %:",
        accuracy_table(comparison, "test_accuracy"),
        "Synthetic drawings read right, in % (held back: of another seed than those that "
        f"“{HANDWRITING}” trains on, but from the same templates):",
        accuracy_table(comparison, "synthetic_accuracy"),
    ]
    recordings = comparison.common.get("recordings")
    if recordings:
        parts += [
            f"Recorded pen strokes of people read right, in % ({recordings['count']:,} of "
            f"{recordings['file']}; training has seen none):",
            accuracy_table(comparison, "recordings_accuracy"),
        ]
    return parts


def _origin(comparison: Comparison) -> str:
    data = comparison.common["data"]
    results = list(comparison.cells.values())
    minutes = sum(result["seconds"] for result in results) / 60
    torch_versions = sorted({result["versions"]["torch"] for result in results})
    return (
        f"{len(results)} networks, {minutes:.0f} minutes of training in all "
        f"({comparison.common['hardware']}, PyTorch {', '.join(torch_versions)}). Data: "
        f"{data['source']}; {data['training']:,} pictures to train on, {data['validation']:,} to "
        f"see accuracy level off, {data['test']:,} to test once. "
        "“±” is the standard deviation over the seeds."
    )
