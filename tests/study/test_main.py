"""The real command in a fast form: one seed, one epoch, 300 of the 5,000 digits."""

import json
from pathlib import Path

import pytest

from model.classifier import Classifier
from model.data.augment import AUGMENTATIONS
from study import runner
from study.__main__ import main
from study.corruptions import SEVERITIES
from study.results import read_comparison
from study.runs import factorial, sweeps

IMAGES = 300
FAST = ["--quick", "--data", "sample", "--images", str(IMAGES), "--epochs", "1"]


def command(work: Path, *options: str) -> int:
    return main([*FAST, "--work", str(work), *options])


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Path:
    """Where the fast form has left its results: factorial first, then the sweeps."""
    folder = tmp_path_factory.mktemp("study")
    assert command(folder) == 0
    assert command(folder, "--sweeps") == 0
    return folder


def test_results_have_every_cell_of_grid_and_sweeps(work):
    comparison = read_comparison(work / "rough" / "comparison.json")
    runs = [*factorial(seeds=[0]), *sweeps(seeds=[0])]
    wanted = {run.key for run in runs if (run.pictures or 0) < IMAGES}
    assert set(comparison.cells) == wanted
    for result in comparison.cells.values():
        assert len(result["history"]) == result["epochs"] == 1
        assert result["recipe"]["batch_size"] > 0


def test_unpermuted_networks_are_measured_on_corrupted_images(work):
    comparison = read_comparison(work / "rough" / "comparison.json")
    tried = [result for result in comparison.cells.values() if "robustness" in result]
    assert len(tried) == 4  # two networks, two augmentations
    assert all(set(result["robustness"]) == set(SEVERITIES) for result in tried)


def test_tables_and_figures_are_written(work):
    text = (work / "rough" / "comparison.md").read_text()
    for title in ("Accuracy", "Differences", "How much order", "Corrupted after"):
        assert f"## {title}" in text
    figures = {path.stem for path in (work / "rough" / "figures").glob("*.png")}
    assert figures == {
        *("accuracy", "learning-curves", "permuted-digits", "filters"),
        *("confusion-matrices", "misread-digits", "patches", "training-size", "robustness"),
    }


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_the_permuted_networks_are_models_that_can_be_served(work, name):
    classifier = Classifier.load(work / "rough" / f"mnist-{name}-permuted-0.0.1.pt")
    assert classifier.name == f"{name}-permuted"
    assert sorted(classifier.permutation.tolist()) == list(range(784))
    comparison = read_comparison(work / "rough" / "comparison.json")
    (key,) = [c.key for c in factorial(seeds=[0]) if c.key.startswith(f"{name}_permuted_mild+hand")]
    assert classifier.card["results"]["test_accuracy"] == pytest.approx(
        comparison.cells[key]["test_accuracy"]
    )


def test_finished_runs_are_kept(work, capsys):
    before = (work / "rough" / "comparison.json").read_bytes()
    assert command(work) == 0
    assert "14 runs, 14 of them finished before" in capsys.readouterr().out
    assert (work / "rough" / "comparison.json").read_bytes() == before


def test_a_changed_setting_repeats_the_runs_that_it_concerns(work, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(AUGMENTATIONS, "mild", AUGMENTATIONS["affine"])
    assert command(work, "--models", "mlp", "--output", str(tmp_path)) == 0
    assert "6 runs, 2 of them finished before" in capsys.readouterr().out


def test_an_interrupted_study_goes_on_where_it_stopped(tmp_path, capsys, monkeypatch):
    train_run, trained = runner.train_run, []

    def train_two(run, *rest):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(run)
        return train_run(run, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(runner, "train_run", train_two)
        assert command(tmp_path, "--models", "mlp") == 130
    assert "Finished runs are kept" in capsys.readouterr().err
    assert not (tmp_path / "rough" / "comparison.json").exists()
    assert command(tmp_path, "--models", "mlp") == 0
    assert "6 runs, 2 of them finished before" in capsys.readouterr().out


def test_recorded_strokes_are_classified_by_every_network(tmp_path, capsys):
    strokes = [[[10, 0], [10, 100]]], [[[0, 0], [100, 0], [30, 100]]]
    lines = [
        json.dumps({"label": label, "writer": "a", "strokes": stroke})
        for label, stroke in zip((1, 7), strokes, strict=True)
    ]
    file = tmp_path / "own.jsonl"
    file.write_text("\n".join(lines))
    assert command(tmp_path, "--models", "mlp", "--strokes", str(file)) == 0
    comparison = read_comparison(tmp_path / "rough" / "comparison.json")

    assert comparison.common["recordings"]["count"] == 2
    assert all(r["recordings_accuracy"] in (0, 0.5, 1) for r in comparison.cells.values())
    assert "2 of own.jsonl" in (tmp_path / "rough" / "comparison.md").read_text()


def test_a_bad_line_of_strokes_is_named(tmp_path, capsys):
    file = tmp_path / "bad.jsonl"
    file.write_text('{"label": 1}\n')
    assert command(tmp_path, "--models", "mlp", "--strokes", str(file)) == 1
    assert "line 1" in capsys.readouterr().err


def test_a_report_without_results_says_how_to_make_them(tmp_path, capsys):
    assert main(["--report", "--output", str(tmp_path)]) == 1
    assert "bash run.sh compare" in capsys.readouterr().err


def test_the_sweeps_are_those_of_mlp_and_cnn():
    with pytest.raises(SystemExit) as error:
        main(["--sweeps", "--models", "deep"])
    assert error.value.code == 2
