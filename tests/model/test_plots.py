"""The figures of a model are images that show something."""

import io

import numpy as np
import torch
from PIL import Image

from model.plots import draw_figures


def test_every_figure_is_a_png_that_shows_something():
    logits = torch.randn(200, 10, generator=torch.Generator().manual_seed(0))
    epoch = {"number": 1, "training_loss": 0.5, "validation_accuracy": 0.9}
    history = [epoch, epoch | {"number": 2}]
    test = (logits, torch.arange(200) % 10)
    figures = draw_figures("cnn", history, torch.eye(10).long(), test, temperature=2.0)
    assert list(figures) == ["confusion-matrix", "learning-curves", "reliability"]
    for png in figures.values():
        with Image.open(io.BytesIO(png)) as image:
            assert image.format == "PNG"
            assert min(image.size) > 300
            assert np.asarray(image).std() > 5
