"""A person's labelled examples, as the page saves them: a JSON array of label and image."""

import base64
import re
from typing import Annotated

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from errors import ExamplesError, ImageError
from model.config import NUM_CLASSES
from model.preprocessing.decode import decode_image, read_header
from model.preprocessing.normalize import normalize

MAX_EXAMPLES = 200
MAX_EXAMPLES_BYTES = 400_000
MAX_EXAMPLE_PIXELS = 1_000_000  # few bytes may unpack to many pixels, and there are 200
FORM = '[{"label": 7, "image": "data:image/png;base64,..."}, ...]'


def _decode_url(url: object) -> bytes:
    match = re.fullmatch(r"data:image/[a-z.+-]+;base64,(.*)", str(url))
    if match is None:
        raise ValueError("no data URL of an image")
    return base64.b64decode(match[1], validate=True)


class Example(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    label: Annotated[int, Field(ge=0, lt=NUM_CLASSES)]
    image: Annotated[bytes, BeforeValidator(_decode_url)]


_EXAMPLES = TypeAdapter(Annotated[list[Example], Field(min_length=1, max_length=MAX_EXAMPLES)])


def read_examples(text: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Read and preprocess 1 to 200 examples: images (n, 28, 28) uint8, and labels (n,) int.

    Raises:
        ExamplesError: the text is too long or not in the documented form, or an image cannot be
            read; the message names the entry, counted from 0.
    """
    size = len(text)
    if size > MAX_EXAMPLES_BYTES:
        raise ExamplesError(f"The examples have {size} bytes; give at most {MAX_EXAMPLES_BYTES}.")
    try:
        examples = _EXAMPLES.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        entry = next((part for part in first["loc"] if isinstance(part, int)), None)
        place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"])
        message = f"examples{place}: {first['msg']}. Write the examples as {FORM}."
        raise ExamplesError(message, entry) from error
    images = []
    for index, example in enumerate(examples):
        try:
            header = read_header(example.image)
            if header.width * header.height > MAX_EXAMPLE_PIXELS:
                raise ImageError("An example has at most 1 megapixel: make the picture smaller.")
            images.append(normalize(decode_image(header)).image)
        except ImageError as error:
            raise ExamplesError(f"examples[{index}].image: {error}", index) from error
    return np.stack(images), np.array([example.label for example in examples])
