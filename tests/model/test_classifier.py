"""Reading pictures: calibrated probabilities, refusals with their reasons, permuted pixels."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from errors import ModelFileError
from model.checkpoint import Checkpoint
from model.classifier import (
    AMBIGUOUS,
    NOT_A_DIGIT,
    REASONS,
    Classifier,
    rejection_score,
    standardize,
)


class Fixed(nn.Module):
    """Gives the logits of a list, one row a call after another."""

    def __init__(self, *rows):
        super().__init__()
        self.rows = list(rows)

    def forward(self, images):
        return torch.stack([self.rows.pop(0) for _ in images])


def logits_of(probabilities):
    return torch.tensor(probabilities, dtype=torch.float64).log().float()


def reader_of(*rows, temperature=1.0, threshold=0.2):
    settings = {"temperature": temperature, "threshold": threshold}
    card = {"name": "cnn", "version": "0.0.1", "reader": settings}
    return Classifier(Checkpoint(Fixed(*rows), card, None))


def spread(**probabilities):
    """Ten probabilities, those not given sharing what is left."""
    given = {int(key[1:]): value for key, value in probabilities.items()}
    rest = (1 - sum(given.values())) / (10 - len(given))
    return [given.get(digit, rest) for digit in range(10)]


BLANK = np.zeros((1, 28, 28), np.uint8)


def test_a_sure_digit_is_read_with_its_probability():
    prediction = reader_of(logits_of(spread(_7=0.91))).predict(BLANK)[0]
    assert (prediction.digit, prediction.is_digit, prediction.reason) == (7, True, None)
    assert prediction.confidence == pytest.approx(0.91)
    assert prediction.probabilities == pytest.approx(spread(_7=0.91))


def test_the_temperature_divides_the_logits():
    rows = [torch.tensor([4.0] + 9 * [0.0])]
    prediction = reader_of(*rows, temperature=2.0).predict(BLANK)[0]
    assert prediction.confidence == pytest.approx(np.exp(2) / (np.exp(2) + 9))


@pytest.mark.parametrize(
    ("probabilities", "reason"),
    [
        (spread(_4=0.2), NOT_A_DIGIT),
        (spread(_4=0.48, _9=0.47), AMBIGUOUS),
        (spread(_4=0.85, _9=0.1), NOT_A_DIGIT),  # one of the two is sure
    ],
)
def test_what_is_unsure_is_refused_with_a_reason_and_keeps_its_likeliest_digit(
    probabilities, reason
):
    prediction = reader_of(logits_of(probabilities), threshold=0.5).predict(BLANK)[0]
    assert (prediction.digit, prediction.is_digit, prediction.reason) == (4, False, reason)
    assert reason in REASONS


def test_certainty_is_the_confidence_at_a_higher_temperature():
    probabilities = torch.tensor([spread(_3=0.91)], dtype=torch.float64)
    by_hand = 0.91**0.2 / (0.91**0.2 + 9 * 0.01**0.2)
    assert rejection_score(probabilities).item() == pytest.approx(by_hand)
    assert rejection_score(torch.full((1, 10), 0.1)).item() == pytest.approx(0.1)
    one_hot = torch.eye(10)[:1]
    assert rejection_score(one_hot).item() == pytest.approx(1, abs=1e-4)


def test_the_permutation_is_the_same_for_the_network_and_for_what_is_shown():
    permutation = torch.randperm(784, generator=torch.Generator().manual_seed(1))
    image = np.arange(784, dtype=np.int64).reshape(28, 28) % 251
    image = image.astype(np.uint8)
    classifier = reader_of()
    classifier.permutation = permutation
    shown = torch.from_numpy(classifier.model_input(image)).float() / 255
    network_sees = standardize(torch.from_numpy(image)[None, None].float() / 255, permutation)
    torch.testing.assert_close(network_sees[0, 0] * 0.3081 + 0.1307, shown)


@pytest.mark.parametrize("missing", ["name", "version", "reader"])
def test_a_card_without_what_a_reader_needs_is_a_model_file_error(missing):
    card = {"name": "cnn", "version": "0.0.1", "reader": {"temperature": 1.0, "threshold": 0.5}}
    del card[missing]
    with pytest.raises(ModelFileError, match=missing):
        Classifier(Checkpoint(Fixed(), card, None))


def test_serving_imports_neither_torchvision_nor_training_code():
    code = (
        "import sys, model.classifier\n"
        "bad = {'torchvision', 'sklearn', 'matplotlib', 'model.train', 'model.data.augment',"
        " 'model.data.synthetic.digits'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": "src"}, check=True)
