"""The study: MLP against CNN. Train its networks, test them, write tables and figures.

The whole study takes about six hours of one core, --quick five minutes. Results go to
comparison.csv in models (--quick: data/study). What is there is not trained again: after Ctrl-C
the same command goes on. If you change a recipe, delete comparison.csv first.
"""

import argparse
import sys
from pathlib import Path

from errors import DigitsError
from model.config import DATA_DIR, MODELS_DIR
from model.data.mnist import load_mnist
from study.measure import drawn_sets, measure, read_results
from study.plan import MNIST, SEEDS, all_runs
from study.report import write_report

QUICK_IMAGES, QUICK_SEEDS = 3_000, 2


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("run.sh compare", description=__doc__)
    drawn = "digits to read besides MNIST's: as for evaluate, strokes or a folder of pictures"
    parser.add_argument("paths", type=Path, nargs="*", metavar="PATH", help=drawn)
    parser.add_argument("--quick", action="store_true", help="2 seeds, fewer images")
    parser.add_argument("--report", action="store_true", help="train nothing: write tables again")
    options = parser.parse_args(arguments)
    folder = DATA_DIR / "study" if options.quick else MODELS_DIR
    try:
        mnist = load_mnist("auto" if options.quick else "mnist")
        training = mnist.training[: QUICK_IMAGES if options.quick else None]
        runs = all_runs(len(training), seeds=QUICK_SEEDS if options.quick else SEEDS)
        if not options.report:
            sets = {MNIST: mnist.test, **drawn_sets(options.paths)}
            measure(runs, training, mnist.validation, sets, folder / "comparison.csv")
        write_report(read_results(folder / "comparison.csv"), training, folder)
    except (DigitsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130
    print(f"Results: comparison.md and figures/ in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
