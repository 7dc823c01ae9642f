"""The real command in a fast form: two seeds, one epoch, 100 digits each to train and to test."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from model.config import MODELS_DIR
from model.data.mnist import Mnist, load_mnist
from study import __main__ as command
from study import runs, training
from study import store as store_module
from study.corruptions import SEVERITIES
from study.ladder import deep_keys
from study.report import page, spread
from study.results import merge, read_comparison

EVERY_RUN = 2 * 5 * 4  # seeds, rows, augmentations


@pytest.fixture(scope="module", autouse=True)
def fast():
    """A small form of the study."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "QUICK_IMAGES", 100)
        patch.setattr(command, "QUICK_FRACTION", 1000)
        patch.setattr(training, "SMALL_EPOCH", 100)
        patch.setattr(command, "load_mnist", hundred_digits)
        yield


def hundred_digits(source: str) -> Mnist:
    mnist = load_mnist(source)
    return replace(mnist, validation=mnist.validation[:100], test=mnist.test[:100])


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Path:
    """Where factorial and sweeps, with two strokes, have left their results."""
    folder = tmp_path_factory.mktemp("study")
    strokes = [[[10, 0], [10, 100]]], [[[0, 0], [100, 0], [30, 100]]]
    lines = [
        json.dumps({"label": label, "writer": str(label), "strokes": stroke})
        for label, stroke in zip((1, 7), strokes, strict=True)
    ]
    (folder / "own.jsonl").write_text("\n".join(lines))
    assert study(folder, "--strokes", str(folder / "own.jsonl")) == 0
    assert study(folder, "--sweeps") == 0
    return folder


def study(work: Path, *options: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "WORK", work)
        return command.main(["--quick", "--data", "sample", *options])


def test_one_table_has_factorial_and_sweeps(work):
    comparison = read_comparison(work / "quick" / "comparison.json")
    factorial = comparison.part("factorial")
    assert factorial["key"].nunique() == EVERY_RUN
    assert set(factorial["preprocessing"]) == {"", "resized", "MNIST's rule", "preprocessed"}
    assert len(comparison.part("orders")) == 2 * len(runs.ORDERS)  # networks
    assert set(comparison.part("orders")["on"]) == {"MNIST"}
    severities = sum(map(len, SEVERITIES.values()))
    assert len(comparison.part("corruptions")) == 2 * 2 * 2 * severities  # augmentations, too
    assert set(comparison.claims["verdict"]) <= {"confirmed", "refuted", "open"}


def test_tables_and_figures_are_written(work):
    text = (work / "quick" / "comparison.md").read_text()
    for title in (
        "The claims",
        "Accuracy on own, preprocessed",
        "Order of the pixels",
        "Corrupted by",
    ):
        assert f"## {title}" in text
    figures = {path.stem for path in (work / "quick" / "figures").glob("*.png")}
    assert figures == {"accuracy", "patches", "training-size", "robustness"}


def test_finished_runs_are_kept(work, monkeypatch):
    monkeypatch.setattr(store_module, "train_run", lambda *_: pytest.fail("trained again"))
    assert study(work) == 0


def test_results_of_networks_that_were_trained_in_another_way_are_dropped_aloud(work, capsys):
    before = read_comparison(work / "quick" / "comparison.json")
    current = before.table["key"].unique()
    fresh = replace(before, table=before.part("sizes"))
    assert len(merge(before, fresh, current).table) == len(before.table)
    assert capsys.readouterr().out == ""
    assert current[0] not in set(merge(before, fresh, current[1:]).part("factorial")["key"])
    assert "1 networks" in capsys.readouterr().out
    nothing = merge(before, replace(fresh, claims=pd.DataFrame()), ())
    assert set(nothing.table["part"]) == {"sizes"} and nothing.claims.empty
    assert "nan" not in page(nothing)


def test_the_deep_network_of_the_committed_results_is_that_of_models():
    table = read_comparison(MODELS_DIR / "comparison.json").table
    assert set(table.loc[table["network"] == "deep", "key"]) == deep_keys()


def test_an_interrupted_study_goes_on_where_it_stopped(tmp_path, capsys, monkeypatch):
    train_run, trained = store_module.train_run, []

    def train_two(run, mnist):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(run)
        return train_run(run, mnist)

    monkeypatch.setattr(store_module, "train_run", train_two)
    assert study(tmp_path, "--ladder") == 130
    assert "Finished runs are kept" in capsys.readouterr().err
    assert len(list(tmp_path.glob("*.pt"))) == 2
    trained.clear()
    assert study(tmp_path, "--ladder") == 130
    assert len(list(tmp_path.glob("*.pt"))) == 4


def test_a_bad_line_of_strokes_is_named(tmp_path, capsys):
    file = tmp_path / "bad.jsonl"
    file.write_text('{"label": 1}\n')
    assert study(tmp_path, "--strokes", str(file)) == 1
    assert "line 1" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, "{damaged", "{}"])
def test_a_report_without_results_says_how_to_make_them(tmp_path, capsys, content):
    if content:
        (tmp_path / "comparison.json").write_text(content)
    assert command.main(["--report", "--output", str(tmp_path)]) == 1
    assert "bash run.sh compare" in capsys.readouterr().err


def test_mean_and_spread_are_in_percent_with_the_sample_deviation():
    assert spread(pd.Series([0.99, 0.98, 0.97])) == "98.00 ± 1.00"
    assert spread(pd.Series([0.98765])) == "98.77"


def test_the_committed_tables_are_those_of_the_committed_results():
    committed = (MODELS_DIR / "comparison.md").read_text()
    assert committed == page(read_comparison(MODELS_DIR / "comparison.json")) + "\n"
