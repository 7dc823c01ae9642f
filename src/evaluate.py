"""How well a model reads the digits that you have: ``bash run.sh evaluate PATH...``.

A PATH is a folder of pictures, or a file of strokes as the page saves them. Pictures are named like
7_anything.png, or listed in labels.csv with the columns file and label, and kind and author where
known. A label is a digit, several digits for a number, 12|345 for two lines, or empty or -1 for
neither. Pictures of the kinds crop and unclear are not counted. Each picture is read as the API
reads it. "The usual way" inverts a light picture, stretches its contrast and resizes it to 28 x 28
for the same network.
"""

import argparse
import base64
import functools
import html
import os
import shlex
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from errors import DigitsError, ImageError
from model.card import find_model, write_atomically
from model.classifier import Classifier
from model.data.pictures import COLUMNS, content, draw_pictures, load_pictures, resize_plainly
from model.data.strokes import read_strokes
from model.hand import authors_of_enough, learn
from model.numbers.line import LineNetwork
from model.numbers.read import read_numbers
from model.numbers.write import GAPS, numbers_of_writers
from model.preprocessing.decode import encode_png, luminance, open_image
from model.preprocessing.normalize import preprocess
from model.reading import read_images
from model.readme import Rows, interval, record
from model.robustness import lost_by_changes
from predict import load_line_network

SEED = 0  # of what is drawn
NUMBERS = 200  # of each kind, written of the digits in a file of strokes
THUMBNAIL = (160, 160)  # pixels of a picture on the page of failures
IMAGE = '<img height="112" src="data:image/png;base64,{}">'


