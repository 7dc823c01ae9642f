"""Take the digits 0 to 9 out of MNIST's test set as PNGs, to try the API with.

    .venv/bin/python notebooks/generate_image.py
    curl -F file=@data/generated/7.png localhost:8000/api/v1/predict

They go to data/generated, which git ignores: no MNIST picture is part of this repository.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from errors import DigitsError
from model.card import write_atomically
from model.config import DATA_DIR, NUM_CLASSES
from model.data.mnist import load_mnist
from model.preprocessing.decode import encode_png


def main(arguments: list[str] | None = None) -> int:
    """Write the PNGs; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, default=0, help="which one of each digit (0)")
    parser.add_argument("--output", type=Path, default=DATA_DIR / "generated")
    parser.add_argument("--data", default="auto", help="auto, mnist, sample or a directory (auto)")
    options = parser.parse_args(arguments)
    try:
        test = load_mnist(options.data).test
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    fewest = int(test.labels.bincount(minlength=NUM_CLASSES).min())
    if not 0 <= options.number < fewest:
        parser.error(f"--number: give 0 to {fewest - 1}; so many pictures there are of each digit")
    options.output.mkdir(parents=True, exist_ok=True)
    files = {}
    for digit in range(NUM_CLASSES):
        picture = test.images[test.labels == digit][options.number]
        files[options.output / f"{digit}.png"] = encode_png(picture.numpy())
    write_atomically(files)
    print(f"{NUM_CLASSES} pictures of 28 x 28 pixels: {options.output}/0.png to 9.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
