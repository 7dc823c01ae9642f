"""How well the networks read and refuse, over several seeds: ``bash run.sh bench quality``.

Each network is trained with each seed by the real pipeline (runs that are finished are kept in
data/generated/quality and not repeated). Of its seeds the one that reads most of MNIST's
validation part and of held-back synthetic digits is measured further, and copied to models/ with
``--ship``: pictures of no digit from sources that training never used, and, with ``--drawn
FILE``, recorded pen strokes. ``--sample`` adds the CNN trained on the 5,000 offline digits. What
earlier runs measured of networks that this one leaves out (``--networks``) is kept in the table.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

import main_pipeline
from errors import DigitsError
from evaluation.evaluate_strokes import read_drawings, score
from evaluation.out_of_distribution import KINDS, ood_samples
from evaluation.strokes import read_strokes
from model.card import ModelCard
from model.checkpoint import checkpoint_path, read_card, replace_model, write_json
from model.classifier import Classifier, rejection_score
from model.config import DATA_DIR, MODELS_DIR, VERSION
from model.data.mnist import Digits, load_mnist
from model.registry import NETWORKS

RESULTS = MODELS_DIR / "bench-quality.json"
RUNS = DATA_DIR / "generated" / "quality"
PICTURES = 1_000  # of each kind of no digit
SAMPLE = "cnn, 5,000 digits"


def train(network: str, seed: int, data: str, directory: Path) -> Path:
    """Train by the real pipeline unless that run is finished; return the path of the weights."""
    path = checkpoint_path(network, VERSION, directory)
    if path.with_suffix(".json").exists():
        print(f"{directory.name}: kept from an earlier run", flush=True)
        return path
    arguments = [network, "--seed", str(seed), "--data", data, "--output", str(directory)]
    status = main_pipeline.main(arguments)
    if status:
        sys.exit(status)
    return path


def choose(paths: list[Path]) -> Path:
    """Return the model that reads most of the validation part and of held-back synthetic digits."""

    def validation(path: Path) -> float:
        results = read_card(path)["results"]
        return results["validation_accuracy"] + results["synthetic_accuracy"]

    return max(paths, key=validation)


def rejections(classifier: Classifier, digits: Digits) -> dict[str, dict[str, float]]:
    """Measure what is refused: of MNIST's test digits, and of each kind of no digit with AUROC."""
    images = {"MNIST test digits": digits.images.numpy()}
    images |= {kind: ood_samples(kind, PICTURES, seed=0) for kind in KINDS}
    rejection_scores = {
        kind: rejection_score(classifier.probabilities(classifier.forward(images)[0]))
        for kind, images in images.items()
    }
    real = rejection_scores["MNIST test digits"]
    found = {}
    for kind, values in rejection_scores.items():
        found[kind] = {"refused": float(np.mean(values < classifier.threshold))}
        if values is not real:
            is_digit = np.repeat([1, 0], [len(real), len(values)])
            found[kind]["auroc"] = float(roc_auc_score(is_digit, np.concatenate((real, values))))
    return found


def accuracy_on(classifier: Classifier, digits: Digits) -> float:
    """Return the part (0-1) of MNIST pictures that is read right."""
    read = [prediction.digit for prediction in classifier.predict(digits.images.numpy())]
    return float(np.mean(np.array(read) == digits.labels.numpy()))


def measure(name: str, paths: list[Path], test: Digits, drawn: Path | None) -> ModelCard:
    """Measure the runs of one network; return what the tables need."""
    chosen = choose(paths)
    classifier = Classifier.load(chosen)
    classifiers = [Classifier.load(path) for path in paths]
    result: ModelCard = {
        "name": name,
        "parameters": classifier.card["parameters"],
        "epochs": classifier.card["training"]["epochs"],
        "seconds": [r.card["training"]["seconds"] for r in classifiers],
        "device": classifier.card["training"]["device"],
        "precision": classifier.card["training"]["precision"],
        "seeds": [r.card["training"]["seed"] for r in classifiers],
        "test_accuracy": [accuracy_on(r, test) for r in classifiers],
        "validation_accuracy": [r.card["results"]["validation_accuracy"] for r in classifiers],
        "chosen_seed": classifier.card["training"]["seed"],
        "calibration": classifier.card["reader"]["calibration"],
        "refusals": rejections(classifier, test),
    }
    if drawn is not None:
        samples = read_strokes(drawn)
        result["drawn"] = {
            "file": drawn.name,
            **score(samples, read_drawings(classifier, samples, seed=0)[1]),
        }
    return result


