"""How well a model classifies recorded pen strokes: ``bash run.sh evaluate strokes FILE``.

Each sample (see `model.data.strokes`) is drawn on a canvas with a random brush, size and place and
goes through the same code path as an image sent to the API. FILE is JSON lines, plain or gzipped.
"""

import argparse
import math
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix

from arguments import at_least, output_file
from errors import OptionError
from evaluation import adaptation
from model.checkpoint import DEFAULT_FILE, find_model, write_json
from model.classifier import Classifier, Prediction
from model.config import DATA_DIR, NUM_CLASSES
from model.data.mnist import load_mnist
from model.data.strokes import StrokeSample, read_strokes, render_and_preprocess
from model.training.plots import save_figure

SHEET_ROWS, SHEET_COLUMNS = 10, 12


class StrokeResults(TypedDict):
    """What a model made of stroke samples; fractions are from 0 to 1.

    `recall` is by digit, None where no sample shows it; `confusion` has true digits as rows.
    """

    samples: int
    writers: int
    accuracy: float
    mean_over_writers: float
    worst_writer: float
    rejected: float
    recall: list[float | None]
    confusion: list[list[int]]


def score(samples: list[StrokeSample], predictions: list[Prediction]) -> StrokeResults:
    """Compare predictions with the labels of their samples."""
    labels = [sample.label for sample in samples]
    digits = [prediction.digit for prediction in predictions]
    confusion = confusion_matrix(labels, digits, labels=range(NUM_CLASSES))
    by_writer: dict[str, list[bool]] = defaultdict(list)
    for sample, digit in zip(samples, digits, strict=True):
        by_writer[sample.writer].append(sample.label == digit)
    writers = [float(np.mean(correct)) for correct in by_writer.values()]
    return {
        "samples": len(samples),
        "writers": len(writers),
        "accuracy": float(np.trace(confusion) / len(samples)),
        "mean_over_writers": float(np.mean(writers)),
        "worst_writer": min(writers),
        "rejected": float(np.mean([not prediction.is_digit for prediction in predictions])),
        "recall": [
            float(row[digit] / row.sum()) if row.sum() else None
            for digit, row in enumerate(confusion)
        ],
        "confusion": confusion.tolist(),
    }


def report(results: StrokeResults) -> str:
    """Return the results as text for a terminal."""
    table = pd.DataFrame(results["confusion"]).astype(str).replace("0", ".")
    recall = ["-" if value is None else f"{value:.1%}" for value in results["recall"]]
    table.insert(0, "recall", recall)
    return (
        f"accuracy           {results['accuracy']:8.2%}   of {results['samples']} samples\n"
        f"mean over writers  {results['mean_over_writers']:8.2%}   of {results['writers']}, "
        f"the worst {results['worst_writer']:.2%}\n"
        f"rejected           {results['rejected']:8.2%}   taken for no digit\n\n"
        f"rows: true digits; columns: predictions\n{table}"
    )


def contact_sheet(
    samples: list[StrokeSample], images: np.ndarray, predictions: list[Prediction], title: str
) -> Figure:
    """Show the misclassified samples as "true as predicted", the most confident mistakes first."""
    wrong = [i for i, sample in enumerate(samples) if sample.label != predictions[i].digit]
    wrong.sort(key=lambda i: -predictions[i].confidence)
    rows = min(SHEET_ROWS, max(1, math.ceil(len(wrong) / SHEET_COLUMNS)))
    size = (12, 1 + rows)
    figure, grid = plt.subplots(rows, SHEET_COLUMNS, figsize=size, layout="constrained")
    for axes in grid.flat:
        axes.axis("off")
    for axes, i in zip(grid.flat, wrong, strict=False):
        axes.imshow(images[i], cmap="gray")
        prediction = predictions[i]
        axes.set_title(
            f"{samples[i].label} as {prediction.digit}, {prediction.confidence:.0%}", fontsize=8
        )
    figure.suptitle(f"{title}: {len(wrong)} of {len(samples)} misclassified")
    return figure


def by_name(files: Iterable[Path]) -> dict[str, Path]:
    """Return files by the name that results have for them: up to the first dot.

    Raises:
        OptionError: two have the same name.
    """
    named: dict[str, Path] = {}
    for file in files:
        name = file.name.partition(".")[0]
        if name in named:
            raise OptionError(f"{named[name]} and {file} are both called {name}: rename one.")
        named[name] = file
    return named


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="samples, one JSON object per line")
    parser.add_argument("--model", default=DEFAULT_FILE, help=f"name or .pt file ({DEFAULT_FILE})")
    parser.add_argument("--seed", type=at_least(0), default=0, help="of brush, size and place (0)")
    parser.add_argument(
        "--json", type=output_file, metavar="FILE", help="write the results there too"
    )
    parser.add_argument(
        "--examples-per-digit",
        type=at_least(1),
        nargs="+",
        metavar="N",
        help="also adapt to N examples of each digit of a writer, who has more than N of each",
    )
    mnist = "where MNIST is, of which an adapted model may forget some (auto)"
    parser.add_argument("--data", default="auto", help=mnist)


def run(options: argparse.Namespace) -> None:
    """Measure, print, write the contact sheet.

    Raises:
        DigitsError: the file or the model cannot be read, or a writer has too few samples.
    """
    classifier = Classifier.load(find_model(options.model))
    samples = read_strokes(options.file)
    labels = np.array([sample.label for sample in samples])
    counts = options.examples_per_digit
    if counts:
        writers = np.array([sample.writer for sample in samples])
        chosen = adaptation.choose_writers(labels, writers, counts)
    images = render_and_preprocess(samples, options.seed)
    predictions = classifier.predict(images)
    results = score(samples, predictions)
    title = f"{classifier.name} {classifier.version} on {options.file.name}"
    print(f"{title}, seed {options.seed}\n\n{report(results)}")
    [stem] = by_name([options.file])
    sheet = DATA_DIR / "generated" / "strokes" / f"{stem}-{classifier.name}-misclassified.png"
    sheet.parent.mkdir(parents=True, exist_ok=True)
    if results["accuracy"] < 1:
        save_figure(contact_sheet(samples, images, predictions, title), sheet)
        print(f"\nwhat was misclassified: {sheet}")
    about: dict[str, object] = {
        "model": classifier.name,
        "version": classifier.version,
        "file": options.file.name,
    }
    if counts:
        mnist = load_mnist(options.data).test
        adapted = adaptation.measure(classifier, images, labels, chosen, counts, mnist)
        about["adaptation"] = adapted
        figure = sheet.with_name(f"{stem}-{classifier.name}-adaptation.png")
        save_figure(adaptation.plot(adapted, title), figure)
        print(f"\n{adaptation.report(adapted)}\n\naccuracy against examples: {figure}")
    if options.json:
        write_json(options.json, {**about, "seed": options.seed, **results})
