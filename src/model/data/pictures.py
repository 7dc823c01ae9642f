"""Labelled pictures that people made: a folder of them, or strokes drawn on a canvas.

Both are tables with a row for each picture and the columns file (its name), label (a digit, several
digits for a number, or "" for neither), kind (how it was made, or one of KINDS), author ("" where
unknown) and data (the path of the picture, or the content of a drawn one).
"""

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from errors import DataError, ImageError
from model.config import IMAGE_SIZE
from model.data.strokes import StrokeSample, draw_files
from model.preprocessing.decode import luminance, open_image

COLUMNS = ["file", "label", "kind", "author", "data"]
KINDS = {0: "no digit", 1: "digits", 2: "numbers"}  # by the length of the label
UNCOUNTED = ("crop", "unclear")


def draw_pictures(samples: list[StrokeSample], seed: int) -> pd.DataFrame:
    """Draw strokes, each with a brush, size and place of its own."""
    files = tqdm(draw_files(samples, seed), "drawing", len(samples), disable=None)
    rows = [
        (f"sample {number}", str(sample.label), "digits", sample.writer, file)
        for number, (sample, file) in enumerate(zip(samples, files, strict=True))
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def load_pictures(folder: Path) -> pd.DataFrame:
    """Load the pictures of a folder that are labelled, in labels.csv or by their names.

    Raises:
        DataError: there is none, a label is neither digits nor -1 nor empty, or a file is missing.
    """
    table = folder / "labels.csv"
    rows = read_table(table) if table.exists() else read_names(folder)
    rows = rows.reindex(columns=COLUMNS, fill_value="")
    rows = rows[~rows["kind"].isin(UNCOUNTED)]
    if rows.empty:
        raise DataError(
            f"{folder} holds no labelled picture: add labels.csv, or names like 7_a.png."
        )
    label = rows["label"].str.strip().replace("-1", "")
    data = [folder / file for file in rows["file"]]
    for text, path in zip(label, data, strict=True):
        if not re.fullmatch(r"([0-9]+(\|[0-9]+)*)?", text):
            raise DataError(
                f"{path} has the label {text!r}: give digits, 12|345 for two lines, or -1 for none."
            )
        if not path.is_file():
            raise DataError(f"There is no {path}, which {table} names.")
    by_label = label.str.len().clip(upper=2).map(KINDS)
    return rows.assign(
        label=label, kind=rows["kind"].where(rows["kind"] != "", by_label), data=data
    )


def read_table(table: Path) -> pd.DataFrame:
    try:
        rows = pd.read_csv(table, dtype=str, keep_default_na=False).fillna("")  # lines may be short
    except (OSError, ValueError) as error:
        raise DataError(f"{table} cannot be read ({error}): separate columns by commas.") from error
    if not {"file", "label"} <= set(rows):
        raise DataError(f"{table} needs the columns file and label, separated by a comma.")
    return rows


def read_names(folder: Path) -> pd.DataFrame:
    """Take the labels from names like 7_anything.png, and say which files have none."""
    files = sorted(path.name for path in folder.iterdir() if path.is_file())
    labels = {file: match[1] for file in files if (match := re.match("([0-9]+)[_.]", file))}
    if left_out := [file for file in files if file not in labels]:
        print(f"no label in its name, left out: {', '.join(left_out)}", file=sys.stderr)
    # object: pandas' own strings are UTF-8, which a file's name need not be
    return pd.DataFrame(labels.items(), columns=["file", "label"], dtype=object)


def content(data: Path | bytes) -> bytes:
    """Return what stands in the column data as the content of a picture file."""
    try:
        return data if isinstance(data, bytes) else data.read_bytes()
    except OSError as error:
        raise DataError(f"{data!s} cannot be read: {error.strerror}.") from error


def resize_plainly(data: bytes) -> np.ndarray:
    """Return the image (28, 28) uint8 that many readers make of a picture file.

    A light picture is inverted, its contrast stretched, and it is resized whole. What cannot be
    read is black.
    """
    try:
        image = Image.fromarray(luminance(open_image(data)))
    except ImageError:
        return np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    small = np.asarray(image.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BOX), np.float32)
    small = 255 - small if small.mean() > 127 else small
    small -= small.min()
    return (small * (255 / max(small.max(), 1))).astype(np.uint8)
