"""The command line that reads pictures without any service."""

from pathlib import Path

from PIL import Image

from model.config import REPOSITORY
from predict import main

DIGITS = REPOSITORY / "data" / "digits"


def test_it_prints_digit_and_confidence_of_each_file(capsys):
    assert main([str(DIGITS / "7.png"), str(DIGITS / "1.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[1].split()[0] for line in lines] == ["7", "1"]
    assert all(line.endswith("%)") for line in lines)


def test_all_ten_drawn_digits_are_read():
    from model.classifier import Classifier
    from model.preprocessing.normalize import preprocess

    reader = Classifier.load(REPOSITORY / "models" / "mnist-0.0.1.pt")
    for digit in range(10):
        image = preprocess((DIGITS / f"{digit}.png").read_bytes()).image
        prediction = reader.predict(image[None])[0]
        assert (prediction.digit, prediction.is_digit) == (digit, True)


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_read(tmp_path, capsys):
    blank = tmp_path / "blank.png"
    Image.new("L", (280, 280)).save(blank)
    missing = tmp_path / "missing.png"
    assert main([str(blank), str(missing), str(DIGITS / "3.png")]) == 1
    output = capsys.readouterr()
    assert f"{blank}: The picture is blank" in output.err
    assert str(missing) in output.err
    assert "3.png: 3 " in output.out


def test_no_such_model_says_how_to_train_one(capsys):
    assert main(["--model", "nosuch", str(Path("x.png"))]) == 1
    assert "bash run.sh nosuch" in capsys.readouterr().err
