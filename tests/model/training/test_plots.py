"""The confusion matrix, recall, and the pictures of them."""

import math
from dataclasses import asdict

import numpy as np
import torch
from PIL import Image

from model.train import Epoch
from model.training.plots import (
    confusion,
    plot_confusion,
    plot_learning_curves,
    plot_reliability,
    recall,
    save_figure,
)


def test_rows_are_true_digits_and_recall_is_the_part_of_each_that_is_read_right():
    matrix = confusion(torch.eye(10)[[7, 7, 1]], torch.tensor([1, 7, 1]))
    assert matrix[1, 7] == matrix[7, 7] == matrix[1, 1] == 1
    assert matrix.sum() == 3
    parts = recall(matrix)
    assert (parts[1], parts[7]) == (0.5, 1.0)
    assert math.isnan(parts[0])


def test_the_reliability_diagram_shows_no_accuracy_of_a_few_images():
    confidences = torch.tensor([0.95] * 6 + [0.45] * 5 + [0.25] * 4).double()
    others = ((1 - confidences) / 9)[:, None].expand(-1, 9)
    logits = torch.cat((confidences[:, None], others), dim=1).log()
    figure = plot_reliability(logits, torch.tensor([0] * 6 + [1] * 9), 1.0, "reliability")
    _, before, after = figure.axes[0].lines
    for line in (before, after):
        np.testing.assert_allclose(line.get_xydata(), [[0.45, 0], [0.95, 1]], atol=1e-6)


def test_every_figure_is_written_as_an_image(tmp_path):
    logits = torch.randn(200, 10, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(200) % 10
    figures = (
        plot_confusion(confusion(logits, labels), "confusion"),
        plot_learning_curves(
            [asdict(Epoch(number, 0.5, 0.4, 0.9, 3.0)) for number in (1, 2)], "curves"
        ),
        plot_reliability(logits, labels, 2.0, "reliability"),
    )
    for number, figure in enumerate(figures):
        path = tmp_path / f"{number}.png"
        save_figure(figure, path)
        with Image.open(path) as image:
            assert min(image.size) > 300
            assert np.asarray(image).std() > 5
