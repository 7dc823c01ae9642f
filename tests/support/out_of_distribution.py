"""Pictures of no digit, to measure rejection: letters, scribbles, doodles, numbers, photographs.

    PYTHONPATH=src python -m tests.support.out_of_distribution FOLDER

writes a folder that ``bash run.sh evaluate FOLDER`` reads. The letters come from the fonts of A. V.
Hershey ("Calligraphy for Computers", U.S. Naval Weapons Laboratory, 1967; PyPI's Hershey-Fonts),
the scribbles from a pen that wanders. No network was trained on these pictures. Strokes are drawn
on a canvas with a random brush, size and place.
"""

import argparse
import math
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from HersheyFonts import HersheyFonts
from sklearn.datasets import load_sample_images
from tests.support import doodles

from errors import BlankImageError
from model.data.strokes import BRUSH_WIDTH, CANVAS_SIDE, Strokes, paint, render_strokes
from model.numbers.write import BRUSH, paint_line
from model.preprocessing.normalize import encode_png, preprocess

Kinds = dict[str, Callable[[np.random.Generator], np.ndarray]]

LETTERS = "FHKLMNRWX"  # unlike any digit; B D G I J O Q S Z and the like are not counted
FONTS = ("futural", "rowmans")  # of A. V. Hershey, drawn with single strokes as a person writes
# Strokes are separated by "/", points x,y by blanks; y downwards.
FORMS = {
    "arrow right": "0,5 10,5 / 6,1 10,5 6,9",
    "arrow left": "10,5 0,5 / 4,1 0,5 4,9",
    "arrow up": "5,12 5,0 / 1,4 5,0 9,4",
    "arrow down": "5,0 5,12 / 1,8 5,12 9,8",
    "double arrow": "0,5 14,5 / 3,2 0,5 3,8 / 11,2 14,5 11,8",
    "star": "0,4 10,4 2,10 5,0 8,10 0,4",
    "asterisk": "5,0 5,10 / 1,2 9,8 / 9,2 1,8",
    "tick": "0,6 4,10 11,0",
    "hash": "3,0 2,10 / 7,0 6,10 / 0,3 9,3 / 0,7 9,7",
    "plus": "5,0 5,10 / 0,5 10,5",
    "equals": "0,3 10,3 / 0,7 10,7",
    "unequal": "0,3 10,3 / 0,7 10,7 / 8,0 2,10",
    "euro": "9,1 6,0 3,2 2,5 3,8 6,10 9,9 / 0,4 7,4 / 0,6 7,6",
    "yen": "0,0 5,5 10,0 / 5,5 5,11 / 1,6 9,6 / 1,8 9,8",
    "percent": "9,0 1,12 / 2,0 0,1.5 2,3 4,1.5 2,0 / 8,9 6,10.5 8,12 10,10.5 8,9",
    "root": "0,6 2,5 4,10 8,0 14,0",
    "house": "0,5 5,0 10,5 / 1,5 1,11 9,11 9,5",
    "envelope": "0,0 12,0 12,8 0,8 0,0 6,5 12,0",
    "note": "3,10 1,9 0,10 1,11 3,10 3,0 9,1 9,9 7,8 6,9",
    "flag": "1,12 1,0 10,2 1,5",
    "fork": "5,12 5,6 / 1,0 1,5 9,5 9,0 / 5,0 5,6",
    "bracket": "3,0 0,0 0,10 3,10 / 7,0 10,0 10,10 7,10",
}
SYMBOLS: dict[str, Strokes] = {
    name: [
        [tuple(map(float, point.split(","))) for point in line.split()] for line in form.split("/")
    ]
    for name, form in FORMS.items()
}


def _heart() -> Strokes:
    t = np.linspace(0, 2 * math.pi, 60)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return [np.stack([x, y], axis=1)]


