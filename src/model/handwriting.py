"""Handwritten digits synthesised from strokes, for training without a download.

MNIST's writers are American; much of the world crosses its 7, flags its 1 and curls its 9. The
templates are in `model.glyphs`, their variation and rendering in `model.strokes`.
"""

import torch
from torch import Generator, Tensor

from model.glyphs import DIGITS
from model.settings import SIDE
from model.strokes import Templates, write

CHUNK = 1024  # digits drawn at once: bounds the memory

TEMPLATES = Templates([template for templates in DIGITS for template in templates])
DIGIT_OF_TEMPLATE = torch.tensor([d for d, templates in enumerate(DIGITS) for _ in templates])
# How often each template (column) is drawn for each digit (row).
FREQUENCY = TEMPLATES.weights * (torch.arange(len(DIGITS))[:, None] == DIGIT_OF_TEMPLATE)


def synthesise_digits(labels: Tensor, generator: Generator) -> Tensor:
    """Return handwritten digits (N, 28, 28), uint8, ink 255 on 0, for `labels` (N,) of 0 to 9.

    They follow MNIST's rule of size and place. The same generator state gives the same pictures.
    """
    pictures = [torch.empty(0, SIDE, SIDE, dtype=torch.uint8)]
    for part in labels.split(CHUNK) if len(labels) else ():
        index = torch.multinomial(FREQUENCY[part], 1, generator=generator)[:, 0]
        pictures.append(write(TEMPLATES, index, generator))
    return torch.cat(pictures)