def load(path: Path, *, numbers: bool) -> pd.DataFrame:
    """Load a folder, or draw a file of strokes: digit by digit, or the numbers of each writer."""
    if path.is_dir():
        return load_pictures(path)
    samples = read_strokes(path)
    if not numbers:
        return draw_pictures(samples, SEED)
    rows = [
        (f"{kind} {index}", number.text, kind, number.writer, encode_png(number.image))
        for kind, gaps in GAPS.items()
        for index, number in enumerate(numbers_of_writers(samples, NUMBERS, gaps, SEED))
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def read_all(
    classifier: Classifier, network: LineNetwork | None, pictures: pd.DataFrame
) -> pd.DataFrame:
    """Add the columns text, accepted and images (see `read`), right, good, usual.

    Good is a label that is read and accepted; without a label it is a rejection. Usual is
    whether the label is read the usual way.
    """
    found = []
    files = map(content, tqdm(pictures["data"], "reading", disable=None))
    for label, data in zip(pictures["label"], files, strict=True):
        usual = classifier.predict(resize_plainly(data)[None])[0].digit
        found.append((*read(classifier, network, label, data), str(usual) == label))
    columns = ["text", "accepted", "images", "usual"]
    result = pictures.join(pd.DataFrame(found, index=pictures.index, columns=columns))
    result["right"] = result["text"] == result["label"]
    accepted = result["accepted"]
    return result.assign(good=(result["right"] & accepted).where(result["label"] != "", ~accepted))


def read(
    classifier: Classifier, network: LineNetwork | None, label: str, data: bytes
) -> tuple[str, bool, np.ndarray | None]:
    """Read a picture as the API does; a label of several digits needs the network for lines.

    Returns:
        The digit or number, or why there is none; whether it is accepted; and the images that the
        network read, side by side, None where the file cannot be read.
    """
    try:
        picture = preprocess(data)
    except ImageError as error:
        return str(error), False, None
    if len(label) < 2 or network is None:
        reading = read_images(classifier, [picture], network)[0]
        return str(reading.prediction.digit), reading.prediction.is_digit, reading.image
    lines = read_numbers(classifier, network, picture)
    images = [digit.image for line in lines for digit in line.digits] or [picture.image]
    refused = [str(line.reason) for line in lines if line.reason is not None]
    if refused:
        return refused[0], False, np.hstack(images)
    return "|".join(str(line.number) for line in lines), True, np.hstack(images)


def summarise(results: pd.DataFrame) -> Rows:
    """Return shares in %, a row for each kind and one for all single digits.

    The interval is Wilson's of "right and accepted", and without a label of "rejected". Authors are
    complete whose pictures are all good.
    """
    groups = {str(kind): group for kind, group in results.groupby("kind")}
    if len(groups) > 1 and (is_digit := results["label"].str.len() == 1).any():
        groups["all digits"] = results[is_digit]
    rows: Rows = {}
    for kind, group in groups.items():
        labelled = (group["label"] != "").all()
        authors = group[group["author"] != ""].groupby("author")["good"].all()
        share = 100 * group[["right", "good", "usual", "accepted"]].mean()
        rows[kind] = {
            "pictures": len(group),
            "right": share["right"] if labelled else None,
            "right and accepted": share["good"] if labelled else None,
            "95 %": interval(int(group["good"].sum()), len(group)),
            "rejected": 100 - share["accepted"],
            "the usual way": share["usual"] if (group["label"].str.len() == 1).all() else None,
            "complete authors": f"{authors.sum()} of {len(authors)}" if len(authors) else None,
        }
    return rows


def page_of_failures(title: str, failures: pd.DataFrame) -> str:
    """Return an HTML page: each picture, what the network saw, and what it read."""
    rows = []
    for row in failures.to_dict("records"):
        verdict = "accepted" if row["accepted"] else "rejected"
        cells = [html.escape(text) for text in (row["file"], row["label"], row["text"], verdict)]
        if row["images"] is not None:
            picture = Image.fromarray(luminance(open_image(content(row["data"]))))
            picture.thumbnail(THUMBNAIL)
            for image in (np.asarray(picture), row["images"]):
                cells.append(IMAGE.format(base64.b64encode(encode_png(image)).decode()))
        rows.append(f"<tr><td>{'<td>'.join(cells)}")
    head = "<tr><th>file<th>label<th>read as<th><th>picture<th>what the network saw"
    table = f"<table><caption>{title}</caption>{head}{''.join(rows)}</table>"
    return f"<!doctype html><meta charset=utf-8><title>{title}</title>{table}\n"


def evaluate(options: argparse.Namespace) -> None:
    """Read all pictures, print the tables and write the page of failures."""
    model = find_model(options.model)
    classifier = Classifier.load(model)
    loaded = {path.name: load(path, numbers=options.numbers) for path in options.paths}
    labels = pd.concat([pictures["label"] for pictures in loaded.values()])
    network = load_line_network(needed=bool((labels.str.len() > 1).any()))
    for pictures in loaded.values() if options.examples else ():
        authors_of_enough(pictures, max(options.examples))
    tables: dict[str, Rows] = {}
    every = []
    for name, pictures in loaded.items():
        found = read_all(classifier, network, pictures)
        every.append(found)
        tables[name] = summarise(found)
        if options.examples:
            readable = found[found["images"].notna()]
            learnt = learn(classifier, readable, options.examples, network)
            tables[f"Learning a hand: {name}"] = learnt
    found = pd.concat(every)
    if options.changes:
        by = functools.partial(read, classifier, network)
        tables[f"Harmless changes: {', '.join(loaded)}"] = lost_by_changes(found, by)
    for title, rows in tables.items():
        table = pd.DataFrame(rows).T.astype(object)
        table = table.where(table.notna(), None)
        print(f"\n{classifier.name} {classifier.version}, {title!r}, in %:\n")
        print(table.to_markdown(floatfmt=".2f", missingval="-"))
    failed = found[~found["good"]]
    page = page_of_failures(f"{len(failed)} failures of {classifier.name}", failed)
    write_atomically({options.output: page.encode(errors="replace")})
    print(f"\n{len(failed)} failures, with what the network saw: {options.output}")
    if options.record:
        record(model, command_of(options), classifier.name, network is not None, tables)


def command_of(options: argparse.Namespace) -> str:
    """Return the command that measures this again, its paths without their folders."""
    words = [path.name for path in options.paths] + ["--model", options.model]
    words += [f"--{flag}" for flag in ("numbers", "changes") if getattr(options, flag)]
    words += ["--examples", *map(str, options.examples)] if options.examples else []
    return shlex.join(["bash", "run.sh", "evaluate", *words, "--record"])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="run.sh evaluate", description=__doc__)
    add = parser.add_argument
    add("paths", type=Path, nargs="+", metavar="PATH", help="folder of pictures or file of strokes")
    add("--model", default="cnn", help="name or file (cnn)")
    add("--numbers", action="store_true", help="write strokes side by side, and read the numbers")
    add("--examples", type=int, nargs="+", metavar="N", help="learn N of each digit first")
    add(
        "--changes", action="store_true", help="change the pictures harmlessly, and read them again"
    )
    add("--output", type=Path, default="failures.html", help="page of failures, in HTML")
    add("--record", action="store_true", help="write the tables into the model card (README.md)")
    options = parser.parse_args(arguments)
    if options.examples and min(options.examples) < 1:
        parser.error("argument --examples: give 1 or more")
    output = options.output
    if not os.access(output.parent, os.W_OK) or (output.exists() and not output.is_file()):
        parser.error("argument --output: name a file in a folder that you can write to")
    if options.numbers and (options.examples or any(path.is_dir() for path in options.paths)):
        parser.error("argument --numbers: give files of strokes alone, and no --examples")
    try:
        evaluate(options)
    except (DigitsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
