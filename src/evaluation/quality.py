"""How well the networks classify and reject, over several seeds: ``bash run.sh evaluate quality``.

Each network is trained with each seed by the real pipeline. Finished runs are kept in
data/generated/quality while recipe, data and code are the same. The seed with the best sum of
accuracies on MNIST's validation part and on held-back synthetic digits is measured further, and
copied to models/ with ``--ship``: out-of-distribution images from sources that training never used
and, with ``--strokes FILE...`` and ``--images DIR``, recorded pen strokes and people's pictures.
``--sample`` adds the CNN trained on the 5,000 offline digits. Networks that ``--networks`` leaves
out keep what earlier runs measured.
"""

import argparse
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from arguments import at_least
from errors import OptionError
from evaluation.evaluate_strokes import StrokeResults, by_name, score
from evaluation.images import ALL_DIGITS, as_json, classify, read_labels, summarise
from evaluation.out_of_distribution import KINDS, ood_samples
from evaluation.results import data_checksum, fingerprint, markdown_table, write_results
from model.card import CalibrationErrors
from model.checkpoint import checkpoint_path, read_card, replace_model
from model.classifier import Classifier, rejection_score
from model.config import DATA_DIR, MODELS_DIR, VERSION
from model.data.mnist import Digits, Mnist, load_mnist
from model.data.strokes import StrokeSample, read_strokes, render_and_preprocess
from model.registry import NETWORKS
from model.train import accuracy
from model.training.options import Options
from model.training.pipeline import run as train_and_save

RESULTS = MODELS_DIR / "quality.json"
RUNS = DATA_DIR / "generated" / "quality"
OOD_COUNT = 1_000  # images of each out-of-distribution kind
IN_DISTRIBUTION = "MNIST test digits"
TITLE = "# How well the networks classify and reject"
SAMPLE = "cnn, 5,000 digits"


class Rejection(TypedDict, total=False):
    """The fraction (0-1) of images that is rejected; AUROC against MNIST's test digits."""

    rejected: float
    auroc: float


class Quality(TypedDict, total=False):
    """What was measured of one network; lists have one entry per seed.

    `strokes` has an entry for each file; `images` has fractions (0-1) of pictures by kind.
    """

    name: str
    parameters: int
    epochs: int
    seconds: list[float]
    device: str
    precision: str
    seeds: list[int]
    test_accuracy: list[float]
    validation_accuracy: list[float]
    chosen_seed: int
    calibration: CalibrationErrors
    rejections: dict[str, Rejection]
    strokes: dict[str, StrokeResults]
    images: dict[str, dict[str, float | None]]


def train(network: str, seed: int, mnist: Mnist, data: str) -> Path:
    """Train by the real pipeline unless that very run is finished; return the weights' path."""
    options = Options(network=network, output=RUNS, seed=seed, data=data)
    recipe = options.recipe(complete=mnist.complete).as_json()
    key = fingerprint(
        data_checksum(mnist), network=network, seed=seed, recipe=recipe, augment=options.augment
    )
    directory = RUNS / f"{network}-{seed}-{key[:16]}"
    path = checkpoint_path(network, VERSION, directory)
    if path.with_suffix(".json").exists():
        print(f"{directory.name}: kept from an earlier run", flush=True)
        return path
    return train_and_save(replace(options, output=directory))


def choose(paths: list[Path]) -> Path:
    """Return the model with the best sum of validation and held-back synthetic accuracy."""

    def validation(path: Path) -> float:
        results = read_card(path)["results"]
        return results["validation_accuracy"] + results["synthetic_accuracy"]

    return max(paths, key=validation)


def rejections(classifier: Classifier, digits: Digits) -> dict[str, Rejection]:
    """Measure what is rejected: of MNIST's test digits, and of each out-of-distribution kind."""

    def scores(images: np.ndarray) -> np.ndarray:
        return rejection_score(classifier.probabilities(classifier.forward(images)[0]))

    real = scores(digits.images.numpy())
    found: dict[str, Rejection] = {
        IN_DISTRIBUTION: {"rejected": float(np.mean(real < classifier.threshold))}
    }
    for kind in KINDS:
        others = scores(ood_samples(kind, OOD_COUNT, seed=0))
        is_digit = np.repeat([1, 0], [len(real), len(others)])
        found[kind] = {
            "rejected": float(np.mean(others < classifier.threshold)),
            "auroc": float(roc_auc_score(is_digit, np.concatenate((real, others)))),
        }
    return found


def measure(
    name: str,
    paths: list[Path],
    digits: Digits,
    strokes: dict[str, list[StrokeSample]],
    image_directory: Path | None = None,
) -> Quality:
    """Measure the runs of one network on MNIST's test part, and its chosen run further."""
    classifiers = [Classifier.load(path) for path in paths]
    chosen = classifiers[paths.index(choose(paths))]
    training = [classifier.card["training"] for classifier in classifiers]
    images = digits.images.numpy()
    result: Quality = {
        "name": name,
        "parameters": chosen.card["parameters"],
        "epochs": chosen.card["training"]["epochs"],
        "seconds": [run["seconds"] for run in training],
        "device": chosen.card["training"]["device"],
        "precision": chosen.card["training"]["precision"],
        "seeds": [run["seed"] for run in training],
        "test_accuracy": [
            accuracy(torch.from_numpy(classifier.forward(images)[0]), digits.labels)
            for classifier in classifiers
        ],
        "validation_accuracy": [
            classifier.card["results"]["validation_accuracy"] for classifier in classifiers
        ],
        "chosen_seed": chosen.card["training"]["seed"],
        "calibration": chosen.card["reader"]["calibration"],
        "rejections": rejections(chosen, digits),
    }
    if strokes:
        result["strokes"] = {
            file: score(samples, chosen.predict(render_and_preprocess(samples, seed=0)))
            for file, samples in strokes.items()
        }
    if image_directory:
        found = classify(chosen, image_directory, read_labels(image_directory))
        result["images"] = as_json(summarise(found))
    return result


