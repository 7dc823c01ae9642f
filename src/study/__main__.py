"""The study: MLP against CNN, pixels in order against permuted, with and without augmentation.

bash run.sh compare               the whole grid -> models/comparison.json, tables, figures
bash run.sh compare --axes        training-set size, changed pictures, permuted patches
bash run.sh compare --quick       a rougher answer in 5 minutes, into data/study
bash run.sh compare --report      tables and README once more from models/comparison.json

Finished cells are kept: stopped by Ctrl-C, the same command goes on from there.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from errors import DigitsError
from main_pipeline import positive
from model.config import DATA_DIR, MODELS_DIR, REPOSITORY
from model.data.mnist import load_mnist
from model.registry import NETWORKS
from model.training.distributed import PRECISIONS, choose_device, choose_precision
from study.comparison import FILE_NAME, read_comparison
from study.output import write_outputs, write_report
from study.runner import Study
from study.runs import (
    DEFAULT_NETWORKS,
    MOST_DOUBLINGS,
    QUICK_EPOCHS,
    QUICK_PICTURES,
    SEEDS,
    Cell,
    axes,
    grid,
)
from study.store import Store
from study.strokes import Recordings
from study.training import stratified


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; exits with status 2 and the usage on a wrong one."""
    parser = argparse.ArgumentParser(
        prog="run.sh compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--axes", action="store_true", help="the axes instead of the grid")
    parser.add_argument("--quick", action="store_true", help="one seed, fewer pictures and epochs")
    parser.add_argument("--report", action="store_true", help="train nothing; write the tables")
    parser.add_argument(
        "--models",
        nargs="+",
        choices=NETWORKS,
        default=DEFAULT_NETWORKS,
        metavar="NETWORK",
        help=f"networks of the grid: {', '.join(NETWORKS)} ({' '.join(DEFAULT_NETWORKS)})",
    )
    parser.add_argument(
        "--drawn", type=Path, metavar="FILE", help="recorded pen strokes for the networks to read"
    )
    parser.add_argument(
        "--data", default="auto", help="auto, mnist, sample or a directory, as for training (auto)"
    )
    parser.add_argument(
        "--seeds", type=int, choices=range(1, len(SEEDS) + 1), help=f"how many ({len(SEEDS)})"
    )
    parser.add_argument("--epochs", type=positive, help="of every cell (the study's table)")
    parser.add_argument("--pictures", type=positive, help="to train on at most (all)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (auto)")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto", help="(auto)")
    parser.add_argument(
        "--output", type=Path, help="directory for results (models; data/study/rough for a part)"
    )
    parser.add_argument(
        "--work", type=Path, default=DATA_DIR / "study", help="where finished cells lie"
    )
    options = parser.parse_args(arguments)
    if options.axes and tuple(options.models) != DEFAULT_NETWORKS:
        parser.error("--models is for the grid; the axes are those of the MLP and the CNN")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the study; return the exit status."""
    options = parse(arguments)
    try:
        if options.report:
            report(options.output or MODELS_DIR)
        else:
            compare(options)
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Finished cells are kept: the same command goes on.", file=sys.stderr)
        return 130
    return 0


def report(output: Path) -> None:
    """Write tables and README from the results in `output`."""
    write_report(read_comparison(output / FILE_NAME), output, REPOSITORY / "README.md")


def compare(options: argparse.Namespace) -> None:
    """Train what is not finished, measure, and write results, tables, figures and models."""
    mnist = load_mnist(options.data)
    pictures = options.pictures or (QUICK_PICTURES if options.quick else len(mnist.training))
    pictures = min(pictures, len(mnist.training))
    whole = mnist.complete and not any(
        (options.quick, options.seeds, options.epochs, options.pictures)
    )
    if pictures < len(mnist.training):  # which the sample has in order of the digits
        mnist = replace(mnist, training=stratified(mnist.training, pictures, seed=0))
    output = options.output or (MODELS_DIR if whole else options.work / "rough")
    if not whole:
        print(f"This is a part of the study only: results go to {output}.")
    seeds = SEEDS[: options.seeds or (1 if options.quick else len(SEEDS))]

    def fitted(cells: list[Cell]) -> list[Cell]:
        """The cells as the options want them."""
        if options.quick or options.epochs:
            cells = [
                replace(cell, epochs=options.epochs or QUICK_EPOCHS[cell.registry_name])
                for cell in cells
            ]
        return [cell for cell in cells if cell.pictures is None or cell.pictures < pictures]

    device = choose_device(options.device)
    study = Study(
        Store(options.work / ("cells" if whole else "rough-cells"), mnist),
        device,
        choose_precision(options.precision, device),
        most_doublings=0 if options.quick or options.epochs else MOST_DOUBLINGS,
        recordings=Recordings.load(options.drawn) if options.drawn else None,
    )
    if options.axes:
        results = study.run("axes", fitted(axes(seeds)), with_robustness=True)
    else:
        results = study.run("grid", fitted(grid(options.models, seeds)))
        study.leave_permuted_models(fitted(grid(options.models, seeds)), output)
    known = fitted([*grid(tuple(NETWORKS)), *axes()])
    comparison = study.merge(results, known, output / FILE_NAME)
    write_outputs(comparison, study.store, output)
    if whole and output == MODELS_DIR:
        write_report(comparison, output, REPOSITORY / "README.md")


if __name__ == "__main__":
    sys.exit(main())
