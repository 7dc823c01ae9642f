import re
from pathlib import Path

import numpy as np
import pytest
import torch

from model.data.synthetic import templates
from model.data.synthetic.templates import Templates, curve

FILES = sorted(Path(templates.__file__).parent.glob("*.txt"))


def one_template(shape: str) -> Templates:
    return Templates(f"x | 1 | a form\n    {shape}")


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
    found = one_template("0,0 10,5! 3,-4 / 1,2 3,4")
    assert found.points[0, 0, 0].tolist() == [[0, 0], [10, 5], [3, -4]]
    assert found.points[0, 0, 1].tolist() == [[1, 2], [3, 4], [3, 4]]  # padded by its end
    assert found.corners[0, 0].tolist() == [0, 1, 0]
    assert found.last[0].tolist() == [2, 1]
    assert (found.characters, found.descriptions) == (["x"], ["a form"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_key_shapes_of_a_template_have_the_same_strokes_and_points(path):
    for template in re.split(r"\n(?=\S)", path.read_text("utf-8")):
        shapes = template.splitlines()[1:]
        lengths = {tuple(len(stroke.split()) for stroke in shape.split("/")) for shape in shapes}
        assert len(lengths) <= 1, template


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


@pytest.mark.parametrize(
    ("shape", "at", "expected"),
    [
        ("0,0 50,0! 50,80", [0.5, 1.0, 1.5], [[25.0, 0.0], [50.0, 0.0], [50.0, 40.0]]),
        ("0,0 10,0", [-0.5, 1.5], [[-5.0, 0.0], [15.0, 0.0]]),
    ],
    ids=["a corner is joined by straight lines", "beyond its ends a curve goes on straight"],
)
def test_lines_are_straight(shape, at, expected):
    found = one_template(shape)
    points = curve(found.points[:, 0], found.corners, found.last, torch.tensor([[at]]))
    torch.testing.assert_close(points[0, 0], torch.tensor(expected), atol=1e-4, rtol=0)
