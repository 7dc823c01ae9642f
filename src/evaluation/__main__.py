"""Measure trained models: ``bash run.sh evaluate WHAT ...``; ``WHAT --help`` lists its options."""

import argparse
import sys

from errors import DigitsError
from evaluation import evaluate_strokes, images, number_weights, numbers, quality

COMMANDS = {
    "strokes": evaluate_strokes,
    "images": images,
    "numbers": numbers,
    "number-weights": number_weights,
    "quality": quality,
}


def main(arguments: list[str] | None = None) -> int:
    """Run one of COMMANDS; return the exit status."""
    parser = argparse.ArgumentParser(prog="run.sh evaluate", description=__doc__)
    commands = parser.add_subparsers(metavar="WHAT", required=True)
    for name, module in COMMANDS.items():
        about = module.__doc__ or ""
        command = commands.add_parser(name, help=about.partition(":")[0], description=about)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. What quality has trained is kept.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
