"""Connected components, held to scipy's labelling and to shapes that are laid out by hand."""

import numpy as np
from scipy import ndimage

from model.preprocessing.components import Components


def sheet(*boxes, shape=(60, 100)):
    """Filled boxes (top, bottom, left, right) on an empty foreground, of different levels."""
    foreground = np.zeros(shape, np.uint8)
    for level, (top, bottom, left, right) in enumerate(boxes, start=100):
        foreground[top:bottom, left:right] = level
    return foreground


def test_components_are_those_of_scipy():
    foreground = (np.random.default_rng(0).random((80, 70)) < 0.35).astype(np.uint8) * 200
    labels, count = ndimage.label(foreground, np.ones((3, 3)))
    expected = {
        (rows.start, rows.stop, columns.start, columns.stop, int((labels == i).sum()))
        for i, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1)
    }
    found = Components(foreground)
    assert len(found) == count
    assert {(*box, area) for box, area in zip(found.boxes.tolist(), found.areas, strict=True)} == (
        expected
    )
    assert found.masses().tolist() == (200 * found.areas).tolist()


def test_groups_stand_side_by_side_and_hold_what_lies_above_each_other():
    five = [(10, 16, 12, 28), (18, 50, 10, 30)]  # a bar close above its body
    foreground = sheet(*five, (10, 52, 50, 56), (40, 46, 70, 76))  # a one; a full stop
    foreground[30:40, 15:25] = 0
    foreground[33:37, 18:22] = 250  # inside the body, and no part of it
    parts = Components(foreground).parts()
    assert [group.shape for group in parts] == [(32, 20), (42, 6)]
    assert [np.unique(group).tolist() for group in parts] == [[0, 101], [102]]
