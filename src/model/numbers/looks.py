"""Look at a picture as it is, and without its edge, where a printed frame may stand."""

import math
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from errors import BlankImageError
from model.config import IMAGE_SIZE, LOSSY_FORMATS
from model.preprocessing.normalize import Preprocessed
from model.preprocessing.segment import erase_frame, segment_foreground

CUTS = (0.04, 0.08)  # of the shorter side; so much is cut off on all sides
FINE_SIDE = 1200  # pixels of the longest side at which a photograph is looked at again
CUT_COST = math.log(0.95)  # of a look that leaves out an edge


class Look(NamedTuple):
    """A foreground of the picture.

    Attributes:
        cost: a logarithm, added to the score of what is read in it.
        edge: pixels of the picture that were cut off on each side.
        scale: pixels of the picture for each pixel of the foreground.
    """

    foreground: np.ndarray
    cost: float
    edge: int
    scale: float


def looks_at(preprocessed: Preprocessed) -> Iterator[Look]:
    """Yield the picture as it is, and with its edge cut off, where a frame may stand."""
    width = preprocessed.source.width
    yield Look(preprocessed.foreground, 0.0, 0, width / preprocessed.foreground.shape[1])
    grey, lossy = preprocessed.grey, preprocessed.source.format in LOSSY_FORMATS
    if max(preprocessed.foreground.shape) < max(grey.shape):
        with suppress(BlankImageError):  # a photograph: the digits of a number may be small in it
            fine = segment_foreground(erase_frame(grey), lossy=lossy, photo_side=FINE_SIDE)
            yield Look(fine, 0.0, 0, width / fine.shape[1])
    for share in CUTS:
        edge = max(1, round(share * min(grey.shape)))
        inner = grey[edge:-edge, edge:-edge]
        if min(inner.shape) < IMAGE_SIZE // 2:
            return
        with suppress(BlankImageError):
            foreground = segment_foreground(inner, lossy=lossy)
            reduced = width / grey.shape[1]
            scale = reduced * (inner.shape[1] / foreground.shape[1])
            yield Look(foreground, CUT_COST, round(edge * reduced), scale)
