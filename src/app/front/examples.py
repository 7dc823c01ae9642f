"""A person's examples as the page saves and loads them: in a file and in the browser."""

import json
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, field_validator

from app.client import Example
from app.front.images import data_url_bytes, decode_data_url
from app.front.settings import MAX_EXAMPLES
from errors import ExamplesError

MAX_IMAGE_CHARACTERS = 1_900  # of a data URL; the API takes 400 kB for 200 examples
PNG_HEADER = bytes([0, 0, 0, 28, 0, 0, 0, 28, 8, 0])  # width, height, 8 bits, grey
LEAST_CONTRAST = 0.1  # of black to white
LEAST_INK = 2  # pixels

Digit = Annotated[int, Field(ge=0, le=9, strict=True)]
Point = tuple[float, float]  # in pixels of the canvas, x right, y down
Stroke = Annotated[list[Point], Field(max_length=5_000)]  # a second of drawing has about a hundred


class Entry(BaseModel):
    """One labelled digit: its 28x28 image and, where it was drawn on the canvas, its strokes."""

    label: Digit
    image: str = Field(max_length=MAX_IMAGE_CHARACTERS, pattern="^data:image/png;base64,")
    strokes: list[Stroke] = Field([], max_length=200)

    @field_validator("image")
    @classmethod
    def _small_image(cls, image: str) -> str:
        if data_url_bytes(image)[16:26] != PNG_HEADER:
            raise ValueError("not a grey PNG of 28x28 pixels")
        try:
            pixels = decode_data_url(image)
        except Exception as error:  # decoders raise what they like
            raise ValueError("not an image") from error
        if not _has_ink(pixels):
            raise ValueError("a blank image")
        return image


_FILE = TypeAdapter(Annotated[list[Entry], Field(min_length=1, max_length=MAX_EXAMPLES)])


def save_examples(examples: Sequence[Example]) -> str:
    """The examples as a file: a JSON list with one example per line."""
    return "[\n" + ",\n".join(json.dumps(example) for example in examples) + "\n]\n"


def _has_ink(pixels: np.ndarray) -> bool:
    """Whether there is ink, white on a black ground, as in all that the page saves.

    The API may call anything else blank, and then refuses every request that brings it.
    """
    border = np.concatenate((pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))
    return bool(np.mean(border == 0) > 0.75 and np.sum(pixels > LEAST_CONTRAST) >= LEAST_INK)


def load_examples(content: bytes) -> list[Entry]:
    """The entries of a file that `save_examples` made.

    Raises:
        ExamplesError: it is no such file, or an entry has no label 0-9 or no 28x28 PNG with ink.
    """
    try:
        return _FILE.validate_json(content)
    except ValidationError as error:
        place = error.errors()[0]["loc"][:1]  # the entry's index, if it is about one
        entry = place[0] if place and isinstance(place[0], int) else None
        raise ExamplesError("These are not examples that the page saved.", entry) from error
