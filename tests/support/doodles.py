"""Doodles, signs, plain shapes and photographs of no digit.

Training knows other drawings of the signs, and lines and patches that are made in other ways than
the shapes and photographs here. It knows none of the doodles.

A form is a list of lines, separated by "/". A line is corners x,y by blanks, y downwards; after "~"
it is a smooth curve through them; after "@" an ellipse: x,y of the middle, both radii, and for an
arc where it starts and stops in degrees.
"""

import math

import cv2
import numpy as np
from scipy.interpolate import make_interp_spline

from model.data.strokes import render_strokes

FORMS = {
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
SIGNS = {
    "question mark": "~15,25 30,3 60,3 75,25 60,48 45,60 45,80 / @45,103 3,3",
    "exclamation mark": "50,0 50,70 / @50,98 3,3",
    "ampersand": "~92,96 45,50 25,22 45,3 62,20 45,45 12,68 20,95 50,95 84,60",
    "G": "~82,20 50,0 12,15 2,50 15,88 50,100 82,85 84,56 / 50,56 84,56",
}
ELLIPSE_POINTS = 40
SIDES = (150, 400)  # of photographs, in pixels


def doodle(rng: np.random.Generator) -> np.ndarray:
    """Draw one of the forms, as unlike itself as people's hands make it."""
    return draw_form(FORMS[str(rng.choice(list(FORMS)))], rng)


def sign(rng: np.random.Generator) -> np.ndarray:
    """Draw a sign that is like a digit: ?, !, & or G."""
    return draw_form(SIGNS[str(rng.choice(list(SIGNS)))], rng)


def draw_form(form: str, rng: np.random.Generator) -> np.ndarray:
    """Draw a form with a careful or careless hand, any brush, size and place."""
    care = rng.uniform(1, 6)
    lines = [_line(line.strip(), care, rng) for line in form.split("/")]
    aspect, slant = math.exp(rng.normal(0, 0.15)), rng.normal(0, 0.1)
    turned = _turn(rng.normal(0, 0.12)) @ np.array([[aspect, -slant], [0, 1]])
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
        points = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (rng.uniform(0.7, 2.5), 1)
    else:
        corners = rng.integers(3, 7)
        angle = (np.arange(corners) + rng.uniform(-0.25, 0.25, corners)) * 2 * math.pi / corners
        points = np.stack([np.cos(angle), np.sin(angle)], 1) * rng.uniform(0.7, 1, (corners, 1))
        points = points @ _turn(rng.uniform(0, 2 * math.pi)).T
    points = points + rng.normal(0, 0.03, points.shape)
    return render_strokes([np.concatenate([points, points[:1]]) @ _turn(rng.normal(0, 0.08))], rng)


def grating(rng: np.random.Generator) -> np.ndarray:
    """Return stripes, hard or soft, of any direction and width."""
    x, y = _grid(rng)
    angle = rng.uniform(0, math.pi)
    waves = (x * math.cos(angle) + y * math.sin(angle)) * 2 * math.pi * rng.uniform(1.5, 9)
    return _photo(np.tanh(rng.uniform(0.5, 5) * np.sin(waves + rng.uniform(0, 7))), rng)


def texture(rng: np.random.Generator) -> np.ndarray:
    """Return noise whose spectrum falls as that of clouds, stone or cloth, stretched or not."""
    rows, columns = rng.integers(*SIDES, 2)
    wide = rng.choice([1.0, 1.0, 4.0, 0.25])
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns) * wide)
    spectrum = np.fft.fft2(rng.normal(size=(rows, columns)))
    spectrum /= (frequency + 1 / rows) ** rng.uniform(0.8, 2.5)
    clouds = np.fft.ifft2(spectrum).real
    return _photo((clouds - clouds.mean()) / clouds.std() / 2, rng)


