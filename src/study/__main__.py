"""The study: MLP against CNN, pixels unpermuted against permuted, by augmentation.

Every row is trained with every augmentation and five seeds, in about three hours on two cores;
then the claims are judged. With --quick it is a rougher answer in 5 minutes, in data/study/quick.

Finished runs are kept in data/study: stopped by Ctrl-C, the same command goes on from there.
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from errors import DigitsError
from model.config import DATA_DIR, MODELS_DIR
from model.data.mnist import load_mnist
from study.claims import judge
from study.ladder import can_give_examples, measure_deep
from study.permutations import UNPERMUTED
from study.pictures import MNIST, corrupted_sets, load_sets
from study.report import write_report
from study.results import FILE_NAME, Comparison, merge, read_comparison, rows_of, write_comparison
from study.runs import PARTS, SEEDS, Run
from study.store import Finished, Store

WORK = DATA_DIR / "study"
OTHER_PARTS = {
    "sweeps": "training-set size, corruptions, permuted blocks",
    "ladder": "what makes a digit reader work on your own digit",
    "doubled": "whether twice the epochs would gain anything",
    "report": "tables and figures once more, from comparison.json",
}
QUICK_SEEDS, QUICK_IMAGES, QUICK_FRACTION = 2, 3_000, 6  # divides the epochs


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; exits with status 2 and the usage on a wrong one."""
    parser = argparse.ArgumentParser(
        prog="run.sh compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    part = parser.add_mutually_exclusive_group()
    for name, about in OTHER_PARTS.items():
        part.add_argument(f"--{name}", dest="part", action="store_const", const=name, help=about)
    parser.set_defaults(part="factorial")
    add = parser.add_argument
    add("--quick", action="store_true", help="2 seeds, fewer images and epochs")
    add("--strokes", type=Path, nargs="+", default=[], metavar="FILE", help="recorded pen strokes")
    add("--pictures", type=Path, metavar="DIR", help="labelled pictures, as for evaluate images")
    add("--data", default="auto", help="auto, mnist, sample or a directory, as for training (auto)")
    add("--output", type=Path, help="directory for results (models)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the study; return the exit status."""
    options = parse(arguments)
    output = options.output or (WORK / "quick" if options.quick else MODELS_DIR)
    path = output / FILE_NAME
    try:
        if options.part != "report":
            output.mkdir(parents=True, exist_ok=True)
            write_comparison(compare(options, path), path)
        write_report(read_comparison(path), output)
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Finished runs are kept: the same command goes on.", file=sys.stderr)
        return 130
    return 0


def compare(options: argparse.Namespace, path: Path) -> Comparison:
    """Finish the runs of a part; return their results with those of other parts in `path`."""
    mnist = load_mnist(options.data)
    sets = load_sets(mnist, options.strokes, options.pictures)
    if options.part == "ladder":
        sets = [one for one in sets if can_give_examples(one)]
    corruptions = corrupted_sets(mnist.test) if options.part == "sweeps" else []
    store = Store(WORK, mnist)
    images, seeds, fraction = len(mnist.training), SEEDS, 1
    if options.quick:
        images, seeds, fraction = min(images, QUICK_IMAGES), SEEDS[:QUICK_SEEDS], QUICK_FRACTION

    def plan(part: Callable[[int, range], list[Run]]) -> list[Run]:
        runs = part(images, seeds)
        return [replace(run, epochs=max(1, run.epochs // fraction)) for run in runs]

    rows: list[dict[str, Any]] = []
    finished: dict[Run, Finished] = {}
    for run in tqdm(plan(PARTS[options.part]), unit="run", disable=None):
        full = (run.pixels, run.images) == (UNPERMUTED, images)
        sets_of_run = sets + corruptions if full else sets
        finished[run] = store.finish(run, sets_of_run)
        rows += rows_of(run, store.key(run), finished[run], sets_of_run)
        (accuracy,) = (row["accuracy"] for row in rows[-len(sets_of_run) :] if row["on"] == MNIST)
        tqdm.write(f"{run}: {accuracy:.2%} of MNIST's test images")
    table = pd.DataFrame(rows)
    if options.part == "ladder":
        table = pd.concat([table, measure_deep(sets)])
    claims = judge(finished, sets) if options.part == "factorial" else pd.DataFrame()
    about = {
        "data": mnist.description(),
        "hardware": f"{platform.machine()}, {os.cpu_count()} cores",
        "torch": torch.__version__,
        "sets": {one.on: len(one.digits) for one in sets},
    }
    comparison = Comparison(about, table, claims)
    current = {store.key(run) for part in PARTS.values() for run in plan(part)}
    return merge(read_comparison(path), comparison, current) if path.is_file() else comparison


if __name__ == "__main__":
    sys.exit(main())
