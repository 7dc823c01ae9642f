import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.svm import SVC
from tests.support.pictures import generator

from model.data.mnist import load_mnist
from model.data.strokes import paint
from model.data.synthetic import digits as digits_module
from model.data.synthetic.digits import (
    FREQUENCY,
    TEMPLATES,
    place,
    render,
    resample,
    synthesize_digits,
)
from model.preprocessing.normalize import normalize

LABELS = torch.arange(1500) % 10
LINES = {
    "a wide arc": [(10, 60), (40, 10), (120, 0), (200, 30)],
    "a tall hook": [(0, 0), (60, 5), (40, 200), (0, 180)],
    "an upright line": [(0, 0), (5, 200)],
    "a heavy corner": [(0, 0), (0, 200), (200, 200), (0, 190)],
}


@pytest.fixture(scope="module")
def digits() -> torch.Tensor:
    return synthesize_digits(LABELS, generator())


def test_a_seed_gives_the_same_pictures_all_different_and_another_seed_others(digits):
    assert digits.shape == (1500, 28, 28) and digits.dtype == torch.uint8
    assert digits.amax((1, 2)).min() > 150  # none is blank or faint
    assert len(torch.unique(digits.flatten(1), dim=0)) == len(digits)
    assert torch.equal(digits, synthesize_digits(LABELS, generator()))
    assert not torch.equal(digits, synthesize_digits(LABELS, generator(1)))
    assert synthesize_digits(LABELS[:0], generator()).shape == (0, 28, 28)


def test_each_digit_is_drawn_from_templates_of_its_own():
    for digit in range(10):
        drawn = [TEMPLATES.characters[t] for t in FREQUENCY[digit].nonzero()[:, 0]]
        assert set(drawn) == {str(digit)} and len(drawn) >= 5


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


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_drawing_looks_as_from_a_canvas_through_preprocessing(line, monkeypatch):
    monkeypatch.setattr(digits_module, "BRUSH", (20.0, 20.0))
    points = np.array(line, dtype=float)
    expected = normalize(Image.fromarray(paint([points + 30], 20.0))).image
    pen = resample(torch.tensor(line)[None, None].float())
    found = render(pen, generator(), curve_side=(200.0, 200.0))[0].numpy()
    assert np.abs(found.astype(int) - expected).mean() < 1.5
    assert abs(int(found.sum()) - int(expected.sum())) < 0.07 * expected.sum()


def test_points_are_spread_evenly_over_all_strokes_and_absent_ones_have_none():
    curves = torch.tensor([[[[0.0, 0.0], [30.0, 0.0]], [[0.0, 50.0], [0.0, 60.0]]]])
    expected = torch.tensor([[[0.0, 0], [10, 0], [20, 0], [30, 0], [0, 60]]])
    torch.testing.assert_close(resample(curves, count=5), expected)
    first_alone = resample(curves, torch.tensor([[True, False]]), 4)
    torch.testing.assert_close(first_alone, expected[:, :4])


def test_ink_is_shifted_by_whole_pixels_to_the_centre_of_mass_but_never_out_of_the_picture():
    ink = torch.zeros(2, 28, 28)
    ink[0, 2:5, 20:23] = 1
    ink[1, 27, :] = 1
    ink[1, 0, 0] = 0.01
    placed = place(ink)
    assert placed[0, 13:16, 13:16].eq(255).all()
    assert placed.sum((1, 2)).tolist() == (ink * 255).round().sum((1, 2)).tolist()
