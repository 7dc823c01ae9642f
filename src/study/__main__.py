"""The study: MLP against CNN, pixels unpermuted against permuted, by augmentation.

Every row is trained with every augmentation and five seeds, which takes seven hours of a core;
then the claims are judged. With --quick it is a rougher answer in 5 minutes, in data/study/quick.

Finished runs are kept in data/study: stopped by Ctrl-C, the same command goes on from there.
"""

import argparse
import os
import platform
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from arguments import output_folder
from errors import DigitsError
from model.config import DATA_DIR, MODELS_DIR
from model.data.mnist import Mnist, load_mnist
from study.claims import judge
from study.ladder import can_give_examples, deep_keys, measure_deep
from study.pictures import MNIST, TestSet, corrupted_sets, drawn_sets, mnist_set
from study.report import write_report
from study.results import FILE_NAME, Comparison, merge, read_comparison, rows_of, write_comparison
from study.runs import PARTS, SEEDS, Run
from study.store import Finished, Store

WORK = DATA_DIR / "study"
# Each command, the parts of the study that it makes, and what they are about
COMMANDS: dict[str, tuple[tuple[str, ...], str]] = {
    "factorial": (("factorial",), "every network, order and augmentation; the claims (default)"),
    "sweeps": (("orders", "sizes", "corruptions"), "orders of the pixels, sizes, corruptions"),
    "ladder": (("ladder",), "what makes a digit reader work on your own digit"),
    "doubled": (("doubled",), "whether twice the epochs would gain anything"),
    "report": ((), "tables and figures once more, from comparison.json"),
}
QUICK_SEEDS, QUICK_IMAGES, QUICK_FRACTION = 2, 3_000, 6  # divides the epochs


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; exits with status 2 and the usage on a wrong one."""
    parser = argparse.ArgumentParser(
        prog="run.sh compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    group = parser.add_mutually_exclusive_group()
    for name, (_, about) in COMMANDS.items():
        group.add_argument(f"--{name}", dest="name", action="store_const", const=name, help=about)
    parser.set_defaults(name="factorial")
    add = parser.add_argument
    add("--quick", action="store_true", help="2 seeds, fewer images and epochs")
    add("--strokes", type=Path, nargs="+", default=[], metavar="FILE", help="recorded pen strokes")
    add("--pictures", type=Path, metavar="DIR", help="labelled pictures, as for evaluate images")
    data = "mnist, auto, sample or a directory, as for training (mnist; with --quick auto)"
    add("--data", help=data)
    add("--output", type=output_folder, help="directory for results (models)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the study; return the exit status."""
    options = parse(arguments)
    is_rough = options.quick or options.data == "sample"
    output = options.output or (WORK / "quick" if is_rough else MODELS_DIR)
    path = output / FILE_NAME
    output.mkdir(parents=True, exist_ok=True)
    try:
        if options.name != "report":
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
    """Finish the runs of a command; return their results with those of others in `path`."""
    before = read_comparison(path) if path.is_file() else None
    mnist = load_mnist(options.data or ("auto" if options.quick else "mnist"))
    store = Store(WORK, mnist)
    images, seeds, fraction = len(mnist.training), SEEDS, 1
    if options.quick:
        images, seeds, fraction = min(images, QUICK_IMAGES), SEEDS[:QUICK_SEEDS], QUICK_FRACTION
    plan = [
        (part, replace(run, epochs=max(1, run.epochs // fraction)))
        for part in PARTS
        for run in PARTS[part].runs(images, seeds)
    ]
    sets = {part: load_sets(part, mnist, options) for part in COMMANDS[options.name][0]}
    rows: list[dict[str, Any]] = []
    finished: dict[Run, Finished] = {}
    for part, run in tqdm([one for one in plan if one[0] in sets], unit="run", disable=None):
        finished[run] = store.finish(run, sets[part])
        rows += (found := rows_of(part, run, store.key(run), finished[run], sets[part]))
        tqdm.write(f"{run}: {found[0]['accuracy']:.2%} of {found[0]['on']}")
    table = pd.DataFrame(rows)
    if "ladder" in sets:
        table = pd.concat([table, measure_deep(sets["ladder"])])
    claims = judge(finished, sets["factorial"]) if "factorial" in sets else pd.DataFrame()
    about = {
        "data": mnist.description(),
        "hardware": f"{platform.machine()}, {os.cpu_count()} cores",
        "torch": torch.__version__,
        "sets": {one.on: len(one.digits) for group in sets.values() for one in group},
    }
    comparison = Comparison(about, table, claims)
    current = {store.key(run) for _, run in plan} | deep_keys()
    return merge(before, comparison, current) if before else comparison


def load_sets(part: str, mnist: Mnist, options: argparse.Namespace) -> list[TestSet]:
    """Return what the networks of a part of the study classify."""
    if part == "corruptions":
        return corrupted_sets(mnist.test)
    if part == "doubled":
        return [mnist_set("MNIST, validation", mnist.validation)]
    drawn = []
    if part in ("factorial", "ladder"):
        drawn = drawn_sets(options.strokes, options.pictures)
    if part == "ladder":
        drawn = [one for one in drawn if can_give_examples(one)]
    return [mnist_set(MNIST, mnist.test), *drawn]


if __name__ == "__main__":
    sys.exit(main())
