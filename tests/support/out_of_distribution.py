"""Pictures of no digit, to measure rejection: letters, scribbles, doodles, photographs.

    PYTHONPATH=src python -m tests.support.out_of_distribution FOLDER

writes a folder that ``bash run.sh evaluate FOLDER`` reads. The letters come from the fonts of A. V.
Hershey ("Calligraphy for Computers", U.S. Naval Weapons Laboratory, 1967; PyPI's Hershey-Fonts).
No network was trained on these pictures. Strokes are drawn with a random brush, size and place.

A symbol or doodle is a list of lines, separated by "/". A line is points x,y separated by blanks, y
downwards. After "~" it is a smooth curve through them. After "@" it is an ellipse: the middle x,y,
both radii, and for an arc the degrees where it starts and stops.
"""

import argparse
import math
from contextlib import suppress
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from HersheyFonts import HersheyFonts
from scipy.interpolate import make_interp_spline
from sklearn.datasets import load_sample_images

from errors import BlankImageError
from model.data.strokes import render_strokes
from model.preprocessing.normalize import encode_png, preprocess

LETTERS = "FHKLMNRWX"  # unlike any digit; B D G I J O Q S Z and the like are not counted
FONTS = ("futural", "rowmans")  # of A. V. Hershey, drawn with single strokes as a person writes
SYMBOLS = {
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
DOODLES = {
    "heart": "~50,28 34,6 8,14 8,44 30,72 50,96 / ~50,28 66,6 92,14 92,44 70,72 50,96",
    "smiley": "@50,50 48,48 / @32,36 4,5 / @68,36 4,5 / @50,50 28,28 20,160",
    "house": "0,50 50,5 100,50 / 12,42 12,98 88,98 88,42 / 40,98 40,64 60,64 60,98",
    "star": "50,0 61,36 98,36 68,58 80,95 50,72 20,95 32,58 2,36 39,36 50,0",
    "flower": "@50,40 10,10 / @50,15 12,14 / @74,33 13,12 / @65,60 12,13 / @35,60 12,13 / "
    "@26,33 13,12 / ~50,72 46,100 50,130",
    "block arrow": "0,35 55,35 55,10 100,50 55,90 55,65 0,65 0,35",
    "leafy tree": "~42,90 10,85 5,55 20,30 50,10 80,30 95,55 90,85 58,90 / 42,90 40,135 / "
    "58,90 62,135",
    "fir": "50,0 20,40 38,40 8,80 92,80 62,40 80,40 50,0 / 42,80 42,100 58,100 58,80",
    "sun": "@50,50 22,22 / 50,18 50,0 / 50,82 50,100 / 18,50 0,50 / 82,50 100,50 / 27,27 14,14 / "
    "73,73 86,86 / 73,27 86,14 / 27,73 14,86",
    "cat": "@50,60 40,38 / 16,42 14,8 38,24 / 84,42 86,8 62,24 / @36,52 3,4 / @64,52 3,4 / "
    "30,70 2,66 / 70,70 98,66",
    "fish": "~0,50 30,20 65,30 100,75 / ~0,50 30,80 65,70 100,25 / 100,25 100,75 / @20,45 2,3",
    "car": "0,70 0,45 20,45 32,15 72,15 84,45 108,45 108,70 0,70 / @26,74 11,11 / @82,74 11,11",
    "stick figure": "@50,15 15,15 / 50,30 50,75 / 20,50 80,50 / 25,115 50,75 75,115",
    "umbrella": "@50,50 50,45 180,360 / 0,50 100,50 / ~50,50 50,95 40,108 30,98",
    "cup": "15,10 20,95 70,95 75,10 15,10 / ~75,25 100,28 98,60 73,65",
    "moon": "~60,0 15,15 0,55 20,92 65,100 / ~60,0 42,20 34,50 42,78 65,100",
    "boat": "0,65 15,95 85,95 100,65 0,65 / 50,65 50,0 90,55 50,55",
    "lightning": "55,0 20,55 50,55 35,100 85,40 52,40 75,0 55,0",
    "butterfly": "~50,50 20,5 0,25 20,52 50,50 / ~50,50 15,62 12,90 35,90 50,50 / "
    "~50,50 80,5 100,25 80,52 50,50 / ~50,50 85,62 88,90 65,90 50,50 / 50,20 50,90",
    "mushroom": "~5,50 20,12 50,0 80,12 95,50 / 5,50 95,50 / 38,50 35,100 65,100 62,50",
    "apple": "~50,25 20,15 3,45 20,88 50,88 / ~50,25 80,15 97,45 80,88 50,88 / ~50,25 52,8 66,0",
    "key": "@20,50 18,18 / 38,50 100,50 / 80,50 80,70 / 95,50 95,68",
    "spectacles": "@22,50 20,20 / @78,50 20,20 / ~42,48 50,42 58,48",
    "snail": "0,95 100,95 / ~85,95 95,60 60,30 20,45 20,85 55,90 70,65 50,55 / ~0,95 5,65 0,50",
}
ELLIPSE_POINTS = 40
SIDES = (150, 400)  # of photographs, in pixels
photographs = cache(load_sample_images)


@cache
def symbols() -> dict[str, list[np.ndarray]]:
    """Return the strokes of all symbols, those of arcs among them."""

    def bow(x: float, y: float, radius: float, start: float = 0, stop: float = 2) -> np.ndarray:
        t = np.linspace(start * math.pi, stop * math.pi, ELLIPSE_POINTS)
        return np.stack([x + radius * np.cos(t), y + radius * np.sin(t)], axis=1)

    t = np.linspace(0, 2 * math.pi, 60)
    up = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    eyes = [np.array([[x, -4.0], [x, -2.5]]) for x in (-3.5, 3.5)]
    rays = [np.outer((6, 10), (math.cos(a), math.sin(a))) for a in np.arange(8) * math.pi / 4]
    cloud = [bow(0, 0, 4, 0.6, 1.5), bow(6, -3, 5, 1.1, 1.9), bow(13, 0, 4, 1.5, 2.4)]
    return {name: [points(line) for line in form.split("/")] for name, form in SYMBOLS.items()} | {
        "heart": [np.stack([16 * np.sin(t) ** 3, -up], axis=1)],
        "smiley": [bow(0, 0, 10), *eyes, bow(0, 0, 6, 0.3 / math.pi, 1 - 0.3 / math.pi)],
        "sun": [bow(0, 0, 4), *rays],
        "cloud": [np.concatenate([*cloud, cloud[0][:1]])],
    }


def points(text: str) -> np.ndarray:
    return np.array([list(map(float, pair.split(","))) for pair in text.split()])


def letter(rng: np.random.Generator) -> np.ndarray:
    """Draw one of the letters that are unlike digits, with a random slant and rotation."""
    font = HersheyFonts()
    font.load_default_font(str(rng.choice(FONTS)))
    strokes = font.strokes_for_text(str(rng.choice(list(LETTERS))))
    return slanted([np.array(list(stroke), dtype=float) for stroke in strokes], rng)


def symbol(rng: np.random.Generator) -> np.ndarray:
    """Draw one of the symbols, slightly jittered."""
    strokes = symbols()[str(rng.choice(list(symbols())))]
    size = np.ptp(np.concatenate(strokes), axis=0).max()
    return slanted([s + rng.normal(0, 0.012 * size, s.shape) for s in strokes], rng)


def slanted(strokes: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Draw strokes, slanted, stretched and rotated at random, as people's hands do."""
    slant, angle, aspect = rng.normal(0, 0.12), rng.normal(0, 0.07), math.exp(rng.normal(0, 0.12))
    turned = turn(angle) @ np.array([[aspect, -slant], [0, 1]])
    return render_strokes([stroke @ turned.T for stroke in strokes], rng)


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


def doodle(rng: np.random.Generator) -> np.ndarray:
    """Draw one of the doodles with a careful or careless hand, any brush, size and place."""
    form = DOODLES[str(rng.choice(list(DOODLES)))]
    care = rng.uniform(1, 6)
    lines = [curve(line.strip(), care, rng) for line in form.split("/")]
    aspect, slant = math.exp(rng.normal(0, 0.15)), rng.normal(0, 0.1)
    turned = turn(rng.normal(0, 0.12)) @ np.array([[aspect, -slant], [0, 1]])
    wave, phase, push = rng.normal(0, 0.03, 2), rng.uniform(0, 7), rng.normal(0, 3, 2)
    bent = [line + push * np.sin(line @ wave + phase)[:, None] for line in lines]
    return render_strokes([line @ turned.T for line in bent], rng)


def arc(rng: np.random.Generator) -> np.ndarray:
    """Draw a quarter to three quarters of an ellipse, from anywhere."""
    start = rng.uniform(0, 2 * math.pi)
    t = np.linspace(start, start + rng.uniform(0.5, 1.5) * math.pi, ELLIPSE_POINTS)
    x, y = np.cos(t) * rng.uniform(0.6, 1.6), np.sin(t)
    return render_strokes([np.stack([x, y], 1) + rng.normal(0, 0.01, (ELLIPSE_POINTS, 2))], rng)


def polygon(rng: np.random.Generator) -> np.ndarray:
    """Draw a rectangle, or a closed outline with three to six corners."""
    if rng.random() < 0.4:
        outline = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (rng.uniform(0.7, 2.5), 1)
    else:
        corners = rng.integers(3, 7)
        angle = (np.arange(corners) + rng.uniform(-0.25, 0.25, corners)) * 2 * math.pi / corners
        outline = np.stack([np.cos(angle), np.sin(angle)], 1) * rng.uniform(0.7, 1, (corners, 1))
        outline = outline @ turn(rng.uniform(0, 2 * math.pi)).T
    outline = outline + rng.normal(0, 0.03, outline.shape)
    return render_strokes([np.concatenate([outline, outline[:1]]) @ turn(rng.normal(0, 0.08))], rng)


def curve(text: str, care: float, rng: np.random.Generator) -> np.ndarray:
    """Return the points (n, 2) of a line whose corners are moved by about `care`."""
    through = points(text.strip("~@"))
    if text.startswith("@"):
        start, stop = np.radians(through[2] if len(through) > 2 else (0, 360 + rng.normal(0, 5)))
        t = np.linspace(start, stop, ELLIPSE_POINTS)
        middle, radii = through[0] + rng.normal(0, care, 2), through[1] * rng.uniform(0.8, 1.2, 2)
        return middle + radii * np.stack([np.cos(t), np.sin(t)], 1)
    through = through + rng.normal(0, care, through.shape)
    if text.startswith("~"):
        t = np.arange(len(through))
        smooth = make_interp_spline(t, through, k=2)
        through = smooth(np.linspace(0, t[-1], 12 * len(through)))
    return through


def turn(angle: float) -> np.ndarray:
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def photograph(rng: np.random.Generator) -> np.ndarray:
    """Cut a patch from one of scikit-learn's two photographs, a temple and a flower."""
    photo = photographs().images[rng.integers(2)]
    side = int(rng.integers(60, 400))
    top, left = (int(rng.integers(0, length - side)) for length in photo.shape[:2])
    return photo[top : top + side, left : left + side]


def fold(rng: np.random.Generator) -> np.ndarray:
    """Photograph an empty sheet with a crease from edge to edge, its halves lit differently."""
    distance = across(rng)
    crease = np.exp(-((distance / rng.uniform(0.004, 0.02)) ** 2)) * rng.choice([-1, 1])
    halves = np.tanh(distance / rng.uniform(0.02, 0.2)) * rng.normal(0, 8)
    return photographed(205 + halves + crease * rng.uniform(20, 70), rng)


def sheet_edge(rng: np.random.Generator) -> np.ndarray:
    """Photograph the edge of an empty sheet on a dark desk."""
    distance = across(rng)
    sheet, desk = rng.uniform(180, 235), rng.uniform(30, 110)
    part = 1 / (1 + np.exp(-distance / rng.uniform(0.002, 0.01)))
    return photographed(desk + part * (sheet - desk), rng)


def across(rng: np.random.Generator) -> np.ndarray:
    """Return each pixel's distance from a line, rather upright or lying, near the middle."""
    rows, columns = rng.integers(*SIDES, 2)
    x, y = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    angle = rng.normal(0, 0.2) + rng.choice([0, math.pi / 2])
    return (x - rng.uniform(0.3, 0.7)) * math.cos(angle) + (y - 0.5) * math.sin(angle)


def photographed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add uneven light and the grain of a camera."""
    rows, columns = image.shape
    light = cv2.resize(rng.normal(0, 6, (3, 3)), (columns, rows), interpolation=cv2.INTER_CUBIC)
    return np.clip(image + light + rng.normal(0, 2, image.shape), 0, 255).astype(np.uint8)


KINDS = {
    "letters": letter,
    "symbols": symbol,
    "scribbles": scribble,
    "doodles": doodle,
    "arcs": arc,
    "polygons": polygon,
    "photographs": photograph,
    "folded sheets": fold,
    "edges of sheets": sheet_edge,
}


def write_folder(folder: Path, count: int, seed: int) -> None:
    """Write `count` pictures of each kind, and labels.csv; what is blank is drawn again."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for kind, draw in KINDS.items():
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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--count", type=int, default=200, help="pictures of each kind (200)")
    parser.add_argument("--seed", type=int, default=7)
    write_folder(**vars(parser.parse_args()))
