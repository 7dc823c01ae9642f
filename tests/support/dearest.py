"""A search for the dearest legal pictures: processor time after decoding, memory beside the pixels.

    OMP_NUM_THREADS=1 PYTHONPATH=src:. python -m tests.support.dearest --rounds 3

Drawings of every kind are made in several sizes, then the dearest ones are varied at random. The
exit status is 1 if one costs more than its limit. Measure on a quiet machine.
"""

import argparse
import io
import re
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
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
KEPT = 20  # the dearest drawings, which are varied
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


@dataclass(frozen=True)
class Drawing:
    """A picture to make, black on white."""

    kind: str
    height: int
    width: int
    step: int = 24
    pen: int = 3
    margin: int = 2
    mode: str = "L"

    def vary(self, rng: np.random.Generator) -> "Drawing":
        lengths = np.array([self.height, self.width, self.step, self.pen])
        lengths = np.ceil(lengths * rng.choice([0.5, 0.8, 1, 1.3, 2], size=4)).astype(int)
        mode = str(rng.choice(["L", "RGB", "RGBA"]))
        return Drawing(self.kind, *lengths.tolist(), int(rng.choice([0, 2, 2, 30])), mode)

    def encode(self) -> bytes:
        y, x = np.ogrid[: max(2, self.height - 2 * self.margin), : self.width]
        ink = np.pad(KINDS[self.kind](y, x, max(self.step, 2), self.pen), self.margin)
        file = io.BytesIO()
        Image.fromarray(~ink).convert(self.mode).save(file, "PNG")
        return file.getvalue()


def memory(entry: str) -> float:
    found = re.search(rf"{entry}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1000 if found else 0.0


def measure(drawing: Drawing) -> list[tuple[float, str]]:
    """Return for each request how many times its limit it costs, and what to print."""
    data, costs = drawing.encode(), []
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
            told = f"{name:8} {ms:5.0f} ms of {limit} {used:4.0f} MB {len(data):6} bytes {drawing}"
            costs.append((max(ms / limit, used / MEGABYTES), told))
    return costs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of variation (%(default)s)")
    rounds, rng = parser.parse_args().rounds, np.random.default_rng(0)
    measure(Drawing("digits", 60, 240))  # the first picture costs more
    costs: dict[Drawing, list[tuple[float, str]]] = {}
    drawings = [Drawing(kind, *size) for kind in KINDS for size in SIZES]
    # Each drawing has a process of its own: memory that another one left would hide its use.
    with suppress(KeyboardInterrupt), get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        for number in range(rounds + 1):
            found = tqdm(pool.imap(measure, drawings), f"round {number}", len(drawings))
            costs.update(zip(drawings, found, strict=True))
            dearest = sorted(costs, key=lambda one: max(costs[one], default=(0.0, "")))[-KEPT:]
            drawings = [drawing.vary(rng) for drawing in dearest for _ in range(3)]
    table = sorted((cost for found in costs.values() for cost in found), reverse=True)
    print(*(f"{share:4.1f} {told}" for share, told in table[:KEPT]), sep="\n")
    return int(table[0][0] > 1)


if __name__ == "__main__":
    sys.exit(main())