def table(results: list[ModelCard]) -> str:
    """Return what was measured as a Markdown table."""
    kinds = [kind for kind in results[0]["refusals"] if kind != "MNIST test digits"]
    columns = ["", *(result["name"] for result in results)]
    rows = [
        ["parameters", *(f"{r['parameters']:,}" for r in results)],
        ["training, minutes", *(f"{np.mean(r['seconds']) / 60:.1f}" for r in results)],
        ["seeds", *(str(len(r["seeds"])) for r in results)],
        ["MNIST test set, mean ± deviation", *(_spread(r["test_accuracy"]) for r in results)],
        ["calibration error after scaling", *(_error(r) for r in results)],
    ]
    if all("drawn" in r for r in results):
        rows.append(["recorded pen strokes", *(f"{r['drawn']['accuracy']:.2%}" for r in results)])
        worst = [min(filter(None, r["drawn"]["recall"])) for r in results]
        rows.append(["… the worst digit", *(f"{value:.1%}" for value in worst)])
        rows.append(["… refused", *(f"{r['drawn']['refused']:.2%}" for r in results)])
    rejected = [r["refusals"]["MNIST test digits"]["refused"] for r in results]
    rows.append(["refused: MNIST test digits", *(f"{value:.2%}" for value in rejected)])
    for kind in kinds:
        cells = [r["refusals"][kind] for r in results]
        rows.append(
            [f"refused: {kind} (AUROC)", *(f"{c['refused']:.1%} ({c['auroc']:.3f})" for c in cells)]
        )
    lines = [columns, ["---", *["---:"] * len(results)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _spread(values: list[float]) -> str:
    """Mean and standard deviation of a few accuracies."""
    deviation = f" ± {np.std(values, ddof=1):.2%}" if len(values) > 1 else ""
    return f"{np.mean(values):.2%}{deviation}"


def _error(result: ModelCard) -> str:
    return f"{100 * result['calibration']['after']['error']:.2f} points"


def with_kept(results: list[ModelCard], path: Path) -> list[ModelCard]:
    """Return the results, and those of other networks that ``path`` has from earlier runs."""
    kept = json.loads(path.read_text()) if path.exists() else []
    by_name = {result["name"]: result for result in [*kept, *results]}
    return [by_name[name] for name in (*NETWORKS, SAMPLE) if name in by_name]


def ship(path: Path) -> None:
    """Copy a model with its card and figures to ``models/``."""

    def write(folder: Path) -> None:
        for file in sorted(path.parent.glob(f"{path.stem}[.-]*")):
            shutil.copyfile(file, folder / file.name)

    previous = replace_model(MODELS_DIR / path.name, write)
    print(f"{path} copied to {MODELS_DIR}; the model that it replaces: {previous or 'none'}")


def main() -> int:
    """Train, measure, print the table, write the results to ``models/bench-quality.json``."""
    parser = argparse.ArgumentParser(prog="run.sh bench quality", description=__doc__)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0 (3)")
    parser.add_argument("--data", default="mnist", help="where MNIST is (mnist)")
    parser.add_argument("--drawn", type=Path, metavar="FILE", help="recorded pen strokes")
    parser.add_argument("--sample", action="store_true", help="also the CNN of 5,000 digits")
    parser.add_argument("--ship", action="store_true", help="copy the chosen models to models/")
    options = parser.parse_args()
    try:
        mnist = load_mnist(options.data)
        results = []
        for network in options.networks:
            paths = [
                train(network, seed, options.data, RUNS / f"{network}-{seed}")
                for seed in range(options.seeds)
            ]
            results.append(measure(network, paths, mnist.test, options.drawn))
            if options.ship:
                ship(choose(paths))
        if options.sample:
            path = train("cnn", 0, "sample", RUNS / "sample-0")
            results.append(measure(SAMPLE, [path], mnist.test, options.drawn))
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    results = with_kept(results, RESULTS)
    print(table(results))
    write_json(RESULTS, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