def blur(rng: np.random.Generator) -> np.ndarray:
    """Return spots and streaks, far out of focus."""
    x, y = _grid(rng)
    image = np.zeros_like(x)
    for _ in range(rng.integers(1, 5)):
        place, angle = rng.uniform(0.2, 0.8, 2), rng.uniform(0, math.pi)
        along = (x - place[0]) * math.cos(angle) + (y - place[1]) * math.sin(angle)
        across = (y - place[1]) * math.cos(angle) - (x - place[0]) * math.sin(angle)
        length, width = rng.uniform(0.08, 0.25, 2)
        image += np.exp(-((along / length) ** 2) - (across / width) ** 2)
    return _photo(np.tanh(image) - 0.5, rng)


def fold(rng: np.random.Generator) -> np.ndarray:
    """Photograph an empty sheet with a crease from edge to edge, its halves lit differently."""
    across = _across(rng)
    crease = np.exp(-((across / rng.uniform(0.004, 0.02)) ** 2)) * rng.choice([-1, 1])
    halves = np.tanh(across / rng.uniform(0.02, 0.2)) * rng.normal(0, 8)
    return _grain(205 + halves + crease * rng.uniform(20, 70), rng)


def sheet_edge(rng: np.random.Generator) -> np.ndarray:
    """Photograph the edge of an empty sheet on a dark desk."""
    across = _across(rng)
    sheet, desk = rng.uniform(180, 235), rng.uniform(30, 110)
    part = 1 / (1 + np.exp(-across / rng.uniform(0.002, 0.01)))
    return _grain(desk + part * (sheet - desk), rng)


def noise(rng: np.random.Generator) -> np.ndarray:
    """Return noise, uniform or Gaussian, pixel by pixel or in larger grains."""
    side = int(rng.integers(14, 120))
    uniform = rng.random() < 0.5
    image = rng.uniform(0, 255, (side, side)) if uniform else rng.normal(128, 40, (side, side))
    return np.clip(image, 0, 255).astype(np.uint8)


def _line(text: str, care: float, rng: np.random.Generator) -> np.ndarray:
    """Return the points (n, 2) of a line whose corners are moved by about `care`."""
    points = np.array([list(map(float, pair.split(","))) for pair in text.strip("~@").split()])
    if text.startswith("@"):
        start, stop = np.radians(points[2] if len(points) > 2 else (0, 360 + rng.normal(0, 5)))
        t = np.linspace(start, stop, ELLIPSE_POINTS)
        middle, radii = points[0] + rng.normal(0, care, 2), points[1] * rng.uniform(0.8, 1.2, 2)
        return middle + radii * np.stack([np.cos(t), np.sin(t)], 1)
    points = points + rng.normal(0, care, points.shape)
    if text.startswith("~"):
        t = np.arange(len(points))
        smooth = make_interp_spline(t, points, k=2)
        points = smooth(np.linspace(0, t[-1], 12 * len(points)))
    return points


def _turn(angle: float) -> np.ndarray:
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def _grid(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return coordinates x, y from 0 to 1 of a picture of random sides."""
    rows, columns = rng.integers(*SIDES, 2)
    return np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))


def _across(rng: np.random.Generator) -> np.ndarray:
    """Return the distance from a line, rather upright or lying, through the middle's vicinity."""
    x, y = _grid(rng)
    angle = rng.normal(0, 0.2) + rng.choice([0, math.pi / 2])
    return (x - rng.uniform(0.3, 0.7)) * math.cos(angle) + (y - 0.5) * math.sin(angle)


def _photo(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn levels from about -1 to 1 into a picture of random contrast."""
    return _grain(128 + image * rng.uniform(40, 120), rng)


def _grain(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add uneven light and the grain of a camera."""
    rows, columns = image.shape
    light = cv2.resize(rng.normal(0, 6, (3, 3)), (columns, rows), interpolation=cv2.INTER_CUBIC)
    return np.clip(image + light + rng.normal(0, 2, image.shape), 0, 255).astype(np.uint8)
