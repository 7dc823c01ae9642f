"""A folder of labelled pictures: what is counted, by hand, and what a user sees."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw
from tests.support.pictures import printed

from errors import DataError
from evaluation import images
from evaluation.__main__ import main
from model.checkpoint import find_model
from model.classifier import Classifier
from model.config import REPOSITORY

COLUMNS = "file label kind author predicted accepted reason correct naive"
ROWS = pd.DataFrame(
    [
        ("a", "7", "photo", "ada", 7, True, "", True, False),
        ("b", "7", "photo", "ada", 7, False, "not_a_digit", True, True),
        ("c", "1", "scan", "bob", 1, True, "", True, True),
        ("d", "-1", "hand", "bob", 3, False, "not_a_digit", False, False),
        ("e", "12", "hand", "bob", 1, True, "", False, False),
    ],
    columns=COLUMNS.split(),
)


def test_fractions_are_of_pictures_of_a_kind_and_of_all_single_digits():
    summary = images.summarise(ROWS)
    photo = summary.loc["photo", ["pictures", "correct", "correct and accepted"]]
    assert photo.tolist() == [2, 1, 0.5]
    assert summary.loc["hand", "rejected"] == 0.5
    assert np.isnan(summary.loc["hand", "correct"])
    total = summary.loc["all single digits"]
    assert (total["pictures"], total["rejected"]) == (3, pytest.approx(1 / 3))
    assert total["naive, correct"] == pytest.approx(2 / 3)


def test_an_author_is_complete_whose_digits_all_are():
    assert images.complete_authors(ROWS) == (1, 2)


@pytest.mark.parametrize("label", ["-1", ""])
def test_a_picture_of_no_digit_is_called_so_whichever_way_it_is_labelled(label):
    sample = ROWS.iloc[4].copy()
    sample["label"] = label
    assert images.describe(sample) == "no digit: read as 1"


def test_failures_are_digits_rejected_and_others_accepted():
    assert images.failures(ROWS)["file"].tolist() == ["b", "e"]


@pytest.fixture
def folder(tmp_path):
    canvas = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(canvas).line((100, 30, 100, 170), fill=0, width=16)
    canvas.save(tmp_path / "1_ada.png")
    Image.new("L", (20, 20), 255).save(tmp_path / "3_blank.png")
    return tmp_path


def test_names_are_labels_where_there_is_no_table_and_those_without_one_are_told(folder, capsys):
    for name in ("7.png", "holiday.png", "8ball.png"):
        (folder / name).touch()
    (folder / "7_old").mkdir()
    assert images.read_labels(folder)[["file", "label"]].to_numpy().tolist() == [
        ["1_ada.png", "1"],
        ["3_blank.png", "3"],
        ["7.png", "7"],
    ]
    assert "left out: 8ball.png, holiday.png" in capsys.readouterr().err


def test_a_folder_without_labels_and_a_table_without_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"labels\.csv"):
        images.read_labels(tmp_path)
    with pytest.raises(DataError, match=r"no directory .*nowhere: give one with pictures"):
        images.read_labels(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("picture,label\na.png,3\n", "file and label"),
        ("file;label\na.png;3\n", "comma"),
        ("file,label\na.png,three\n", "'three' of a.png"),
        ("file,label\na.png,3\nb.png,4\n", "b.png, which is not in"),
    ],
)
def test_a_table_that_is_wrong_says_where(tmp_path, table, message):
    (tmp_path / "a.png").touch()
    (tmp_path / "labels.csv").write_text(table)
    with pytest.raises(DataError, match=message):
        images.read_labels(tmp_path)


def test_the_command_prints_and_writes_what_it_measured(folder, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(images, "DATA_DIR", tmp_path / "out")
    (folder / "5_unclear.png").write_bytes((folder / "1_ada.png").read_bytes())
    (folder / "labels.csv").write_text(
        "file,label,author,kind\n1_ada.png,1,ada,\n3_blank.png,,ada,\n5_unclear.png,5,ada,unclear\n"
    )
    model = str(REPOSITORY / "models" / "mnist-0.0.1.pt")
    results = tmp_path / "results.json"
    assert main(["images", str(folder), "--model", model, "--json", str(results)]) == 0
    output = capsys.readouterr().out
    assert "1 of 1" in output and "what failed" not in output
    written = json.loads(results.read_text())
    assert "unclear" not in written
    assert written["all single digits"]["correct and accepted"] == 1
    assert written["no digit"] == {
        "pictures": 1,
        "correct": None,
        "correct and accepted": None,
        "naive, correct": None,
        "rejected": 1.0,
    }
    (folder / "labels.csv").write_text("file,label\n1_ada.png,2\n3_blank.png,3\n")
    assert main(["images", str(folder)]) == 0
    output = capsys.readouterr().out
    assert "1_ada.png: 2: read as 1" in output
    assert "3_blank.png: 3: The picture is blank" in output
    assert list((tmp_path / "out").rglob("*.png"))


def test_what_is_labelled_with_a_number_is_read_as_one(tmp_path):
    for file, text in (("061.png", "061"), ("3.5.png", "3.5")):
        Image.fromarray(printed(text)).save(tmp_path / file)
    (tmp_path / "labels.csv").write_text("file,label\n061.png,061\n3.5.png,35\n")
    classifier = Classifier.load(find_model("cnn"))
    read = images.classify(classifier, tmp_path, images.read_labels(tmp_path))
    assert read["predicted"].tolist() == ["061", -1]
    assert read["correct"].tolist() == read["accepted"].tolist() == [True, False]
    assert read["reason"].tolist() == ["", "sign_or_separator"]
    assert images.summarise(read).loc["numbers", ["pictures", "correct"]].tolist() == [2, 0.5]
    assert images.failures(read)["file"].tolist() == ["3.5.png"]
