import numpy as np
import pytest
import torch

from model.data.synthetic.templates import (
    Template,
    Templates,
    curve,
    parse_stroke,
)


def one_template(*shapes: str) -> Templates:
    parsed = [[parse_stroke(stroke) for stroke in shape.split("/")] for shape in shapes]
    return Templates([Template("x", 1.0, "", parsed)])


def barry_goldman(points: np.ndarray, part: float) -> np.ndarray:
    """A point of the centripetal Catmull-Rom curve between the second and third of four points."""
    knots = np.concatenate([[0], np.sqrt(np.linalg.norm(np.diff(points, axis=0), axis=1)).cumsum()])
    t = knots[1] + part * (knots[2] - knots[1])
    level = list(points)
    for step in (1, 2):
        level = [
            ((knots[i + step] - t) * level[i] + (t - knots[i]) * level[i + 1])
            / (knots[i + step] - knots[i])
            for i in range(len(level) - 1)
        ]
    return ((knots[2] - t) * level[0] + (t - knots[1]) * level[1]) / (knots[2] - knots[1])


def test_a_shape_is_parsed_into_strokes_points_and_corners():
    templates = one_template("0,0 10,5! 3,-4 / 1,2 3,4")
    assert templates.points[0, 0, 0].tolist() == [[0, 0], [10, 5], [3, -4]]
    assert templates.points[0, 0, 1].tolist() == [[1, 2], [3, 4], [3, 4]]  # padded by its end
    assert templates.corners[0, 0].tolist() == [0, 1, 0]
    assert templates.last[0].tolist() == [2, 1]


def test_key_shapes_of_different_strokes_are_refused():
    with pytest.raises(ValueError, match="'x'"):
        one_template("0,0 1,1", "0,0 1,1 2,2")


def test_the_curve_is_the_centripetal_catmull_rom_spline():
    generator = np.random.default_rng(1)
    points = generator.uniform(0, 100, (4, 2))
    parts = np.linspace(0, 1, 7)
    expected = [barry_goldman(points, part) for part in parts]
    found = curve(
        torch.tensor(points)[None, None],
        torch.zeros(1, 1, 4, dtype=torch.float64),
        torch.tensor([[3]]),
        torch.tensor(1 + parts)[None, None],
    )
    np.testing.assert_allclose(found[0, 0], expected, atol=1e-9)


def test_the_curve_passes_through_every_control_point():
    points = torch.rand(3, 2, 6, 2, generator=torch.Generator().manual_seed(0)) * 100
    at = torch.arange(6.0).expand(3, 2, 6)
    found = curve(points, torch.zeros(3, 2, 6), torch.full((3, 2), 5), at)
    torch.testing.assert_close(found, points, atol=1e-3, rtol=0)


def test_a_corner_is_joined_by_straight_lines():
    templates = one_template("0,0 50,0! 50,80")
    at = torch.tensor([[[0.5, 1.0, 1.5]]])
    found = curve(templates.points[:, 0], templates.corners, templates.last, at)
    expected = torch.tensor([[[[25.0, 0.0], [50.0, 0.0], [50.0, 40.0]]]])
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_beyond_its_ends_a_curve_goes_on_straight():
    templates = one_template("0,0 10,0")
    at = torch.tensor([[[-0.5, 1.5]]])
    found = curve(templates.points[:, 0], templates.corners, templates.last, at)
    torch.testing.assert_close(found, torch.tensor([[[[-5.0, 0.0], [15.0, 0.0]]]]))
