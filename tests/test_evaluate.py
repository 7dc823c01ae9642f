"""What a user sees of evaluate: counts by hand, and the shipped CNN on a few pictures."""

import shutil

import pandas as pd
import pytest
from PIL import Image

import evaluate
import predict
from model.config import MODELS_DIR
from model.numbers.write import synthetic_samples
from model.readme import load_records
from tests.support import out_of_distribution as ood
from tests.support.drawings import SEVEN, blank, squared, write
from tests.support.pictures import drawn, printed

ROWS = pd.DataFrame(
    [
        ("a", "7", "photo", "ada", True, True, True, False),
        ("b", "7", "photo", "ada", True, False, False, True),
        ("c", "1", "scan", "bob", True, True, True, True),
        ("d", "", "hand", "bob", False, False, True, False),
        ("e", "", "hand", "", False, True, False, False),
    ],
    columns=["file", "label", "kind", "author", "right", "accepted", "good", "usual"],
)


@pytest.fixture
def run(tmp_path, capsys):
    """Runs the command; gives the recorded tables, what it printed, and the page of failures."""
    model = tmp_path / "models" / "mnist-0.0.1.onnx"
    model.parent.mkdir()
    shutil.copy(MODELS_DIR / model.name, model)

    def run(*arguments):
        page = tmp_path / "page.html"
        line = [*arguments, "--model", model, "--record", "--output", page]
        assert evaluate.main(list(map(str, line))) == 0
        ((command, entry),) = load_records(model.parent).items()
        assert f"`{command}`" in (model.parent / "README.md").read_text()
        return list(entry.tables.values()), capsys.readouterr().out, page.read_text()

    return run


@pytest.fixture(scope="module")
def strokes(tmp_path_factory):
    """A file of synthetic digits, as if recorded from two people."""
    path = tmp_path_factory.mktemp("strokes") / "mine.jsonl"
    samples = synthetic_samples(80, seed=1)
    two = (s.model_copy(update={"writer": f"writer {i % 2}"}) for i, s in enumerate(samples))
    path.write_text("\n".join(sample.model_dump_json() for sample in two))
    return path


@pytest.fixture
def folder(tmp_path):
    """Pictures and a labels.csv; one of them is accepted at second sight alone, one is blank."""
    squared(write(blank(255), SEVEN, ink=0)).save(tmp_path / "squared.png")
    Image.fromarray(printed("7")).save(tmp_path / "wrong.png")
    Image.fromarray(drawn("061")).save(tmp_path / "number.png")
    Image.fromarray(printed("W")).save(tmp_path / "letter.png")
    blank(255, (20, 20)).save(tmp_path / "blank.png")
    (tmp_path / "labels.csv").write_text(
        "file,label,kind,author\nsquared.png,7,,ada\nwrong.png,1,,ada\nnumber.png,061,,\n"
        "letter.png,-1,,\nblank.png,3,<b>scan</b>,eve\n"
    )
    return tmp_path


def test_shares_are_those_counted_by_hand():
    rows = evaluate.summarise(ROWS)
    assert list(rows) == ["hand", "photo", "scan", "all digits"]
    photo, hand, total = rows["photo"], rows["hand"], rows["all digits"]
    assert (photo["right"], photo["right and accepted"], photo["rejected"]) == (100, 50, 50)
    assert (hand["right"], hand["rejected"], hand["the usual way"]) == (None, 50, None)
    assert (total["pictures"], total["complete authors"]) == (3, "1 of 2")
    assert total["95 %"] == "20.8 to 93.9"  # Wilson's, for 2 of 3
    assert total["the usual way"] == pytest.approx(200 / 3)


def test_a_folder_is_read_as_the_api_reads_it(folder, run):
    (rows,), printed_text, page = run(folder)
    assert rows["digits"]["right and accepted"] == 50  # squared: at second sight
    assert rows["numbers"]["right and accepted"] == 100
    assert rows["no digit"]["rejected"] == 100
    assert rows["all digits"]["complete authors"] == "0 of 2"
    assert "| digits " in printed_text and "2 failures" in printed_text
    assert "nan" not in printed_text  # a share that a kind does not have is "-"
    for shown in ("wrong.png<td>1<td>7<td>accepted", "blank.png<td>3<td>The picture is blank"):
        assert shown in page
    assert page.count("<img") == 2 and "squared.png" not in page


def test_without_the_network_for_lines_digits_are_read_by_the_classifier_and_that_is_said(
    folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(predict, "MODELS_DIR", tmp_path)  # find_model finds the classifier still
    page = tmp_path / "page.html"
    assert evaluate.main([str(folder), "--output", str(page)]) == 1
    assert "error: There is no model 'line'" in capsys.readouterr().err  # there is a number
    (folder / "number.png").unlink()
    labels = folder / "labels.csv"
    labels.write_text(labels.read_text().replace("number.png,061,,\n", ""))
    assert evaluate.main([str(folder), "--output", str(page)]) == 0
    assert "Digits are read by the classifier alone. There is no" in capsys.readouterr().err
    assert "squared.png" not in page.read_text()


def test_few_letters_and_scribbles_are_accepted(run, tmp_path, monkeypatch):
    monkeypatch.setattr(ood, "KINDS", {"letters": ood.letter, "scribbles": ood.scribble})
    ood.write_folder(tmp_path / "ood", count=40, seed=0)
    (rows,), _, _ = run(tmp_path / "ood")
    assert min(rows[kind]["rejected"] for kind in ("letters", "scribbles")) > 85


def test_strokes_are_read_as_numbers_of_each_writer(strokes, run, monkeypatch):
    monkeypatch.setattr(evaluate, "NUMBERS", 6)
    (rows,), _, _ = run(strokes, "--numbers")
    assert rows["apart"]["pictures"] == rows["touching"]["pictures"] == 6
    assert rows["apart"]["right and accepted"] >= 50


def test_strokes_are_drawn_and_read_and_examples_of_each_author_are_learnt(strokes, run):
    (rows, learnt), _, _ = run(strokes, "--examples", 1)
    assert rows["digits"]["pictures"] == 80
    assert rows["digits"]["right"] > 90
    assert list(learnt) == ["0 examples of each digit", "1 examples of each digit"]


@pytest.mark.parametrize("option", ["--output .", "--examples 0", "--numbers --examples 1"])
def test_an_option_that_cannot_be_is_a_wrong_usage(strokes, option, capsys):
    with pytest.raises(SystemExit) as exit_:
        evaluate.main([str(strokes), *option.split()])
    assert exit_.value.code == 2
    assert f"argument {option.split()[0]}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nowhere.jsonl", "nowhere.jsonl cannot be read"),
        ("{strokes} --model nothing", "no model 'nothing'"),
        ("{strokes} --examples 40", "41 or more of every digit"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(strokes, line, reason, tmp_path, capsys):
    arguments = line.format(strokes=strokes).split()
    assert evaluate.main([*arguments, "--output", str(tmp_path / "page.html")]) == 1
    assert reason in capsys.readouterr().err.splitlines()[-1]
