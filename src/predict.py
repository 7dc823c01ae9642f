"""Read picture files without any service: ``bash run.sh predict FILE...``."""

import argparse
import io
import os
import sys
from pathlib import Path

from errors import DigitsError, ExamplesError, ModelFileError
from model.adaptation import adapt
from model.card import find_line_model, find_model
from model.classifier import REASONS, Classifier
from model.config import MODELS_DIR
from model.examples import read_examples
from model.numbers.line import LineNetwork
from model.numbers.read import REASONS as NUMBER_REASONS
from model.numbers.read import read_numbers
from model.preprocessing.normalize import preprocess
from model.reading import read_image


def main(arguments: list[str] | None = None) -> int:
    """Print what is read in each file; return the exit status: 1 if one could not be read."""
    parser = argparse.ArgumentParser("run.sh predict", description=__doc__)
    add, default = parser.add_argument, os.environ.get("API_MODEL") or "cnn"
    add("files", nargs="+", type=Path, metavar="FILE", help="a picture of a digit")
    add("--number", action="store_true", help="read whole numbers, line by line")
    add("--model", default=default, help=f"name or .onnx file ({default})")
    add("--examples", type=Path, metavar="FILE", help="your own digits, saved by the page")
    options = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file's name need not be UTF-8
        sys.stdout.reconfigure(errors="surrogateescape")
    status = 0
    try:
        classifier = load_classifier(options.model, options.examples)
        network = load_line_network(needed=options.number)
        for path in options.files:
            try:
                data = path.read_bytes()
                if options.number and network:
                    told = describe_number(classifier, network, data)
                else:
                    told = describe_digit(classifier, network, data)
            except OSError as error:
                print(f"{path}: {error.strerror}: give a picture file", file=sys.stderr)
                status = 1
            except DigitsError as error:
                print(f"{path}: {error}", file=sys.stderr)
                status = 1
            else:
                print(f"{path}: {told}", flush=True)
    except BrokenPipeError:  # the program behind the pipe, such as head, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for Python's last flush
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped before all files were read.", file=sys.stderr)
        return 130
    return status


def load_classifier(model: str, examples: Path | None) -> Classifier:
    """Load a model, and adapt it to the file of examples if there is one."""
    classifier = Classifier.load(find_model(model))
    if examples is None:
        return classifier
    try:
        return adapt(classifier, *read_examples(examples.read_bytes()))
    except OSError as error:
        advice = "give the file that the page saves on Your handwriting"
        raise ExamplesError(f"--examples {examples}: {error.strerror}: {advice}") from error


def load_line_network(needed: bool = False) -> LineNetwork | None:
    """Load the network for lines; return None if it cannot be had and is not needed."""
    try:
        return LineNetwork.load(find_line_model(MODELS_DIR))
    except ModelFileError as error:
        if needed:
            raise
        print(f"Digits are read by the classifier alone. {error}", file=sys.stderr)
        return None


def describe_digit(classifier: Classifier, network: LineNetwork | None, data: bytes) -> str:
    """Return the digit in a picture file, or why the picture is rejected."""
    prediction = read_image(classifier, data, network).prediction
    likeliest = f"{prediction.digit} ({percent(prediction.confidence)})"
    if prediction.reason is None:
        return likeliest
    return f"rejected. {REASONS[prediction.reason]} Likeliest: {likeliest}"


def describe_number(classifier: Classifier, network: LineNetwork, data: bytes) -> str:
    """Return the number in each line of a picture file, or why it has none."""
    return "; ".join(
        f"no number. {NUMBER_REASONS[line.reason]}"
        if line.reason
        else f"{line.number} ({percent(line.confidence)})"
        for line in read_numbers(classifier, network, preprocess(data))
    )


def percent(probability: float) -> str:
    """Write a probability in %, never as certain."""
    return f"{probability:.1%}" if probability < 0.9995 else ">99.9%"


if __name__ == "__main__":
    sys.exit(main())
