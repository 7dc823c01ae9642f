from argparse import ArgumentTypeError

import pytest

from arguments import GREATEST, at_least, output_file, output_folder


@pytest.mark.parametrize("text", ["1", str(GREATEST)])
def test_a_number_within_the_limits_is_taken(text):
    assert at_least(1)(text) == int(text)


@pytest.mark.parametrize("text", ["0", "-1", str(GREATEST + 1)])
def test_a_number_beyond_the_limits_is_refused(text):
    with pytest.raises(ArgumentTypeError, match="at least 1"):
        at_least(1)(text)


def test_a_file_is_refused_where_it_cannot_be_written_and_not_made_where_it_can(tmp_path):
    assert output_file(str(tmp_path / "results.json")) == tmp_path / "results.json"
    assert not any(tmp_path.iterdir())
    for wrong in (tmp_path / "nowhere" / "results.json", tmp_path):
        with pytest.raises(ArgumentTypeError, match=str(tmp_path)):
            output_file(str(wrong))


def test_a_folder_is_made_and_refused_where_a_file_lies_in_its_place(tmp_path):
    assert output_folder(str(tmp_path / "a" / "b")).is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(ArgumentTypeError, match="file"):
        output_folder(str(tmp_path / "file"))
