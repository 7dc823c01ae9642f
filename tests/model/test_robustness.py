"""What harmless changes cost: counts by hand, for a reader that a test makes up."""

import io

import pandas as pd
from PIL import Image
from tests.support.drawings import blank, file_of, write

from model.data.changes import CHANGES
from model.robustness import lost_by_changes

PICTURE = file_of(write(blank(255, (100, 100)), [[(20, 20), (80, 20)]], ink=0))


def confused_by_size(label, data):
    width = Image.open(io.BytesIO(data)).width
    if width == 120:  # padded or framed by a tenth
        return "other", False, None
    return ("4" if width == 75 and label == "7" else label), True, None


def test_what_was_right_and_accepted_is_changed_and_may_be_rejected_or_misread():
    rows = [("7", True), ("2", True), ("17", True), ("1", False), ("", True)]
    found = pd.DataFrame(rows, columns=["label", "good"]).assign(data=PICTURE)
    table = lost_by_changes(found, confused_by_size)
    columns = ["2 digits: lost", "2 digits: misread", "1 numbers: lost", "1 numbers: misread"]
    assert list(table) == list(CHANGES)
    assert table["padded by a tenth"] == dict(zip(columns, [100, 0, 100, 0], strict=True))
    assert table["three quarters as wide"] == dict(zip(columns, [50, 50, 0, 0], strict=True))
    assert table["inverted"] == dict.fromkeys(columns, 0)
