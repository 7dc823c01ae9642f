"""The study: MLP against CNN, pixels unpermuted against permuted, with and without augmentation.

bash run.sh compare               the full factorial -> models/comparison.json, tables, figures
bash run.sh compare --sweeps      training-set size, corruptions, permuted blocks
bash run.sh compare --quick       a rougher answer in 5 minutes, into data/study
bash run.sh compare --report      tables and figures once more from models/comparison.json

Finished runs are kept: stopped by Ctrl-C, the same command goes on from there.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from errors import DigitsError
from main_pipeline import positive
from model.config import DATA_DIR, MODELS_DIR
from model.data.mnist import load_mnist
from model.registry import NETWORKS
from model.training.distributed import PRECISIONS, choose_device, choose_precision
from study.report import write_report
from study.results import FILE_NAME, read_comparison, write_comparison
from study.runner import Study
from study.runs import (
    DEFAULT_NETWORKS,
    MAX_DOUBLINGS,
    QUICK_EPOCHS,
    QUICK_IMAGES,
    SEEDS,
    factorial,
    sweeps,
)
from study.store import Store
from study.strokes import StrokeSet
from study.training import stratified


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; exits with status 2 and the usage on a wrong one."""
    parser = argparse.ArgumentParser(
        prog="run.sh compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sweeps", action="store_true", help="the sweeps, not the factorial")
    parser.add_argument("--quick", action="store_true", help="one seed, fewer images and epochs")
    parser.add_argument("--report", action="store_true", help="train nothing; tables and figures")
    parser.add_argument(
        "--models",
        nargs="+",
        choices=NETWORKS,
        default=DEFAULT_NETWORKS,
        metavar="NETWORK",
        help=f"networks of the factorial: {', '.join(NETWORKS)} ({' '.join(DEFAULT_NETWORKS)})",
    )
    parser.add_argument(
        "--strokes", type=Path, metavar="FILE", help="recorded pen strokes to classify"
    )
    parser.add_argument(
        "--data", default="auto", help="auto, mnist, sample or a directory, as for training (auto)"
    )
    parser.add_argument(
        "--seeds", type=int, choices=range(1, len(SEEDS) + 1), help=f"how many ({len(SEEDS)})"
    )
    parser.add_argument("--epochs", type=positive, help="of every run (the study's table)")
    parser.add_argument("--images", type=positive, help="to train on at most (all)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (auto)")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto", help="(auto)")
    parser.add_argument(
        "--output", type=Path, help="directory for results (models; data/study/rough for a part)"
    )
    parser.add_argument(
        "--work", type=Path, default=DATA_DIR / "study", help="where finished runs lie"
    )
    options = parser.parse_args(arguments)
    if options.sweeps and tuple(options.models) != DEFAULT_NETWORKS:
        parser.error("--models is for the factorial; the sweeps are those of the MLP and the CNN")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the study; return the exit status."""
    options = parse(arguments)
    try:
        if options.report:
            output = options.output or MODELS_DIR
            write_report(read_comparison(output / FILE_NAME), load_mnist(options.data), output)
        else:
            compare(options)
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Finished runs are kept: the same command goes on.", file=sys.stderr)
        return 130
    return 0


def compare(options: argparse.Namespace) -> None:
    """Train what is not finished, measure, and write results, tables, figures and models."""
    mnist = load_mnist(options.data)
    images = options.images or (QUICK_IMAGES if options.quick else len(mnist.training))
    full = mnist.complete and not any(
        (options.quick, options.seeds, options.epochs, options.images)
    )
    if images < len(mnist.training):
        mnist = replace(mnist, training=stratified(mnist.training, images, seed=0))
    output = options.output or (MODELS_DIR if full else options.work / "rough")
    if not full:
        print(f"This is a part of the study only: results go to {output}.")
    output.mkdir(parents=True, exist_ok=True)
    seeds = SEEDS[: options.seeds or (1 if options.quick else len(SEEDS))]
    runs = sweeps(seeds) if options.sweeps else factorial(options.models, seeds)
    if options.quick or options.epochs:
        runs = [
            replace(run, epochs=options.epochs or QUICK_EPOCHS[run.registry_name]) for run in runs
        ]
    runs = [run for run in runs if run.pictures is None or run.pictures < len(mnist.training)]
    device = choose_device(options.device)
    precision = choose_precision(options.precision, device)
    doublings = 0 if options.quick or options.epochs else MAX_DOUBLINGS
    store = Store(
        options.work / ("runs" if full else "rough-runs"),
        mnist,
        device=device.type,
        precision=precision,
        max_doublings=doublings,
    )
    strokes = StrokeSet.load(options.strokes) if options.strokes else None
    study = Study(store, device, precision, doublings, strokes)
    results = study.run(runs, with_robustness=options.sweeps)
    study.export(runs, results, output)
    comparison = study.merge(results, output / FILE_NAME)
    write_comparison(comparison, output / FILE_NAME)
    write_report(comparison, mnist, output, store)


if __name__ == "__main__":
    sys.exit(main())
