"""Labelled pictures: which labels count, and what is said about those that do not."""

import numpy as np
import pytest
from tests.support.drawings import blank

from errors import DataError
from model.data.pictures import content, draw_pictures, load_pictures, resize_plainly
from model.data.strokes import StrokeSample


def test_names_are_labels_where_there_is_no_table_and_those_without_one_are_told(tmp_path, capsys):
    for name in ("1_ada.png", "061.png", "holiday.png", "8ball.png"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "7_old").mkdir()
    pictures = load_pictures(tmp_path)
    assert pictures[["file", "label", "kind"]].to_numpy().tolist() == [
        ["061.png", "061", "numbers"],
        ["1_ada.png", "1", "digits"],
    ]
    assert [content(data) for data in pictures["data"]] == [b"061.png", b"1_ada.png"]
    assert "left out: 8ball.png, holiday.png" in capsys.readouterr().err


def test_a_table_gives_labels_kinds_and_authors_and_some_kinds_do_not_count(tmp_path):
    for name in "abcd":
        (tmp_path / name).touch()
    (tmp_path / "labels.csv").write_text(
        "file,author,kind,label\na,ada\nb,ada,scan, 5\nc,,crop,5\nd,,unclear,-1\n"
    )
    pictures = load_pictures(tmp_path)
    assert pictures[["file", "label", "kind", "author"]].to_numpy().tolist() == [
        ["a", "", "no digit", "ada"],
        ["b", "5", "scan", "ada"],
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "holds no labelled picture"),
        ("picture,label\na.png,3\n", "needs the columns file and label"),
        ("file;label\na.png;3\n", "separated by a comma"),
        ("file,label\na.png,three\n", "a.png has the label 'three'"),
        ("file,label\na.png,3\nb.png,4\n", "There is no .*b.png"),
        ('file,label\na.png,"3\n', "cannot be read"),
    ],
)
def test_a_folder_that_is_wrong_says_where(tmp_path, table, message):
    (tmp_path / "a.png").touch()
    if table:
        (tmp_path / "labels.csv").write_text(table)
    with pytest.raises(DataError, match=message):
        load_pictures(tmp_path)


def test_a_picture_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.png cannot be read: No such file"):
        content(tmp_path / "gone.png")


def test_a_drawing_does_not_depend_on_those_before_it():
    one = StrokeSample(label=1, writer="ada", strokes=[[(0, 0), (0, 100)]])
    bar = StrokeSample(label=7, writer="bob", strokes=[[(0, 0), (100, 0)]])
    drawn, others = draw_pictures([one, one], seed=5), draw_pictures([bar, one], seed=5)
    assert drawn["data"][1] == others["data"][1] and drawn["data"][0] != others["data"][0]
    assert others[["label", "author"]].to_numpy().tolist() == [["7", "bob"], ["1", "ada"]]


def test_resized_plainly_a_dark_mark_on_paper_is_white_on_black_in_its_place(tmp_path):
    paper = blank(230, (280, 280))
    paper.paste(60, (0, 0, 100, 280))
    paper.save(tmp_path / "a.png")
    image = resize_plainly((tmp_path / "a.png").read_bytes())
    assert image[:, :9].tolist() == np.full((28, 9), 255).tolist() and not image[:, 11:].any()
    assert not resize_plainly(b"no picture").any()
