"""How well a model reads a folder of pictures: ``bash run.sh evaluate images DIR``.

DIR holds ``labels.csv`` with the columns file and label, or files named like ``7_anything.png`` or
``7.png``.
A label is one digit, several digits for a number, or empty or -1 for a picture of neither. Where it
is a number, the picture is read as one. "Naive" is what many readers do: a light picture is
inverted, its contrast stretched, and it is resized to 28 x 28, which the same network reads.
The columns kind and author may stand beside them: results are given by kind, and pictures of the
kinds crop and unclear are not counted. What failed is shown on a contact sheet, with the candidates
that the classifier chose from.
"""

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from errors import DataError, ImageError
from evaluation.results import markdown_table
from model.checkpoint import find_model, write_json
from model.classifier import Classifier
from model.config import DATA_DIR, IMAGE_SIZE
from model.numbers.read import NO_DIGITS, read_numbers
from model.preprocessing.decode import luminance, open_image
from model.preprocessing.normalize import preprocess
from model.reading import read_images
from model.training.plots import save_figure

UNCOUNTED = ("crop", "unclear")
ALL_DIGITS = "all single digits"
SHEET_ROWS, SHEET_COLUMNS = 40, 12


def read_labels(directory: Path) -> pd.DataFrame:
    """Return file, label, kind and author of each picture, all text, "" where unknown.

    Raises:
        DataError: the directory holds no labelled picture, or ``labels.csv`` lacks a column.
    """
    path = directory / "labels.csv"
    if not directory.is_dir():
        raise DataError(
            f"There is no directory {directory}: give one with pictures and labels.csv, "
            "or with pictures named like 7_anything.png"
        )
    if path.exists():
        try:
            labels = pd.read_csv(path, dtype=str, keep_default_na=False)
            labels = labels.assign(file=labels["file"], label=labels["label"].str.strip())
            labels = labels.reindex(columns=["file", "label", "kind", "author"], fill_value="")
        except (ValueError, KeyError) as error:
            raise DataError(
                f"{path} needs the columns file and label in its first line, separated by a comma."
            ) from error
    else:
        files = sorted(path.name for path in directory.iterdir() if path.is_file())
        named = (re.match("([0-9]+)[_.]", file) for file in files)
        rows = [(match.string, match[1], "", "") for match in named if match]
        labels = pd.DataFrame(rows, columns=["file", "label", "kind", "author"])
        if left_out := sorted({*files} - {*labels["file"]}):
            print(f"no label in its name, left out: {', '.join(left_out)}", file=sys.stderr)
    if labels.empty:
        raise DataError(
            f"{directory} holds no labelled picture: add labels.csv (file,label), "
            "or give the files names like 7_anything.png"
        )
    for file, label in zip(labels["file"], labels["label"], strict=True):
        if not re.fullmatch("-1|[0-9]*", label):
            raise DataError(
                f"{path}: the label {label!r} of {file} is none. Give digits, or -1 or nothing "
                "for a picture of neither digit nor number."
            )
        if not (directory / file).is_file():
            raise DataError(f"{path} names {file}, which is not in {directory}.")
    return labels


def classify(classifier: Classifier, directory: Path, labels: pd.DataFrame) -> pd.DataFrame:
    """Add what the classifier reads in each picture that counts, and what the naive baseline does.

    New columns: predicted (a digit, or a number's text; -1 for a picture that cannot be read),
    accepted, reason, correct, naive (whether the baseline's digit is the label).
    """
    labels = labels[~labels["kind"].isin(UNCOUNTED)]
    rows: list[tuple[object, ...]] = []
    for file, label in zip(labels["file"], labels["label"], strict=True):
        data = (directory / file).read_bytes()
        naive = str(classifier.predict(resize_plainly(data)[None])[0].digit) == label
        try:
            preprocessed = preprocess(data)
        except ImageError as error:
            rows.append((-1, False, str(error), False, naive))
            continue
        if label.isdecimal() and len(label) > 1:
            lines = read_numbers(classifier, preprocessed)
            number, reason = (lines[0].number, lines[0].reason) if lines else (None, NO_DIGITS)
            rows.append((number or -1, number is not None, reason or "", number == label, naive))
            continue
        prediction = read_images(classifier, [preprocessed])[0].prediction
        digit, accepted = prediction.digit, prediction.is_digit
        rows.append((digit, accepted, prediction.reason or "", str(digit) == label, naive))
    columns = ["predicted", "accepted", "reason", "correct", "naive"]
    return labels.join(pd.DataFrame(rows, columns=columns, index=labels.index))


def resize_plainly(data: bytes) -> np.ndarray:
    """Invert a light picture, stretch its contrast, resize it to 28 x 28: what many readers do."""
    try:
        grey = luminance(open_image(data))
    except ImageError:
        return np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    image = Image.fromarray(grey).resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BOX)
    small = np.asarray(image, dtype=np.float32)
    small = 255 - small if small.mean() > 127 else small
    small -= small.min()
    return (small * (255 / max(small.max(), 1))).astype(np.uint8)


