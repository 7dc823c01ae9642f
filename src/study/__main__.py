"""The study: MLP against CNN. Train its networks, test them, write tables and figures.

The whole study takes about eight hours of one core, --quick five minutes. Results go to
comparison.csv. What is there is not trained again: after Ctrl-C the same command goes on.
Whoever changes a recipe raises VERSION in config.py.
"""

import argparse
import sys
from pathlib import Path

from arguments import output_folder
from errors import DigitsError
from model.config import DATA_DIR, MODELS_DIR
from model.data.mnist import load_mnist
from study.measure import drawn_sets, measure, read_results
from study.plan import MNIST, all_runs
from study.report import write_report

QUICK_IMAGES, QUICK_SEEDS, QUICK_FEWER_EPOCHS = 3_000, 2, 6


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; exits with status 2 and the usage on a wrong one."""
    parser = argparse.ArgumentParser(
        "run.sh compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    drawn = "digits to read besides MNIST's: as for evaluate, strokes or a folder of pictures"
    add("paths", type=Path, nargs="*", metavar="PATH", help=drawn)
    add("--quick", action="store_true", help="2 seeds, fewer images and epochs, in data/study")
    add("--report", action="store_true", help="train nothing: tables and figures once more")
    add("--data", help="mnist, auto, sample or a folder, as for training (mnist; --quick: auto)")
    add("--output", type=output_folder, help="folder for the results (models)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the study; return the exit status."""
    options = parse(arguments)
    folder = options.output or (DATA_DIR / "study" if options.quick else MODELS_DIR)
    path = folder / "comparison.csv"
    try:
        if not options.report:
            mnist = load_mnist(options.data or ("auto" if options.quick else "mnist"))
            training, runs = mnist.training, all_runs(len(mnist.training))
            if options.quick:
                training = training[:QUICK_IMAGES]
                runs = all_runs(len(training), QUICK_SEEDS, QUICK_FEWER_EPOCHS)
            sets = {MNIST: mnist.test, **drawn_sets(options.paths)}
            measure(runs, training, mnist.validation, sets, path)
        write_report(read_results(path), folder)
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130
    print(f"Results: comparison.md and figures/ in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
