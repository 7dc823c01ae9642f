"""Measure how well a model reads recorded pen strokes: ``bash run.sh drawn FILE``.

Each sample (see `evaluation.strokes`) is drawn on a canvas with a random brush, size and place and
goes through the same code path as an image sent to the API. FILE is JSON lines, plain or gzipped.
"""

import argparse
import io
import os
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from tqdm import tqdm

from errors import DigitsError
from evaluation.strokes import StrokeSample, draw, read_strokes
from model.checkpoint import find_model, write_atomically, write_json
from model.classifier import Classifier, Prediction
from model.config import DATA_DIR, IMAGE_SIZE, NUM_CLASSES
from model.preprocessing.normalize import preprocess

BATCH = 500
SHEET_COLUMNS, SHEET_ROWS = 12, 10
ZOOM = 3  # a picture of 28 pixels is shown this many times larger
CAPTION = 14  # pixels below it


def upload(sample: StrokeSample, rng: np.random.Generator) -> np.ndarray:
    """Draw a recording, pack it as PNG and read it as the API does; returns (28, 28) uint8."""
    file = io.BytesIO()
    draw(sample, rng).save(file, format="PNG", compress_level=1)
    return preprocess(file.getvalue()).image


def read_drawings(
    classifier: Classifier, samples: list[StrokeSample], seed: int
) -> tuple[np.ndarray, list[Prediction]]:
    """Draw and read recordings; each has random numbers of its own, whatever stands before it.

    Returns:
        The pictures (N, 28, 28) uint8 that the network saw, and what it read in them.
    """
    images = np.empty((len(samples), IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    predictions: list[Prediction] = []
    with tqdm(total=len(samples), unit="drawing", disable=None) as progress:
        for start in range(0, len(samples), BATCH):
            stop = min(start + BATCH, len(samples))
            for i in range(start, stop):
                images[i] = upload(samples[i], np.random.default_rng([seed, i]))
                progress.update()
            predictions += classifier.predict(images[start:stop])
    return images, predictions


def score(samples: list[StrokeSample], predictions: list[Prediction]) -> dict[str, object]:
    """Return the results: shares from 0 to 1, and a confusion matrix with true digits as rows."""
    confusion = np.zeros((NUM_CLASSES, NUM_CLASSES), dtype=int)
    by_writer: dict[str, list[bool]] = defaultdict(list)
    for sample, prediction in zip(samples, predictions, strict=True):
        confusion[sample.label, prediction.digit] += 1
        by_writer[sample.writer].append(sample.label == prediction.digit)
    written = confusion.sum(axis=1)
    writers = [float(np.mean(correct)) for correct in by_writer.values()]
    return {
        "drawings": len(samples),
        "writers": len(writers),
        "accuracy": float(np.trace(confusion) / len(samples)),
        "mean_over_writers": float(np.mean(writers)),
        "worst_writer": min(writers),
        "refused": float(np.mean([not prediction.is_digit for prediction in predictions])),
        "recall": [
            float(confusion[digit, digit] / written[digit]) if written[digit] else None
            for digit in range(NUM_CLASSES)
        ],
        "confusion": confusion.tolist(),
    }


def report(results: dict[str, object]) -> str:
    """Return the results as text for a terminal."""
    lines = [
        f"accuracy           {results['accuracy']:8.2%}   of {results['drawings']} drawings",
        f"mean over writers  {results['mean_over_writers']:8.2%}   of {results['writers']}, "
        f"the worst {results['worst_writer']:.2%}",
        f"refused            {results['refused']:8.2%}   taken for no digit",
        "",
        "written  recall   read as" + "".join(f"{digit:>6}" for digit in range(NUM_CLASSES)),
    ]
    for digit, (recall, row) in enumerate(
        zip(results["recall"], results["confusion"], strict=True)
    ):
        share = "     -" if recall is None else f"{recall:6.1%}"
        cells = "".join(f"{count or '.':>6}" for count in row)
        lines.append(f"{digit:>7}  {share:>6}          {cells}")
    return "\n".join(lines)


def contact_sheet(
    samples: list[StrokeSample],
    images: np.ndarray,
    predictions: list[Prediction],
    title: str,
) -> Image.Image:
    """Show what was misread, the surest mistakes first: the digit written, the digit read."""
    wrong = [
        i
        for i, (sample, prediction) in enumerate(zip(samples, predictions, strict=True))
        if sample.label != prediction.digit
    ]
    wrong.sort(key=lambda i: -predictions[i].confidence)
    shown = wrong[: SHEET_COLUMNS * SHEET_ROWS]
    rows = max(1, -(-len(shown) // SHEET_COLUMNS))
    tile, gap, head = IMAGE_SIZE * ZOOM, 4, 20
    size = (SHEET_COLUMNS * (tile + gap) + gap, head + rows * (tile + CAPTION + gap))
    sheet = Image.new("L", size, 255)
    pen = ImageDraw.Draw(sheet)
    pen.text((gap, 4), f"{title}: {len(wrong)} of {len(samples)} misread", fill=0)
    for k, i in enumerate(shown):
        x = gap + k % SHEET_COLUMNS * (tile + gap)
        y = head + k // SHEET_COLUMNS * (tile + CAPTION + gap)
        image = Image.fromarray(images[i]).resize((tile, tile), Image.Resampling.NEAREST)
        sheet.paste(image, (x, y))
        prediction = predictions[i]
        caption = f"{samples[i].label} as {prediction.digit}, {prediction.confidence:.0%}"
        pen.text((x, y + tile), caption, fill=0)
    return sheet


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write the contact sheet; return 1 when file or model cannot be read."""
    parser = argparse.ArgumentParser(prog="run.sh drawn", description=__doc__)
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="recordings, one JSON object a line"
    )
    default = os.environ.get("API_MODEL", "cnn")
    parser.add_argument("--model", default=default, help=f"name or .pt file ({default})")
    parser.add_argument("--seed", type=int, default=0, help="of brush, size and place (0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    options = parser.parse_args(arguments)
    try:
        classifier = Classifier.load(find_model(options.model))
        samples = read_strokes(options.file)
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    images, predictions = read_drawings(classifier, samples, options.seed)
    results = score(samples, predictions)
    name = f"{classifier.name} {classifier.version}"
    print(f"{name} on {options.file.name}, seed {options.seed}\n\n{report(results)}")
    sheet = contact_sheet(samples, images, predictions, f"{name} on {options.file.name}")
    stem = options.file.name.split(".")[0]
    sheet_path = DATA_DIR / "drawn" / f"{stem}-{classifier.name}-misread.png"
    sheet_path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(sheet_path, lambda file: sheet.save(file, format="PNG"))
    print(f"\nwhat was misread: {sheet_path}")
    if options.json:
        about = {"model": classifier.name, "version": classifier.version, "file": options.file.name}
        write_json(options.json, {**about, "seed": options.seed, **results})
    return 0


if __name__ == "__main__":
    sys.exit(main())
