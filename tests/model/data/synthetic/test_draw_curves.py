import numpy as np
import pytest
import torch
from PIL import Image

from model.data.strokes import paint
from model.data.synthetic import digits
from model.preprocessing.normalize import normalize


@pytest.fixture
def brush_of_20(monkeypatch):
    monkeypatch.setattr(digits, "BRUSH", (20.0, 20.0))


WAYS = {
    "a wide arc": [(10, 60), (40, 10), (120, 0), (200, 30)],
    "a tall hook": [(0, 0), (60, 5), (40, 200), (0, 180)],
    "an upright line": [(0, 0), (5, 200)],
    "a heavy corner": [(0, 0), (0, 200), (200, 200), (0, 190)],
}


@pytest.mark.parametrize("arc_length", WAYS.values(), ids=WAYS)
def test_a_drawing_looks_as_from_a_canvas_through_preprocessing(arc_length, brush_of_20):
    points = np.array(arc_length, dtype=float)
    expected = normalize(Image.fromarray(paint([points + 30], 20.0))).image
    stroke = torch.tensor(points, dtype=torch.float32)[None, None]
    found = digits.draw_curves(
        stroke, torch.ones(1, 1, dtype=torch.bool), torch.Generator(), curve_side=(200.0, 200.0)
    )[0].numpy()
    difference = np.abs(found.astype(int) - expected)
    assert difference.mean() < 1.5, f"mean difference {difference.mean()}"
    assert abs(int(found.sum()) - int(expected.sum())) < 0.07 * expected.sum()


def test_points_are_spread_evenly_over_all_strokes():
    curves = torch.tensor([[[[0.0, 0.0], [30.0, 0.0]], [[0.0, 50.0], [0.0, 60.0]]]])
    points = digits.resample_by_arc_length(curves, torch.ones(1, 2, dtype=torch.bool), 5)
    expected = torch.tensor([[[0.0, 0], [10, 0], [20, 0], [30, 0], [0, 60]]])
    torch.testing.assert_close(points, expected)


def test_an_absent_stroke_leaves_no_ink():
    curves = torch.tensor([[[[0.0, 0.0], [30.0, 0.0]], [[0.0, 500.0], [0.0, 900.0]]]])
    points = digits.resample_by_arc_length(curves, torch.tensor([[True, False]]), 9)
    assert points[..., 1].abs().max() == 0


def test_ink_is_shifted_by_whole_pixels_to_the_centre_of_mass_but_never_out_of_the_picture():
    ink = torch.zeros(2, 28, 28)
    ink[0, 2:5, 20:23] = 1
    ink[1, 27, :] = 1
    ink[1, 0, 0] = 0.01
    placed = digits.place(ink)
    assert placed[0, 13:16, 13:16].eq(255).all()
    assert placed.sum((1, 2)).tolist() == (ink * 255).round().sum((1, 2)).tolist()
