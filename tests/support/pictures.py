"""Pictures that several rooms of the tests read."""

import cv2
import numpy as np
import torch
from PIL import Image

from model.config import REPOSITORY
from model.data.mnist import Digits


def printed(text: str, scale: float = 2.5) -> np.ndarray:
    """A line of text as a plotter's pen writes it, 255 on 0, digits about 22 * scale high."""
    ink = np.zeros((180, 120 + int(23 * scale * len(text))), dtype=np.uint8)
    cv2.putText(ink, text, (50, 120), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 8, cv2.LINE_AA)
    return ink


def drawn(text: str) -> np.ndarray:
    """A row of the repository's drawn digits, 255 on 0; a blank is an empty place."""
    row = []
    for character in text:
        with Image.open(REPOSITORY / "data" / "digits" / f"{character.strip() or 0}.png") as file:
            digit = np.asarray(file.convert("L").resize((120, 120)))
        row.append(digit[:, 15:-15] * (character != " "))
    return np.hstack(row)


def generator(seed: int = 0) -> torch.Generator:
    """A source of random numbers of its own."""
    return torch.Generator().manual_seed(seed)


def random_digits(count: int, seed: int = 0) -> Digits:
    """Noise, labelled 0, 1, ... 9, 0, 1, ..."""
    images = torch.randint(256, (count, 28, 28), generator=generator(seed), dtype=torch.uint8)
    return Digits(images, torch.arange(count) % 10)
