"""Connected components, held to scipy's labelling and to shapes that are laid out by hand."""

import numpy as np
from scipy import ndimage

from model.preprocessing.components import Components


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
