import numpy as np
import pytest
import torch
from sklearn.svm import SVC
from tests.support.pictures import generator

from model.data.mnist import load_mnist
from model.data.synthetic.digits import FREQUENCY, TEMPLATES, synthesize_digits

LABELS = torch.arange(1500) % 10


@pytest.fixture(scope="module")
def digits() -> torch.Tensor:
    return synthesize_digits(LABELS, generator())


def test_pictures_are_28_by_28_bytes_in_the_order_of_their_labels(digits):
    assert digits.shape == (1500, 28, 28)
    assert digits.dtype == torch.uint8
    assert digits.amax((1, 2)).min() > 150  # none is blank or faint
    assert synthesize_digits(LABELS[:0], generator()).shape == (0, 28, 28)


def test_a_seed_gives_the_same_pictures_all_different_and_another_seed_others(digits):
    assert len(torch.unique(digits.flatten(1), dim=0)) == len(digits)
    assert torch.equal(digits, synthesize_digits(LABELS, generator()))
    assert not torch.equal(digits, synthesize_digits(LABELS, generator(1)))


def test_each_digit_is_drawn_from_templates_of_its_own():
    assert (FREQUENCY > 0).sum(0).eq(1).all()
    for digit in range(10):
        drawn = {TEMPLATES.characters[t] for t in FREQUENCY[digit].nonzero()[:, 0]}
        assert drawn == {str(digit)}
    assert (FREQUENCY > 0).sum(1).min() >= 5


def test_they_follow_mnists_rule_of_size_and_place(digits):
    ink = digits.numpy().astype(float)
    for profile in (ink.sum(1), ink.sum(2)):
        centre = (profile * np.arange(28)).sum(1) / profile.sum(1)
        assert (np.abs(centre - 14) <= 0.51).mean() > 0.995  # ink never leaves the picture for it
    sides = [np.ptp(np.argwhere(image > 20), axis=0).max() + 1 for image in ink]
    assert set(sides) <= {19, 20, 21}


def test_pens_are_as_fine_and_as_broad_as_on_the_canvas(digits):
    ink = digits[LABELS == 1].double() / 255
    widths = ink.sum((1, 2)) / 20  # most of a 1 is a line of 20 pixels
    assert widths.quantile(0.05) < 2
    assert widths.quantile(0.95) > 4


def test_a_reader_that_has_seen_only_real_digits_reads_most_of_them(digits):
    real = load_mnist("sample").training[torch.arange(0, 4000, 2)]
    classifier = SVC(C=5, gamma=0.02).fit(real.images.flatten(1) / 255, real.labels)
    read = classifier.predict(digits[:500].flatten(1).numpy() / 255)
    assert (read == LABELS[:500].numpy()).mean() > 0.8
