"""The command line that reads pictures without any service."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

import predict
from model.card import find_model
from model.classifier import Classifier
from model.config import REPOSITORY
from predict import describe_digit, load_line_network, main
from tests.support.drawings import NEARLY_NINE, blank, write
from tests.support.pictures import drawn

DIGITS = REPOSITORY / "data" / "digits"
SEVEN, THREE = str(DIGITS / "7.png"), str(DIGITS / "3.png")


def run(*arguments):
    """Start ``run.sh predict`` in a process of its own."""
    command, pipe = [sys.executable, "-m", "predict", *arguments], subprocess.PIPE
    return subprocess.Popen(
        command, env={"PYTHONPATH": "src", "PYTHONUTF8": "1"}, stdout=pipe, stderr=pipe
    )


def test_it_prints_digit_and_confidence_of_each_file(capsys):
    assert main([SEVEN, THREE]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(f"{SEVEN}: 7 \\(.*%\\)", first)
    assert re.fullmatch(f"{THREE}: 3 \\(.*%\\)", second)


def test_a_number_is_read_line_by_line_with_the_option_that_its_rejection_names(tmp_path, capsys):
    file = tmp_path / "lines.png"
    signed = cv2.line(drawn("7 5"), (130, 60), (170, 60), 255, 8)
    Image.fromarray(np.concatenate([drawn("042"), signed])).save(file)
    assert main(["--number", str(file)]) == 0
    first, second = capsys.readouterr().out.strip().split("; ")
    assert first.startswith(f"{file}: 042 (") and first.endswith("%)")
    assert second.startswith("no number. The picture holds other things than digits")
    assert main([str(file)]) == 0  # as a digit
    output = capsys.readouterr().out
    assert "more than one digit" in output and "--number" in output


def test_the_network_for_lines_is_asked_for_a_digit_that_the_classifier_is_not_sure_of(
    tmp_path, capsys
):
    file = tmp_path / "four.png"
    write(blank(), NEARLY_NINE, ink=255).save(file)
    classifier, network = Classifier.load(find_model("cnn")), load_line_network()
    alone, asked = (describe_digit(classifier, n, file.read_bytes()) for n in (None, network))
    assert main([str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: {asked}\n" != f"{file}: {alone}\n"


@pytest.mark.parametrize("damaged", [False, True])
def test_without_the_network_for_lines_digits_are_read_all_the_same_and_numbers_are_not(
    tmp_path, damaged, monkeypatch, capsys
):
    monkeypatch.setattr(predict, "MODELS_DIR", tmp_path)
    if damaged:
        (tmp_path / "mnist-line-0.0.1.onnx").write_bytes(b"damaged")
    for options, status, start in (
        ([], 0, "Digits are read by the classifier alone."),
        (["--number"], 1, "error: "),
    ):
        assert main([*options, SEVEN]) == status
        output = capsys.readouterr()
        assert output.out.startswith(f"{SEVEN}: 7 (") == (status == 0)
        assert re.fullmatch(f"{start}.*: bash run.sh line\n", output.err)


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_read(tmp_path, capsys):
    blank = tmp_path / "blank.png"
    Image.new("L", (280, 280)).save(blank)
    missing = tmp_path / "missing.png"
    assert main([str(blank), str(missing), THREE]) == 1
    output = capsys.readouterr()
    assert f"{blank}: The picture is blank" in output.err
    assert f"{missing}: No such file or directory: give a picture file" in output.err
    assert "3.png: 3 " in output.out


def test_a_digit_written_as_in_a_mirror_is_read_once_it_is_an_example(tmp_path, capsys):
    with Image.open(SEVEN) as seven:
        ImageOps.mirror(seven).save(tmp_path / "mirrored.png")
    file, examples = str(tmp_path / "mirrored.png"), tmp_path / "me.json"
    image = base64.b64encode(Path(file).read_bytes()).decode()
    examples.write_text(json.dumps([{"label": 7, "image": f"data:image/png;base64,{image}"}]))
    assert main([file]) == 0
    assert not capsys.readouterr().out.startswith(f"{file}: 7 ")
    assert main(["--examples", str(examples), file]) == 0
    assert capsys.readouterr().out.startswith(f"{file}: 7 ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--examples", "missing.json"], "No such file .*give the file that the page saves"),
        (["--examples", SEVEN], "examples: .*Write the examples as"),
        (["--model", "nosuch"], "There is no model 'nosuch' .*there: cnn, cnn-permuted"),
        (["--model", "missing.onnx"], "The model missing.onnx cannot be used: .*train it with"),
    ],
)
def test_examples_or_a_model_that_cannot_be_read_are_an_error_of_one_line(capsys, options, message):
    assert main([*options, SEVEN]) == 1
    output = capsys.readouterr()
    assert re.fullmatch(f"error: .*{message}.*\n", output.err)
    assert output.out == ""


def test_a_pipe_whose_end_is_closed_ends_it_in_silence():
    with run(SEVEN, THREE, SEVEN) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.skipif(sys.platform == "darwin", reason="no such names: a Mac refuses them")
def test_a_name_that_is_not_utf8_is_printed_as_it_is(tmp_path):
    name = os.fsencode(tmp_path) + b"/seven-\xff.png"
    shutil.copy(SEVEN, name)
    with run(name) as process:
        output, error = process.communicate()
    assert output.startswith(name + b": 7 ") and error == b""


def test_ctrl_c_ends_it_with_a_sentence(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with run(tmp_path / "pipe") as process, (tmp_path / "pipe").open("wb"):  # it waits for more
        process.send_signal(signal.SIGINT)
        _, error = process.communicate()
    assert (process.returncode, error) == (130, b"\nStopped before all files were read.\n")
