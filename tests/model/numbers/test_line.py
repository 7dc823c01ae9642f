import numpy as np
import pytest
from tests.support.networks import save_small_cnn

from errors import ModelFileError
from model.numbers.line import (
    CLASSES,
    INK_HEIGHT,
    LINE_HEIGHT,
    MAX_LINE_WIDTH,
    SIDE,
    STRIDE,
    LineNetwork,
    to_line,
)


@pytest.mark.parametrize("size", [(10, 6), (48, 120), (300, 200), (3, 29_000)])
def test_ink_becomes_24_pixels_high_wherever_it_stands_or_as_wide_as_the_network_bears(size):
    foreground = np.pad(np.full(size, 200, np.uint8), ((40, 30), (50, 40)))
    line, scale = to_line(foreground)
    assert scale == pytest.approx(min(INK_HEIGHT / size[0], MAX_LINE_WIDTH / size[1]))
    rows, columns = (np.ptp(np.flatnonzero((line >= 128).any(axis=axis))) + 1 for axis in (1, 0))
    assert (rows, columns) == tuple(max(1, round(length * scale)) for length in size)
    assert line.shape == (LINE_HEIGHT, columns + 2 * SIDE)
    assert line.min() == 0 and line.max() == 255


@pytest.mark.parametrize("width", [2, 33, 250])
def test_each_column_has_a_probability_for_each_class(line_network, width):
    line = np.random.default_rng(0).integers(256, size=(LINE_HEIGHT, width), dtype=np.uint8)
    probabilities = line_network.probabilities(line)
    assert probabilities.shape == (width // STRIDE, CLASSES)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_classifier_is_no_network_for_lines(tmp_path):
    with pytest.raises(ModelFileError, match="cannot be used"):
        LineNetwork.load(save_small_cnn(tmp_path))