def _arc(x: float, y: float, radius: float, start: float, stop: float) -> np.ndarray:
    t = np.linspace(start, stop, 40)
    return np.stack([x + radius * np.cos(t), y + radius * np.sin(t)], axis=1)


def _smiley() -> Strokes:
    face = _arc(0, 0, 10, 0, 2 * math.pi)
    eyes = [np.array([[x, -4.0], [x, -2.5]]) for x in (-3.5, 3.5)]
    return [face, *eyes, _arc(0, 0, 6, 0.3, math.pi - 0.3)]


def _sun() -> Strokes:
    rays = [np.outer((6, 10), (math.cos(a), math.sin(a))) for a in np.arange(8) * math.pi / 4]
    return [_arc(0, 0, 4, 0, 2 * math.pi), *rays]


def _cloud() -> Strokes:
    left = _arc(0, 0, 4, math.pi * 0.6, math.pi * 1.5)
    middle = _arc(6, -3, 5, math.pi * 1.1, math.pi * 1.9)
    right = _arc(13, 0, 4, math.pi * 1.5, math.pi * 2.4)
    return [np.concatenate([left, middle, right, left[:1]])]


SYMBOLS |= {"heart": _heart(), "smiley": _smiley(), "sun": _sun(), "cloud": _cloud()}


def hershey(name: str, text: str) -> list[np.ndarray]:
    """Return the strokes of a text in one of Hershey's fonts, y downwards."""
    return [np.array(list(stroke), dtype=float) for stroke in _font(name).strokes_for_text(text)]


@cache
def _font(name: str) -> HersheyFonts:
    font = HersheyFonts()
    font.load_default_font(name)
    return font


def word(rng: np.random.Generator) -> np.ndarray:
    """Draw three to six letters that are unlike digits."""
    return text_of_hershey("".join(rng.choice(list(LETTERS), rng.integers(3, 7))), rng)


def expression(rng: np.random.Generator) -> np.ndarray:
    """Draw two numbers with an operator between them."""
    left, right = rng.integers(0, 100, 2)
    return text_of_hershey(f"{left}{rng.choice(list('+-*=x'))}{right}", rng)


def text_of_hershey(text: str, rng: np.random.Generator) -> np.ndarray:
    """Draw a text in one of Hershey's fonts."""
    strokes = hershey(str(rng.choice(FONTS)), text)
    tall = float(np.ptp(np.concatenate(strokes)[:, 1]))
    return paint_line([stroke / tall for stroke in strokes], rng.uniform(*BRUSH), rng)


def scribble(rng: np.random.Generator) -> np.ndarray:
    """Draw the path of a pen that a spring pulls towards goals which jump at random."""
    strokes = []
    for _ in range(rng.integers(1, 3)):
        place, speed = rng.uniform(0, 1, 2), rng.normal(0, 0.03, 2)
        points = []
        for _ in range(rng.integers(8, 16)):
            goal = rng.uniform(0, 1, 2)
            for _ in range(rng.integers(8, 20)):
                speed = 0.86 * speed + 0.03 * (goal - place)
                place = place + speed
                points.append(place)
        strokes.append(np.array(points))
    return render_strokes(strokes, rng)


def letter(rng: np.random.Generator) -> np.ndarray:
    """Draw one of the letters that are unlike digits, with a random slant and rotation."""
    strokes = hershey(str(rng.choice(FONTS)), str(rng.choice(list(LETTERS))))
    return render_strokes(_transform(strokes, rng), rng)


def symbol(rng: np.random.Generator) -> np.ndarray:
    """Draw one of the symbols, slightly jittered."""
    strokes = SYMBOLS[str(rng.choice(list(SYMBOLS)))]
    size = np.ptp(np.concatenate(strokes), axis=0).max()
    jittered = [
        np.asarray(stroke, dtype=float) + rng.normal(0, 0.012 * size, np.shape(stroke))
        for stroke in strokes
    ]
    return render_strokes(_transform(jittered, rng), rng)


