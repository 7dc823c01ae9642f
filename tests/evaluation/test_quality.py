"""The measurement of quality: which runs are kept, the choice among seeds, rejection, the table."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation import quality
from evaluation.numbers import synthetic_samples
from evaluation.quality import SAMPLE, choose, measure, table, train, with_earlier, worst_recall
from model.checkpoint import checkpoint_path
from model.config import MODELS_DIR, RECIPES, REPOSITORY, VERSION
from model.data.mnist import Mnist
from model.training.pipeline import synthetic_digits


@pytest.fixture
def mnist() -> Mnist:
    parts = [synthetic_digits(count, seed) for seed, count in enumerate((20, 10, 10))]
    return Mnist(*parts, "synthetic", {}, complete=False)


@pytest.fixture
def trained(tmp_path, monkeypatch) -> list[Path]:
    """The folders of the runs that were really trained; training itself only leaves a card."""
    folders = []

    def leave_card(options) -> Path:
        folders.append(options.output)
        path = checkpoint_path(options.name, options.version, options.output)
        path.parent.mkdir(parents=True)
        path.with_suffix(".json").write_text("{}")
        return path

    monkeypatch.setattr(quality, "RUNS", tmp_path)
    monkeypatch.setattr(quality, "train_and_save", leave_card)
    return folders


def test_a_finished_run_is_kept(trained, mnist):
    assert train("mlp", 0, mnist, "sample") == train("mlp", 0, mnist, "sample")
    assert len(trained) == 1


def test_another_seed_network_recipe_or_data_is_another_run(trained, mnist, monkeypatch):
    train("mlp", 0, mnist, "sample")
    train("mlp", 1, mnist, "sample")
    train("cnn", 0, mnist, "sample")
    train("mlp", 0, replace(mnist, training=synthetic_digits(20, 7)), "sample")
    monkeypatch.setitem(RECIPES, "mlp", replace(RECIPES["mlp"], label_smoothing=0.5))
    train("mlp", 0, mnist, "sample")
    assert len(set(trained)) == 5


def test_the_seed_with_the_best_validation_and_synthetic_accuracy_is_chosen(tmp_path):
    names = ("validation_accuracy", "synthetic_accuracy", "test_accuracy")
    rows = [(0.99, 0.99, 0.999), (0.995, 0.99, 0.98), (0.99, 0.992, 0.999)]
    paths = [tmp_path / f"{seed}.pt" for seed in range(3)]
    for path, row in zip(paths, rows, strict=True):
        results = dict(zip(names, row, strict=True))
        path.with_suffix(".json").write_text(json.dumps({"results": results}))
    assert choose(paths) == paths[1]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    pictures = tmp_path_factory.mktemp("pictures")
    for digit in range(10):
        shutil.copy(REPOSITORY / "data" / "digits" / f"{digit}.png", pictures / f"{digit}_me.png")
    strokes = {"recorded": synthetic_samples(50, seed=0)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evaluation.quality.OOD_COUNT", 60)
        path = checkpoint_path("cnn", VERSION, MODELS_DIR)
        return measure("cnn", [path], synthetic_digits(300, 5), strokes, pictures)


def test_the_shipped_model_classifies_synthetic_digits_and_rejects_other_images(result):
    assert result["test_accuracy"][0] > 0.98
    assert result["rejections"]["MNIST test digits"]["rejected"] < 0.05
    for kind in ("letters", "scribbles"):
        assert result["rejections"][kind]["rejected"] > 0.7
        assert result["rejections"][kind]["auroc"] > 0.95


def test_recorded_strokes_and_pictures_are_measured_too(result):
    assert result["strokes"]["recorded"]["accuracy"] > 0.9
    assert result["images"]["all single digits"]["correct and accepted"] == 1
    page = table([result, {**result, "name": "deep", "strokes": {}, "images": {}}])
    assert "| recorded … rejected" in page
    assert re.search(r"10 pictures by people, correct and accepted *\| *100.0% \| *- \|", page)


def test_the_table_has_a_column_for_each_network_and_a_row_for_each_kind(result):
    lines = table([result, {**result, "name": "deep"}]).splitlines()
    assert lines[0].replace(" ", "") == "||cnn|deep|"
    assert all(line.count("|") == 4 for line in lines)
    assert sum("| rejected:" in line for line in lines) == len(result["rejections"])


def test_a_digit_that_is_never_recognised_is_the_worst_one():
    assert worst_recall({"recall": [None, 0.0, 0.9]}) == 0.0


def test_what_earlier_runs_measured_of_other_networks_is_kept_in_a_fixed_order(tmp_path):
    path = tmp_path / "results.json"
    assert with_earlier([{"name": "deep"}], path) == [{"name": "deep"}]
    path.write_text(json.dumps([{"name": SAMPLE}, {"name": "deep"}, {"name": "cnn", "old": True}]))
    kept = with_earlier([{"name": "cnn"}, {"name": "mlp"}], path)
    assert kept == [{"name": name} for name in ("mlp", "cnn", "deep", SAMPLE)]
