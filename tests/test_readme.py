"""The README's tables are those that the files of results make."""

import pytest

from errors import DataError
from readme import BLOCKS, README, fill


def test_the_readme_holds_the_tables_of_the_committed_results():
    text = README.read_text()
    assert fill(text) == text, "run: bash run.sh readme"


@pytest.mark.parametrize("name", BLOCKS)
def test_a_table_that_was_changed_by_hand_is_made_anew(name):
    text = README.read_text()
    begin = f"<!-- {name}, written by: bash run.sh readme -->\n"
    assert fill(text.replace(begin, f"{begin}99.99 % of everything\n")) == text


def test_a_readme_without_a_marker_is_an_error():
    with pytest.raises(DataError, match="once each"):
        fill(README.read_text().replace("<!-- end of quality -->", ""))


def test_what_was_not_measured_names_the_command_that_measures_it(tmp_path):
    assert BLOCKS["quality"](tmp_path) == "*Not measured yet: `bash run.sh bench quality`.*"