def several_digits(rng: np.random.Generator) -> np.ndarray:
    """Draw two to five of Hershey's digits side by side, clear of each other."""
    font, height = str(rng.choice(FONTS)), 21.0  # units of the fonts
    placed, right = [], 0.0
    for digit in rng.integers(0, 10, rng.integers(2, 6)):
        strokes = _transform(hershey(font, str(digit)), rng)
        points = np.concatenate(strokes)
        left = right - points[:, 0].min()
        placed += [stroke + np.array([left, 0]) for stroke in strokes]
        right += np.ptp(points[:, 0]) + height * rng.uniform(0.4, 0.9)
    points = np.concatenate(placed)
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = CANVAS_SIDE * rng.uniform(0.5, 0.85) / extent.max()
    brush = max(3.0, scale * height * rng.uniform(0.08, 0.2))
    corner = brush + (CANVAS_SIDE - 2 * brush - extent * scale) * rng.uniform(size=2)
    return paint([(stroke - low) * scale + corner for stroke in placed], brush)


def tap(rng: np.random.Generator) -> np.ndarray:
    """Draw a single dot, as when a finger touches the canvas and lifts."""
    place = rng.uniform(30, CANVAS_SIDE - 30, (1, 2))
    return paint([place + rng.normal(0, 0.4, (rng.integers(1, 4), 2))], rng.uniform(*BRUSH_WIDTH))


_photographs = cache(load_sample_images)


def photograph(rng: np.random.Generator) -> np.ndarray:
    """Cut a patch from one of scikit-learn's two photographs, a temple and a flower."""
    photo = _photographs().images[rng.integers(2)]
    side = int(rng.integers(60, 400))
    top, left = (int(rng.integers(0, length - side)) for length in photo.shape[:2])
    return photo[top : top + side, left : left + side]


def _transform(strokes: Strokes, rng: np.random.Generator) -> list[np.ndarray]:
    """Slant, stretch and rotate strokes at random, as people's hands do."""
    slant, turn, aspect = rng.normal(0, 0.12), rng.normal(0, 0.07), math.exp(rng.normal(0, 0.12))
    shear = np.array([[aspect, -slant], [0, 1]])
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    return [np.asarray(stroke, dtype=float) @ (rotation @ shear).T for stroke in strokes]


KINDS: Kinds = {
    "letters": letter,
    "scribbles": scribble,
    "symbols": symbol,
    "several digits": several_digits,
    "taps": tap,
    "photographs": photograph,
    "doodles": doodles.doodle,
    "signs": doodles.sign,
    "arcs": doodles.arc,
    "polygons": doodles.polygon,
    "gratings": doodles.grating,
    "textures": doodles.texture,
    "blurs": doodles.blur,
    "folds": doodles.fold,
    "sheet edges": doodles.sheet_edge,
    "noise": doodles.noise,
}


NO_NUMBERS: Kinds = {"words": word, "expressions": expression, "scribbles": scribble}


def write_folder(folder: Path, kinds: Kinds, count: int, seed: int) -> None:
    """Write `count` pictures of each kind, and labels.csv; what is blank is drawn again."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for kind, draw in kinds.items():
        rng = np.random.default_rng(seed)
        number = 0
        while number < count:
            data = encode_png(draw(rng))
            with suppress(BlankImageError):
                preprocess(data)
                rows.append((f"{kind.replace(' ', '-')}-{number:04}.png", "", kind))
                (folder / rows[-1][0]).write_bytes(data)
                number += 1
    pd.DataFrame(rows, columns=["file", "label", "kind"]).to_csv(folder / "labels.csv", index=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--count", type=int, default=1000, help="pictures of each kind (1000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--numbers", action="store_true", help="what is no number, for the fit")
    options = parser.parse_args()
    kinds = NO_NUMBERS if options.numbers else KINDS
    write_folder(options.folder, kinds, options.count, options.seed)


if __name__ == "__main__":
    main()
