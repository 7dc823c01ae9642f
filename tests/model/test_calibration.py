"""Temperature, threshold and calibration error, on logits whose calibration is known."""

import numpy as np
import pytest
import torch

from model.calibration import (
    BINS,
    fit_temperature,
    fit_threshold,
    measure_calibration,
    rejected_fraction,
    reliability,
)
from model.config import TARGET_FALSE_REJECTION_RATE


@pytest.fixture(scope="module")
def logits():
    return 3 * torch.randn(20_000, 10, generator=torch.Generator().manual_seed(1))


def drawn_labels(logits, temperature):
    """Labels drawn by the probabilities: with them, logits / temperature are calibrated."""
    generator = torch.Generator().manual_seed(2)
    probabilities = (logits / temperature).softmax(dim=1)
    return torch.multinomial(probabilities, 1, generator=generator)[:, 0]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_is_found_by_which_the_labels_were_drawn(logits, temperature):
    labels = drawn_labels(logits, temperature)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.03)


def test_dividing_by_the_right_temperature_makes_the_calibration_error_small(logits):
    labels = drawn_labels(logits, 2.0)
    before, after = (measure_calibration(logits, labels, t) for t in (1.0, 2.0))
    assert before["error"] > 0.1
    assert after["error"] < 0.015
    assert after["log_loss"] < before["log_loss"]
    chosen = (logits.double() / 2).softmax(dim=1)[torch.arange(len(labels)), labels]
    assert after["log_loss"] == pytest.approx(-chosen.log().mean().item())


def test_a_confidence_of_all_certainty_and_half_the_labels_is_an_error_of_a_half():
    logits = 100 * torch.eye(10)[[3] * 150]
    labels = torch.tensor([3, 5] * 75)
    assert measure_calibration(logits, labels, 1.0)["error"] == pytest.approx(0.5, abs=0.01)


def test_bins_hold_equally_many_images_in_the_order_of_confidence(logits):
    labels = drawn_labels(logits, 1.0)
    confidence, correct = reliability(logits, labels, 1.0)
    assert len(confidence) == BINS
    assert (confidence.diff() > 0).all()
    np.testing.assert_allclose(correct, confidence, atol=0.06)
    everything = (logits.argmax(dim=1) == labels).double().mean()
    assert correct.mean().item() == pytest.approx(everything.item(), abs=1e-3)


def test_the_threshold_rejects_its_rate_of_the_digits_that_it_was_fitted_to(logits):
    threshold = fit_threshold(logits, 1.7)
    rejected = rejected_fraction(logits, 1.7, threshold)
    assert rejected == pytest.approx(TARGET_FALSE_REJECTION_RATE, abs=1e-4)
