"""Calibration and threshold, held to hand calculations and to probabilities that are known."""

import numpy as np
import pytest
import torch
from tests.support.pictures import generator

from model.classifier import rejection_score
from model.config import TARGET_FALSE_REJECTION_RATE
from model.training.calibration import (
    fit_temperature,
    fit_threshold,
    measure_calibration,
    reliability,
)


def drawn_labels(logits, temperature):
    """Labels drawn from the very probabilities that the logits give at a temperature."""
    probabilities = (logits / temperature).softmax(dim=1)
    return torch.multinomial(probabilities, 1, generator=generator())[:, 0]


@pytest.fixture(scope="module")
def logits():
    return 3 * torch.randn(20_000, 10, generator=generator(1))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_labels_is_found(logits, temperature):
    labels = drawn_labels(logits, temperature)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.03)


def test_scaling_mends_the_calibration_error(logits):
    labels = drawn_labels(logits, 2.5)
    before = measure_calibration(logits, labels, 1.0)
    after = measure_calibration(logits, labels, fit_temperature(logits, labels))
    assert before["error"] > 0.2
    assert after["error"] < 0.015
    assert after["log_loss"] < before["log_loss"]


def test_error_and_log_loss_are_those_calculated_by_hand():
    probabilities = torch.full((2, 10), 0.4 / 9)
    probabilities[:, 0] = 0.6
    calibration = measure_calibration(probabilities.log(), torch.tensor([0, 1]), 1.0)
    assert calibration["error"] == pytest.approx(0.1, abs=1e-6)  # 0.6 sure, right in 0.5
    assert calibration["log_loss"] == pytest.approx(-(np.log(0.6) + np.log(0.4 / 9)) / 2, abs=1e-6)


def test_the_threshold_refuses_the_part_it_was_fitted_to(logits):
    threshold = fit_threshold(logits, 1.5)
    rejection_scores = rejection_score((logits / 1.5).softmax(dim=1).numpy())
    assert (rejection_scores < threshold).mean() == pytest.approx(
        TARGET_FALSE_REJECTION_RATE, abs=1e-4
    )


def test_the_bins_of_the_reliability_diagram_hold_every_picture(logits):
    labels = drawn_labels(logits, 1.0)
    confidence, accuracy, count = reliability(logits, labels, 1.0)
    assert count.sum() == len(logits)
    filled = count > 100
    np.testing.assert_allclose(accuracy[filled], confidence[filled], atol=0.06)