def table(results: list[Quality]) -> str:
    """Return what was measured as a Markdown table, one column per network."""
    rows = [
        ["parameters", *(f"{r['parameters']:,}" for r in results)],
        ["trained on", *(r["device"] for r in results)],
        ["training, minutes", *(f"{np.mean(r['seconds']) / 60:.1f}" for r in results)],
        ["seeds", *(str(len(r["seeds"])) for r in results)],
        ["MNIST test set, mean ± standard deviation", *(_mean_and_deviation(r) for r in results)],
        [
            "calibration error after scaling, points",
            *(f"{100 * r['calibration']['after']['error']:.2f}" for r in results),
        ],
    ]
    cells: dict[str, Callable[[StrokeResults], str]] = {
        "": lambda found: f"{found['accuracy']:.2%}",
        " … the worst digit": lambda found: f"{worst_recall(found):.1%}",
        " … rejected": lambda found: f"{found['rejected']:.2%}",
    }
    for file in dict.fromkeys(file for r in results for file in r.get("strokes", {})):
        read = [r.get("strokes", {}).get(file) for r in results]
        for title, cell in cells.items():
            rows.append([f"{file}{title}", *("-" if f is None else cell(f) for f in read)])
    by_people = [r.get("images", {}).get(ALL_DIGITS) for r in results]
    if any(by_people):
        count = next(int(shares["pictures"] or 0) for shares in by_people if shares)
        for share in ("correct", "correct and accepted"):
            found_shares = [(shares or {}).get(share) for shares in by_people]
            shown = ("-" if value is None else f"{value:.1%}" for value in found_shares)
            rows.append([f"{count} pictures by people, {share}", *shown])
    for kind in (IN_DISTRIBUTION, *KINDS):
        found = [r["rejections"][kind] for r in results]
        title = f"rejected: {kind}" + ("" if kind == IN_DISTRIBUTION else " (AUROC)")
        rows.append([title, *map(_rejected, found)])
    return markdown_table(["", *(r["name"] for r in results)], rows)


def _mean_and_deviation(result: Quality) -> str:
    values = result["test_accuracy"]
    deviation = f" ± {np.std(values, ddof=1):.2%}" if len(values) > 1 else ""
    return f"{np.mean(values):.2%}{deviation}"


def worst_recall(results: StrokeResults) -> float:
    """Return the lowest recall (0-1) of a digit that the samples show."""
    return min(value for value in results["recall"] if value is not None)


def _rejected(found: Rejection) -> str:
    return f"{found['rejected']:.1%}" + (f" ({found['auroc']:.3f})" if "auroc" in found else "")


def with_earlier(results: list[Quality], path: Path) -> list[Quality]:
    """Return the results, and those of other networks that ``path`` has from earlier runs."""
    earlier = json.loads(path.read_text()) if path.exists() else []
    by_name = {result["name"]: result for result in [*earlier, *results]}
    return [by_name[name] for name in (*NETWORKS, SAMPLE) if name in by_name]


def ship(path: Path) -> None:
    """Copy a model with its card and figures to ``models/``."""

    def write(folder: Path) -> None:
        for file in sorted(path.parent.glob(f"{path.stem}[.-]*")):
            shutil.copyfile(file, folder / file.name)

    previous = replace_model(MODELS_DIR / path.name, write)
    print(f"{path} copied to {MODELS_DIR}; the model that it replaces: {previous or 'none'}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--seeds", type=at_least(1), default=3, help="how many, from 0 (3)")
    parser.add_argument("--data", default="mnist", help="mnist, or a directory with its four files")
    parser.add_argument("--strokes", type=Path, nargs="+", default=[], metavar="FILE")
    parser.add_argument("--images", type=Path, metavar="DIR", help="pictures, with labels.csv")
    parser.add_argument("--sample", action="store_true", help="also the CNN of 5,000 digits")
    parser.add_argument("--ship", action="store_true", help="copy the chosen models to models/")


def run(options: argparse.Namespace) -> None:
    """Train, measure, print the table, write the results to ``models/quality.json`` and ``.md``.

    Raises:
        DigitsError: MNIST, the strokes or the pictures cannot be read, or it is not all of MNIST.
    """
    strokes = {name: read_strokes(file) for name, file in by_name(options.strokes).items()}
    if options.images:
        read_labels(options.images)  # a wrong folder is told before anything is trained
    mnist = load_mnist(options.data)
    if not mnist.complete:
        raise OptionError(
            f"--data {options.data}: all networks are tested on all of MNIST; for the CNN of the "
            "5,000 digits give --sample."
        )
    results = []
    for network in options.networks:
        seeds = range(options.seeds)
        paths = [train(network, seed, mnist, options.data) for seed in seeds]
        results.append(measure(network, paths, mnist.test, strokes, options.images))
        if options.ship:
            ship(choose(paths))
    if options.sample:
        path = train("cnn", 0, load_mnist("sample"), "sample")
        results.append(measure(SAMPLE, [path], mnist.test, strokes, options.images))
    results = with_earlier(results, RESULTS)
    write_results(RESULTS, results, f"{TITLE}\n\n{table(results)}")
