"""Read picture files without any service: ``bash run.sh predict FILE...``."""

import argparse
import os
import sys
from pathlib import Path

from errors import DigitsError
from model.adaptation import adapt
from model.checkpoint import find_model
from model.classifier import REASONS, Classifier
from model.examples import read_examples
from model.reading import read_image


def main(arguments: list[str] | None = None) -> int:
    """Print digit and confidence of each file; return 1 when one of them could not be read."""
    parser = argparse.ArgumentParser(prog="run.sh predict", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a picture of a digit")
    default = os.environ.get("API_MODEL", "cnn")
    parser.add_argument("--model", default=default, help=f"name or .pt file ({default})")
    parser.add_argument(
        "--examples",
        type=Path,
        metavar="FILE",
        help="your own digits, saved by the page, to adapt to",
    )
    options = parser.parse_args(arguments)
    try:
        classifier = Classifier.load(find_model(options.model))
        if options.examples:
            classifier = adapt(classifier, *read_examples(options.examples.read_bytes()))
    except (DigitsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    failed = False
    for path in options.files:
        try:
            prediction = read_image(classifier, path.read_bytes()).prediction
        except (DigitsError, OSError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            failed = True
            continue
        line = f"{path}: {prediction.digit} ({prediction.confidence:.1%})"
        if prediction.reason is not None:
            line = (
                f"{path}: no digit. {REASONS[prediction.reason]} Likeliest: {line.split(': ')[1]}"
            )
        print(line)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
