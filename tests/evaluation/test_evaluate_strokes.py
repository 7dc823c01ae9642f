import json

import numpy as np
import pytest
from PIL import Image

from evaluation import evaluate_strokes
from evaluation.__main__ import main
from evaluation.evaluate_strokes import predict_strokes, report, score
from evaluation.numbers import synthetic_samples
from model.checkpoint import find_model
from model.classifier import Classifier, Prediction
from model.data.strokes import StrokeSample


@pytest.fixture(scope="module")
def samples() -> list[StrokeSample]:
    """Synthetic digits, as if recorded from two writers."""
    recorded = synthetic_samples(100, seed=1)
    return [s.model_copy(update={"writer": f"writer {i % 2}"}) for i, s in enumerate(recorded)]


def prediction(digit: int, is_digit: bool = True) -> Prediction:
    return Prediction(digit, 0.9, [0.0] * 10, 0.9, is_digit, None if is_digit else "not_a_digit")


def test_the_results_are_those_counted_by_hand():
    written = [(1, "a"), (1, "a"), (1, "a"), (7, "b"), (7, "a")]
    samples = [
        StrokeSample(label=label, writer=writer, strokes=[[(0, 0)]]) for label, writer in written
    ]
    read = [prediction(1), prediction(7), prediction(1, False), prediction(7), prediction(2)]
    results = score(samples, read)
    assert results["accuracy"] == 3 / 5
    assert results["mean_over_writers"] == (2 / 4 + 1) / 2
    assert results["worst_writer"] == 2 / 4
    assert results["rejected"] == 1 / 5
    assert results["recall"][1] == 2 / 3
    assert results["recall"][7] == 1 / 2
    assert results["recall"][0] is None
    assert results["confusion"][1][7] == 1 and results["confusion"][7][2] == 1
    assert np.sum(results["confusion"]) == 5
    assert "60.00%" in report(results) and "66.7%" in report(results)


def test_the_shipped_model_classifies_synthetic_digits(samples):
    images, read = predict_strokes(Classifier.load(find_model("cnn")), samples, seed=0)
    assert images.shape == (len(samples), 28, 28)
    results = score(samples, read)
    assert results["accuracy"] > 0.95, report(results)


def test_a_drawing_does_not_depend_on_those_before_it(samples):
    classifier = Classifier.load(find_model("cnn"))
    images, _ = predict_strokes(classifier, samples[:12], seed=5)
    others, _ = predict_strokes(classifier, samples[1:2] + samples[1:12], seed=5)
    assert np.array_equal(images[1:], others[1:])


def test_the_command_prints_and_writes_what_was_misclassified(
    tmp_path, monkeypatch, capsys, samples
):
    monkeypatch.setattr(evaluate_strokes, "DATA_DIR", tmp_path)
    lines = [
        json.dumps({"label": (r.label + (i == 0)) % 10, "writer": r.writer, "strokes": r.strokes})
        for i, r in enumerate(samples)
    ]
    file = tmp_path / "mine.jsonl"
    file.write_text("\n".join(lines))
    table = tmp_path / "results.json"
    assert main(["strokes", str(file), "--seed", "1", "--json", str(table)]) == 0
    printed = capsys.readouterr().out
    assert "accuracy" in printed and "mean over writers" in printed
    results = json.loads(table.read_text())
    assert results["model"] == "cnn" and results["seed"] == 1
    assert results["samples"] == len(samples)
    assert f"{results['accuracy']:.2%}" in printed
    (sheet,) = (tmp_path / "generated" / "strokes").iterdir()
    with Image.open(sheet) as image:
        assert image.format == "PNG" and image.width > 1000


def test_where_nothing_is_misclassified_there_is_no_sheet(tmp_path, monkeypatch, capsys, samples):
    monkeypatch.setattr(evaluate_strokes, "DATA_DIR", tmp_path)
    file = tmp_path / "mine.jsonl"
    file.write_text(next(s.model_dump_json() for s in samples if s.label == 0))
    assert main(["strokes", str(file)]) == 0
    assert "misclassified" not in capsys.readouterr().out
    assert not list(tmp_path.rglob("*.png"))


def test_the_command_tells_what_examples_of_each_writer_change(
    tmp_path, monkeypatch, capsys, samples
):
    monkeypatch.setattr(evaluate_strokes, "DATA_DIR", tmp_path)
    monkeypatch.setattr(evaluate_strokes.adaptation, "OOD_COUNT", 10)
    file, table = tmp_path / "mine.jsonl", tmp_path / "results.json"
    file.write_text(
        "\n".join(s.model_copy(update={"writer": "a"}).model_dump_json() for s in samples)
    )
    command = ["strokes", str(file), "--examples-per-digit", "1", "--data", "sample"]
    assert main([*command, "--json", str(table)]) == 0
    printed = capsys.readouterr().out
    results = json.loads(table.read_text())["adaptation"]
    assert [row["examples_per_digit"] for row in results] == [0, 1]
    assert all(f"{row['accuracy'][0]:.2%}" in printed for row in results)
    with Image.open(tmp_path / "generated" / "strokes" / "mine-cnn-adaptation.png") as image:
        assert image.format == "PNG"


@pytest.mark.parametrize("model", ["cnn", "nowhere"])
def test_a_bad_line_or_model_ends_the_command_with_a_message(tmp_path, capsys, model):
    file = tmp_path / "bad.jsonl"
    file.write_text("{}\n")
    assert main(["strokes", str(file), "--model", model]) == 1
    complaint = capsys.readouterr().err
    assert ("line 1" if model == "cnn" else "nowhere") in complaint
