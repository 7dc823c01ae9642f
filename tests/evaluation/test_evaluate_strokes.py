import json

import numpy as np
import pytest
from PIL import Image

from evaluation import evaluate_strokes
from evaluation.__main__ import main
from evaluation.evaluate_strokes import report, score
from evaluation.numbers import synthetic_samples
from model.classifier import Prediction
from model.data.strokes import StrokeSample, render_and_preprocess


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


def test_a_drawing_does_not_depend_on_those_before_it(samples):
    images = render_and_preprocess(samples[:12], seed=5)
    others = render_and_preprocess(samples[1:2] + samples[1:12], seed=5)
    assert images.shape == (12, 28, 28)
    assert np.array_equal(images[1:], others[1:])


@pytest.fixture
def measured(tmp_path, monkeypatch, capsys):
    """Runs the command on samples; gives what it printed and wrote as JSON."""
    monkeypatch.setattr(evaluate_strokes, "DATA_DIR", tmp_path)
    monkeypatch.setattr(evaluate_strokes.adaptation, "OOD_COUNT", 10)

    def run(samples: list[StrokeSample], *options: str) -> tuple[str, dict]:
        file, table = tmp_path / "mine.jsonl", tmp_path / "results.json"
        file.write_text("\n".join(sample.model_dump_json() for sample in samples))
        assert main(["strokes", str(file), "--json", str(table), *options]) == 0
        return capsys.readouterr().out, json.loads(table.read_text())

    return run


def test_the_command_prints_and_writes_what_was_misclassified(measured, tmp_path, samples):
    first = samples[0].model_copy(update={"label": (samples[0].label + 1) % 10})
    printed, results = measured([first, *samples[1:]], "--seed", "1")
    assert "accuracy" in printed and "mean over writers" in printed
    assert results["model"] == "cnn" and results["seed"] == 1
    assert results["samples"] == len(samples)
    assert 0.94 < results["accuracy"] < 1
    assert f"{results['accuracy']:.2%}" in printed
    (sheet,) = (tmp_path / "generated" / "strokes").iterdir()
    with Image.open(sheet) as image:
        assert image.format == "PNG" and image.width > 1000


def test_where_nothing_is_misclassified_there_is_no_sheet(measured, tmp_path, samples):
    printed, _ = measured([next(sample for sample in samples if sample.label == 0)])
    assert "misclassified" not in printed
    assert not list(tmp_path.rglob("*.png"))


def test_the_command_tells_what_examples_of_each_writer_change(measured, tmp_path, samples):
    of_one_writer = [sample.model_copy(update={"writer": "a"}) for sample in samples]
    printed, results = measured(of_one_writer, "--examples-per-digit", "1", "--data", "sample")
    rows = results["adaptation"]
    assert [row["examples_per_digit"] for row in rows] == [0, 1]
    assert all(f"{row['accuracy'][0]:.2%}" in printed for row in rows)
    with Image.open(tmp_path / "generated" / "strokes" / "mine-cnn-adaptation.png") as image:
        assert image.format == "PNG"


@pytest.mark.parametrize("model", ["cnn", "nowhere"])
def test_a_bad_line_or_model_ends_the_command_with_a_message(tmp_path, capsys, model):
    file = tmp_path / "bad.jsonl"
    file.write_text("{}\n")
    assert main(["strokes", str(file), "--model", model]) == 1
    complaint = capsys.readouterr().err
    assert ("line 1" if model == "cnn" else "nowhere") in complaint
