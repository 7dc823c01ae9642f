from argparse import ArgumentTypeError

import pytest

from arguments import at_least, output_file, output_folder


def test_a_number_below_the_least_is_refused():
    assert at_least(1)("1") == 1
    with pytest.raises(ArgumentTypeError, match="1 or more"):
        at_least(1)("0")


def test_a_folder_is_made_and_refused_where_a_file_lies_in_its_place(tmp_path):
    file = output_file(str(tmp_path / "a" / "results.json"))
    assert file.parent.is_dir() and not file.exists()
    file.touch()
    with pytest.raises(ArgumentTypeError, match=r"results\.json"):
        output_folder(str(file))
    with pytest.raises(ArgumentTypeError, match="is a folder"):
        output_file(str(tmp_path))
