"""What harmless changes cost: counts by hand, for a reader that a test makes up."""

import io

import pandas as pd
import pytest
from PIL import Image
from tests.support.drawings import blank, file_of, write

from model.data.changes import CHANGES
from model.robustness import lost_by_changes, page_of_changes

PICTURE = file_of(write(blank(255, (100, 100)), [[(20, 20), (80, 20)]], ink=0))


@pytest.fixture
def lost():
    """A 7, a 17, a rejected 1 and an outlier, for a reader that larger pictures confuse."""

    def read(label, data):
        width = Image.open(io.BytesIO(data)).width
        if width == 120:  # padded or framed by a tenth
            return "other", False, None
        return ("4" if width == 75 and label == "7" else label), True, None

    rows = [("7", True), ("17", True), ("1", False), ("", True)]
    found = pd.DataFrame(rows, columns=["label", "good"]).assign(data=PICTURE)
    return lost_by_changes(found, read)


def test_only_what_is_read_right_and_accepted_is_changed(lost):
    assert len(lost) == 2 * len(CHANGES)
    assert lost["kind"].value_counts().to_dict() == {
        "digits": len(CHANGES),
        "numbers": len(CHANGES),
    }


def test_what_is_rejected_or_misread_is_lost(lost):
    table = lost.set_index(["change", "kind"]).sort_index()
    assert table.loc[("padded by a tenth", "numbers")].tolist() == [True, False]
    assert table.loc[("three quarters as wide", "digits")].tolist() == [True, True]
    assert table.loc[("three quarters as wide", "numbers")].tolist() == [False, False]
    assert not table.loc["inverted"].to_numpy().any()


def test_the_page_says_how_many_pictures_it_counts_and_which_command_wrote_it(lost):
    page = page_of_changes("bash run.sh evaluate mine --changes", lost)
    assert "`bash run.sh evaluate mine --changes`" in page
    assert "1 digits: lost" in page and "1 numbers: misread" in page
    (row,) = [line for line in page.splitlines() if line.startswith("| three quarters as wide")]
    assert [cell.strip() for cell in row.split("|")[2:6]] == ["100.0", "100.0", "0.0", "0.0"]
    assert sum(line.startswith("| ") for line in page.splitlines()) == 1 + len(CHANGES)
