"""Compose lines of writing for training: of single digits, letters, signs and printed matter."""

import math
from typing import NamedTuple

import cv2
import numpy as np
import torch

from model.data.batches import synthetic_digits
from model.data.mnist import Digits
from model.data.synthetic.drawings import invented_characters, random_curves, scribbles
from model.data.synthetic.outliers import letters
from model.numbers.line import FIRST_DIGIT, INK_HEIGHT, OTHER, stretch, to_line

SIZE = 20  # pixels of a digit's longest side
LENGTHS = (0.12, 0.19, 0.19, 0.16, 0.13, 0.10, 0.06, 0.05)  # the share of lines of 1, 2, ... signs
WORDS, INTRUDERS, EMPTY = 0.10, 0.08, 0.03  # shares of lines: all signs, one sign, nothing at all
TOUCHING, PRINTED = 0.55, 0.35  # shares of lines
MNIST_SHARE = 0.42  # of digits
SYNTHETIC, SIGNS = 80_000, 13_000  # drawn once
INK_HEIGHTS = (INK_HEIGHT - 3.0, INK_HEIGHT + 2.0)  # of a composed line


class Part(NamedTuple):
    """A sign at its place in a line, in pixels."""

    image: np.ndarray
    x: float
    y: float


class Composer:
    """Composes lines of MNIST's `digits`, and of synthetic digits and signs drawn from `seed`."""

    def __init__(
        self, digits: Digits, seed: int, synthetic: int = SYNTHETIC, signs: int = SIGNS
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        drawn = synthetic_digits(synthetic, seed)
        kinds = {letters: 0.62, invented_characters: 0.14, scribbles: 0.12, random_curves: 0.12}
        others = [make(round(share * signs), generator) for make, share in kinds.items()]
        self.digits = digits.images.numpy(), digits.labels.numpy()
        self.synthetic = drawn.images.numpy(), drawn.labels.numpy()
        self.signs = torch.cat(others).numpy()

    def compose(self, rng: np.random.Generator) -> tuple[np.ndarray, list[int]]:
        """Return a line (32, W) uint8, 255 on 0, and the classes of its signs, left to right."""
        kind, length = rng.random(), 1 + int(rng.choice(len(LENGTHS), p=LENGTHS))
        is_other = np.full(length, kind < WORDS)
        if WORDS <= kind < WORDS + INTRUDERS:
            is_other[rng.integers(length)] = True
        signs = [self._sign(rng) if other else self._digit(rng) for other in is_other]
        touching = rng.random() < TOUCHING
        parts = place_side_by_side([image for image, _ in signs], touching, rng)
        classes = [number for _, number in signs]
        sheet = lay_out(parts)
        if kind > 1 - EMPTY:
            sheet, parts, classes = np.zeros_like(lay_out(parts[:1])), [], []
        if not parts or rng.random() < PRINTED:
            sheet = print_around(sheet, parts, touching, rng)
        line, _ = to_line(distort(sheet, rng), rng.uniform(*INK_HEIGHTS))
        return (soften(line, rng) if rng.random() < 0.25 else line), classes

    def _digit(self, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        images, labels = self.digits if rng.random() < MNIST_SHARE else self.synthetic
        index = rng.integers(len(images))
        return crop(images[index]), FIRST_DIGIT + int(labels[index])

    def _sign(self, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        if rng.random() < 0.4:
            return draw_sign(rng), OTHER
        return crop(self.signs[rng.integers(len(self.signs))]), OTHER


def crop(image: np.ndarray) -> np.ndarray:
    x, y, width, height = cv2.boundingRect(image)
    return image[y : y + height, x : x + width]


def draw_sign(rng: np.random.Generator) -> np.ndarray:
    """Draw a minus, an equals sign, a plus, a slash, a point or a comma beside digits of SIZE."""
    pen = int(rng.integers(2, 4))
    kind = rng.choice(["minus", "equals", "plus", "slash", "point"], p=[0.3, 0.15, 0.2, 0.1, 0.25])
    width = {"point": pen + 1, "slash": 10}.get(str(kind), int(rng.integers(7, 16)))
    image = np.zeros((SIZE, width), np.uint8)
    if kind == "point":
        image[SIZE - 4 : SIZE - 4 + int(rng.integers(pen, 8))] = 255
    elif kind == "slash":
        cv2.line(image, (width - 1, 0), (0, SIZE - 1), 255, pen)
    else:
        cv2.line(image, (0, 9), (width - 1, 9), 255, pen)
    if kind == "equals":
        cv2.line(image, (0, 15), (width - 1, 15), 255, pen)
    if kind == "plus":
        cv2.line(image, (width // 2, 3), (width // 2, 16), 255, pen)
    return image


def place_side_by_side(
    images: list[np.ndarray], touching: bool, rng: np.random.Generator
) -> list[Part]:
    """Give each image a size and a place. Neighbours touch, overlap a little, or stand apart."""
    base = rng.uniform(0.85, 1.1)
    unlike = 0.09 if rng.random() < 0.85 else 0.2  # spread of sizes within a line
    uneven = 1.0 if rng.random() < 0.85 else 2.5  # pixels, spread of heights above the line
    narrow, wide, far = (0.08, 0.5), (0.4, 1.2), (1.0, 2.5)
    spacing = wide if rng.random() < 0.15 else narrow
    spacing = far if rng.random() < 0.04 else spacing
    parts: list[Part] = []
    right = 0.0
    for image in images:
        scale = base * math.exp(rng.normal(0, unlike))
        height = max(1, round(image.shape[0] * scale))
        width = max(1, round(image.shape[1] * scale * math.exp(rng.normal(0, 0.07))))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        sized = stretch(cv2.resize(image, (width, height), interpolation=how))
        gap = rng.uniform(-0.10, 0.08) if touching else rng.uniform(*spacing)
        if not touching and spacing is narrow and rng.random() < 0.15:
            gap = rng.uniform(*wide)
        left = right + gap * SIZE if parts else 0.0
        parts.append(Part(sized, left, rng.normal(0, uneven) - height / 2))
        right = left + width
    return parts


def lay_out(parts: list[Part]) -> np.ndarray:
    """Lay parts on a sheet (H, W) uint8 just large enough, with four blank pixels around them."""
    top, left = min(part.y for part in parts), min(part.x for part in parts)
    bottom = max(part.y + part.image.shape[0] for part in parts)
    right = max(part.x + part.image.shape[1] for part in parts)
    sheet = np.zeros((round(bottom - top) + 10, round(right - left) + 10), np.uint8)
    for image, part_x, part_y in parts:
        y, x = round(part_y - top) + 4, round(part_x - left) + 4
        under = sheet[y : y + image.shape[0], x : x + image.shape[1]]
        np.maximum(under, image, out=under)
    return sheet


def print_around(
    sheet: np.ndarray, parts: list[Part], touching: bool, rng: np.random.Generator
) -> np.ndarray:
    """Print rules, pieces of a frame, cell walls and specks around the signs and into them."""
    margin = int(rng.integers(2, 12))
    sheet = np.pad(sheet, margin)
    height, width = sheet.shape
    level, pen = int(rng.integers(90, 256)), int(rng.integers(1, 3))

    def edge() -> int:
        return int(rng.integers(0, margin + 3))

    def rule_across(y: int) -> None:  # rules are a little slanted
        cv2.line(sheet, (0, y), (width, y + int(rng.integers(-2, 3))), level, pen)

    def rule_down(x: int) -> None:
        cv2.line(sheet, (max(x, 1), 0), (x + int(rng.integers(-2, 3)), height), level, pen)

    left = [round(part.x) + 4 + margin for part in parts]
    right = [x + part.image.shape[1] for x, part in zip(left, parts, strict=True)]
    if parts and not touching and rng.random() < 0.2:  # each sign in a printed box of its own
        top, bottom = edge(), height - 1 - edge()
        for start, end in zip(left, right, strict=True):
            cv2.rectangle(sheet, (start - 3, top), (end + 2, bottom), level, pen)
        return sheet
    if not parts or rng.random() < 0.6:  # one upright rule alone could be a 1
        rule_across(height - 1 - edge())
    if rng.random() < 0.4:
        rule_across(edge())
    for x in (edge(), width - 1 - edge()):
        if rng.random() < 0.25:
            rule_down(x)
    if not touching and rng.random() < 0.25:
        for before, after in zip(right, left[1:], strict=False):
            rule_down((before + after) // 2)
    if rng.random() < 0.2:
        for _ in range(int(rng.integers(1, 6))):
            spot = int(rng.integers(width)), int(rng.integers(height))
            cv2.circle(sheet, spot, int(rng.integers(0, 2)), level, -1)
    return sheet


def distort(sheet: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change the width of the pen of each fourth sheet, then slant and turn the sheet."""
    if rng.random() < 0.25:
        change = cv2.dilate if rng.random() < 0.6 else cv2.erode
        sheet = change(sheet, np.ones((2, 2), np.uint8))
    slant, turn = rng.normal(0, 0.2), rng.normal(0, 0.03)
    height, width = sheet.shape
    size = width + int(abs(slant) * height) + 4, height + int(abs(turn) * width) + 4
    matrix = np.array([[1, slant, 0], [turn, 1, 0]], np.float32)
    matrix[:, 2] = np.array(size) / 2 - matrix[:, :2] @ (np.array([width, height]) / 2)
    return cv2.warpAffine(sheet, matrix, size)


def soften(line: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur a line like a camera, and weaken or strengthen its grey edges."""
    blurred = cv2.GaussianBlur(line, (0, 0), rng.uniform(0.3, 1.0)).astype(np.float32)
    changed = (blurred / max(1.0, float(blurred.max()))) ** rng.uniform(0.6, 1.5)
    return (changed * 255).astype(np.uint8)
