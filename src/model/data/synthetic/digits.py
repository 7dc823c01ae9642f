"""Handwritten digits synthesised from strokes, for training without a download.

MNIST's writers are American; much of the world crosses its 7, flags its 1 and curls its 9.
`digits.txt` holds the forms, `deform` varies them, `rasterize` draws them as a round brush on a
canvas would, sized and placed by MNIST's rule.
"""

import torch
from torch import Generator, Tensor

from model.config import IMAGE_SIZE, NUM_CLASSES
from model.data.synthetic.deform import Style, deform
from model.data.synthetic.rasterize import draw_curves
from model.data.synthetic.templates import TEMPLATES_DIR, Templates, read_templates

CHUNK = 1024  # digits drawn at once: bounds the memory
STYLE = Style()
TEMPLATES = Templates(read_templates(TEMPLATES_DIR / "digits.txt"))
# How often each template (column) is drawn for each digit (row).
FREQUENCY = torch.stack([TEMPLATES.frequency(str(digit)) for digit in range(NUM_CLASSES)])


def synthesize_digits(labels: Tensor, generator: Generator) -> Tensor:
    """Return handwritten digits (N, 28, 28), uint8, ink 255 on 0, for `labels` (N,) of 0 to 9.

    They follow MNIST's rule of size and place. The same generator state gives the same pictures.
    """
    images = [torch.empty(0, IMAGE_SIZE, IMAGE_SIZE, dtype=torch.uint8)]
    for part in labels.split(CHUNK) if len(labels) else ():
        index = torch.multinomial(FREQUENCY[part], 1, generator=generator)[:, 0]
        images.append(draw_curves(*deform(TEMPLATES, index, generator, STYLE), generator))
    return torch.cat(images)
