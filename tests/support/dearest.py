"""A search for the dearest legal pictures: processor time after decoding, memory beside the pixels.

    OMP_NUM_THREADS=1 PYTHONPATH=src:. python -m tests.support.dearest --count 300

Draws pictures of every kind and of random sizes, and lists the dearest ones. The exit status is 1
if one costs more than its limit. Measure on a quiet machine.
"""

import argparse
import io
import re
import sys
import time
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from errors import ImageError
from model.card import find_line_model, find_model
from model.classifier import Classifier
from model.config import MODELS_DIR
from model.numbers.find import find_lines
from model.numbers.line import LineNetwork
from model.numbers.read import read_numbers
from model.preprocessing.normalize import normalize, open_image
from model.reading import read_images

CLASSIFIER = Classifier.load(find_model("cnn"))
NETWORK = LineNetwork.load(find_line_model(MODELS_DIR))
ONE_LINE_MS, OTHER_MS, MEGABYTES = 100, 500, 100  # limits
SHOWN = 20  # of the dearest requests
SIZES = ((1, 280), (2, 800), (9, 29908), (200, 200), (180, 22000), (1200, 1600), (3990, 1000))
# Which pixels are ink, by row, column, distance between parts and width of strokes.
KINDS = {
    "rules": lambda y, x, step, pen: (y % step < pen) | (x < 0),
    "comb": lambda y, x, step, pen: (x % step < pen) | (y < pen),
    "squares": lambda y, x, step, pen: (x % step < pen) | (y % step < pen),
    "dots": lambda y, x, step, pen: (x % step < pen) & (y % step < pen),
    "checks": lambda y, x, step, pen: (x // pen + y // pen) % 2 > 0,
    "slants": lambda y, x, step, pen: (x + y) % step < pen,
    "zigzag": lambda y, x, step, pen: abs(abs(x % (2 * step) - step) - y * step / len(y)) < pen,
    "noise": lambda y, x, step, pen: np.random.default_rng(pen).random((len(y), x.size)) < 1 / step,
    "digits": lambda y, x, step, pen: row_of_digits(step, pen)[y % (2 * step), x % (10 * step)],
}


def row_of_digits(size: int, pen: int) -> np.ndarray:
    row = np.zeros((2 * size, 10 * size), np.uint8)
    for place, digit in enumerate("3141592687"):
        cv2.putText(row, digit, (place * size, size + size // 2), 0, size / 24, 1, min(pen, 99))
    return row > 0


def draw(seed: int) -> tuple[bytes, str]:
    """Return a picture file, black on white, and what it shows."""
    rng = np.random.default_rng(seed)
    kind, size = str(rng.choice(list(KINDS))), SIZES[rng.integers(len(SIZES))]
    scales = rng.choice([0.5, 0.8, 1, 1.3, 2], size=4)
    lengths = np.ceil(scales * (*size, 24, 3)).astype(int).tolist()
    height, width, step, pen = lengths
    margin, mode = int(rng.choice([0, 2, 2, 30])), str(rng.choice(["L", "RGB", "RGBA"]))
    y, x = np.ogrid[: max(2, height - 2 * margin), :width]
    ink, file = np.pad(KINDS[kind](y, x, max(step, 2), pen), margin), io.BytesIO()
    Image.fromarray(~ink).convert(mode).save(file, "PNG")
    return file.getvalue(), f"{seed}: {kind} {height} x {width}, step {step}, pen {pen}, {mode}"


def memory(entry: str) -> float:
    found = re.search(rf"{entry}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1000 if found else 0.0


def measure(seed: int) -> list[tuple[float, str]]:
    """Return for each request how many times its limit it costs, and what to print."""
    (data, shown), costs = draw(seed), []
    for name in ("predict", "number"):
        with suppress(ImageError):  # a blank picture, or too large a one
            image = open_image(data)
            Path("/proc/self/clear_refs").write_text("5")  # the highest use of memory starts anew
            before, started = memory("VmRSS"), time.process_time()
            preprocessed = normalize(image)
            if name == "predict":
                read_images(CLASSIFIER, [preprocessed], NETWORK)
            else:
                read_numbers(CLASSIFIER, NETWORK, preprocessed)
            ms, used = 1000 * (time.process_time() - started), memory("VmHWM") - before
            is_line = name == "number" and len(find_lines(preprocessed.foreground)) == 1
            limit = ONE_LINE_MS if is_line else OTHER_MS
            told = f"{name:8} {ms:5.0f} ms of {limit} {used:4.0f} MB {len(data):6} bytes {shown}"
            costs.append((max(ms / limit, used / MEGABYTES), told))
    return costs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="of pictures (%(default)s)")
    seeds = range(parser.parse_args().count)
    measure(0)  # the first picture costs more
    # Each picture has a process of its own: memory that another one left would hide its use.
    with get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        found = list(tqdm(pool.imap(measure, seeds), total=len(seeds)))
    table = sorted((cost for costs in found for cost in costs), reverse=True)
    print(*(f"{share:4.1f} {told}" for share, told in table[:SHOWN]), sep="\n")
    return int(table[0][0] > 1)


if __name__ == "__main__":
    sys.exit(main())