def summarise(found: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each kind and for all: pictures, and fractions (0-1) of them.

    For digits and numbers correct, correct and accepted, rejected, and the baseline's correct; for
    all other pictures the fraction rejected alone.
    """
    single = found["label"].str.fullmatch("[0-9]")
    labelled = found["label"].str.fullmatch("[0-9]+")
    usual = np.where(single, "single digits", np.where(labelled, "numbers", "no digit"))
    found = found.assign(
        group=found["kind"].where(found["kind"] != "", usual),
        accepted_correct=found["correct"] & found["accepted"],
        rejected=~found["accepted"],
        labelled=labelled,
    )
    rows = {}
    for name, group in [*found.groupby("group", sort=True), (ALL_DIGITS, found[single])]:
        row = {"pictures": len(group), "rejected": group["rejected"].mean()}
        if group["labelled"].all() and len(group):
            row |= {
                "correct": group["correct"].mean(),
                "correct and accepted": group["accepted_correct"].mean(),
                "naive, correct": group["naive"].mean(),
            }
        rows[name] = row
    columns = ["pictures", "correct", "correct and accepted", "naive, correct", "rejected"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def as_json(summary: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """Return the rows of ``summarise`` by their names, None where a share has no meaning."""
    rows: dict[str, dict[str, float | None]] = json.loads(summary.to_json(orient="index"))
    return rows


def complete_authors(found: pd.DataFrame) -> tuple[int, int]:
    """Return how many authors have all digits correct and accepted, and how many there are."""
    digits = found[found["label"].str.fullmatch("[0-9]") & (found["author"] != "")]
    complete = (digits["correct"] & digits["accepted"]).groupby(digits["author"]).all()
    return int(complete.sum()), len(complete)


def failures(found: pd.DataFrame) -> pd.DataFrame:
    """Return what is neither correct and accepted, nor rightly rejected."""
    labelled = found["label"].str.fullmatch("[0-9]+")
    correct = np.where(labelled, found["correct"] & found["accepted"], ~found["accepted"])
    return found[~correct]


def describe(sample: pd.Series) -> str:
    """Say what a picture is and what was read in it."""
    if sample["predicted"] == -1:
        answer = sample["reason"].partition(".")[0]
    else:
        answer = f"read as {sample['predicted']}{'' if sample['accepted'] else ', rejected'}"
    return f"{sample['label'].removeprefix('-1') or 'no digit'}: {answer}"


def contact_sheet(directory: Path, failed: pd.DataFrame) -> Figure:
    """Draw the first failures: the picture, the usual image, and the candidates."""
    shown = failed.head(SHEET_ROWS)
    height = 1.2 * max(1, len(shown)) + 0.6  # inches; the title and the first captions take 0.6
    size, top = (1.1 * SHEET_COLUMNS, height), 1 - 0.6 / height
    figure, axes = plt.subplots(max(1, len(shown)), SHEET_COLUMNS, figsize=size, squeeze=False)
    figure.subplots_adjust(left=0.02, right=0.99, bottom=0, top=top, wspace=0.1, hspace=0.4)
    title = "Each row: the picture, what the model saw, the candidates that it chose from"
    figure.suptitle(title, x=0.02, y=1 - 0.1 / height, ha="left", va="top", fontsize=9)
    for axis in axes.flat:
        axis.axis("off")
    for row, (_, sample) in zip(axes, shown.iterrows(), strict=False):
        data = (directory / sample["file"]).read_bytes()
        row[0].set_title(f"{sample['file']}\n{describe(sample)}", fontsize=6, loc="left")
        try:
            read = preprocess(data)
        except ImageError:
            continue
        row[0].imshow(luminance(read.source), cmap="gray")
        for axis, image in zip(row[1:], [read.image, *read.candidates()], strict=False):
            axis.imshow(image, cmap="gray")
    return figure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("directory", type=Path, metavar="DIR", help="pictures and labels.csv")
    parser.add_argument("--model", default="cnn", help="name or file of a model (cnn)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")


def run(options: argparse.Namespace) -> None:
    """Measure, print, write the contact sheet.

    Raises:
        DigitsError: the directory or the model cannot be read.
    """
    classifier = Classifier.load(find_model(options.model))
    found = classify(classifier, options.directory, read_labels(options.directory))
    summary = summarise(found)
    cells = [
        [name, f"{pictures:.0f}", *("-" if np.isnan(share) else f"{share:.1%}" for share in shares)]
        for name, pictures, *shares in summary.itertuples()
    ]
    print(markdown_table(["", *summary.columns], cells))
    complete, authors = complete_authors(found)
    if authors:
        print(f"authors with all digits correct and accepted: {complete} of {authors}")
    failed = failures(found)
    for _, sample in failed.iterrows():
        print(f"{sample['file']}: {describe(sample)}")
    if len(failed):
        sheet = DATA_DIR / "images" / f"{options.directory.resolve().name}-{classifier.name}.png"
        sheet.parent.mkdir(parents=True, exist_ok=True)
        save_figure(contact_sheet(options.directory, failed), sheet)
        print(f"what failed, with what the model saw: {sheet}")
    if options.json:
        about = {"model": classifier.name, "version": classifier.version}
        rows = as_json(summary)
        write_json(options.json, {**about, "authors": authors, "complete": complete, **rows})
