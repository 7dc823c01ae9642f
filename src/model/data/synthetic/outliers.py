"""Outliers, synthesised: drawings in which no digit can be read.

Training on them with a uniform target is outlier exposure (D. Hendrycks, M. Mazeika and
T. Dietterich, "Deep Anomaly Detection with Outlier Exposure", ICLR 2019). No kind here is a digit:
no upright line, no ring, no S by itself. What measures rejection comes from other sources.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Generator, Tensor, randint

from model.config import IMAGE_SIZE, NUM_CLASSES
from model.data.synthetic import drawings, patterns
from model.data.synthetic.deform import deform, normal, some, uniform
from model.data.synthetic.digits import render, resample, write_digits
from model.data.synthetic.drawings import LONG, random_arcs
from model.data.synthetic.templates import Templates

LETTERS = Templates(Path(__file__).with_name("letters.txt").read_text("utf-8"))
CHUNK = 2048  # pictures made at once: bounds the memory
SEVERAL = (90.0, 260.0)  # pixels of a canvas of 280 that several digits fill
# Parts of digits that are no digits: the digit, and which part of its height is left (0: the top).
PIECES = ((2, 0.62, 1.0), (5, 0.0, 0.4), (0, 0.0, 0.5), (0, 0.5, 1.0))


def synthesize_outliers(count: int, generator: Generator) -> Tensor:
    """Return images (count, 28, 28), uint8, 255 on 0, in which no digit can be read.

    All but noise follow MNIST's rule of size and place. The same generator state gives the same
    images.
    """
    shares = torch.tensor([*KINDS.values()])
    images = torch.empty(count, IMAGE_SIZE, IMAGE_SIZE, dtype=torch.uint8)
    for start in range(0, count, CHUNK):
        part = images[start : start + CHUNK]
        kind = torch.multinomial(shares, len(part), replacement=True, generator=generator)
        for k, make in enumerate(KINDS):
            if number := int((kind == k).sum()):
                part[kind == k] = make(number, generator)
    return images


def letters(count: int, generator: Generator) -> Tensor:
    """Letters and characters of several scripts."""
    index = torch.multinomial(LETTERS.weights, count, replacement=True, generator=generator)
    return render(resample(*deform(LETTERS, index, generator)), generator)


def pieces(count: int, generator: Generator) -> Tensor:
    """Parts of digits: the foot of a 2, the head of a 5, half of a 0."""
    part = randint(0, len(PIECES), (count,), generator=generator)
    labels, low, high = torch.tensor(PIECES)[part].T
    pen = resample(*write_digits(labels.long(), generator), LONG)
    top, bottom = pen[..., 1].aminmax(dim=1, keepdim=True)
    height = (pen[..., 1] - top) / (bottom - top)
    kept = (height >= low[:, None]) & (height <= high[:, None])
    first = kept.to(torch.uint8).argmax(1)
    pen = torch.where(kept[..., None], pen, pen[torch.arange(count), first][:, None])
    return render(pen, generator)


def dotted_lines(count: int, generator: Generator) -> Tensor:
    """The line of a 1 or a 7 over a dot, as ! and ? are written, or under one, as i is."""
    labels = torch.where(some((count,), 0.5, generator), 1, 7)
    curves, present = write_digits(labels, generator)
    low, high = curves.amin((1, 2)), curves.amax((1, 2))
    height = (high - low)[:, 1:]
    middle = (low + high) / 2 + normal((count, 2), 0.1, generator) * height
    gap = uniform((count, 1), 0.18, 0.4, generator) * height
    is_below = some((count, 1), 0.8, generator)
    middle[:, 1:] = torch.where(is_below, high[:, 1:] + gap, low[:, 1:] - gap)
    dot = random_arcs((count,), 6.3, generator) * uniform((count, 1, 1), 0.0, 5.0, generator)
    curves = torch.cat([curves, (middle[:, None] + dot)[:, None]], dim=1)
    present = torch.cat([present, torch.ones(count, 1, dtype=torch.bool)], dim=1)
    return render(resample(curves, present), generator)


def several_digits(count: int, generator: Generator) -> Tensor:
    """Two or three digits side by side, which touch now and then; the last may be cut off."""
    number = 3
    labels = randint(0, NUM_CLASSES, (count * number,), generator=generator)
    curves, present = write_digits(labels, generator)
    low = curves.amin((1, 2), keepdim=True)
    size = curves.amax((1, 2), keepdim=True) - low
    curves = (curves - low) / size[..., 1:] * 100  # as high as each other, left edge at 0
    width = (size[..., 0] / size[..., 1] * 100).view(count, number)
    gap = uniform((count, number), -8.0, 30.0, generator)
    left = torch.cat([torch.zeros(count, 1), (width + gap).cumsum(1)[:, :-1]], dim=1)
    shift = torch.stack([left, normal((count, number), 6.0, generator)], dim=-1)
    curves = curves.view(count, number, *curves.shape[1:]) + shift[:, :, None, None, :]
    present = present.view(count, number, -1)
    present[some((count,), 0.7, generator), 2] = False
    pen = resample(curves.flatten(1, 2), present.flatten(1, 2), LONG)
    # A quarter end at a border inside the last digit.
    last = torch.where(present[:, 2].any(1), left[:, 2], left[:, 1])
    border = last + uniform((count,), 15.0, 45.0, generator)
    border[some((count,), 0.75, generator)] = torch.inf
    pen = torch.where(pen[..., :1] <= border[:, None, None], pen, pen[:, :1])
    return render(pen, generator, SEVERAL)


KINDS: dict[Callable[[int, Generator], Tensor], float] = {
    letters: 0.22,
    pieces: 0.03,
    dotted_lines: 0.04,
    several_digits: 0.15,
    drawings.invented_characters: 0.06,
    drawings.scribbles: 0.06,
    drawings.random_curves: 0.04,
    drawings.zigzags: 0.04,
    drawings.spirals: 0.02,
    drawings.coils: 0.02,
    drawings.knots: 0.02,
    drawings.flat_lines: 0.02,
    drawings.dots: 0.02,
    drawings.outlines: 0.10,
    drawings.marked_outlines: 0.04,
    drawings.figures: 0.06,
    drawings.arcs: 0.05,
    patterns.filled_shapes: 0.04,
    patterns.textures: 0.04,
    patterns.codes: 0.01,
    patterns.stripes: 0.02,
    patterns.blurs: 0.04,
    patterns.noise: 0.02,
}  # the kinds and their shares
