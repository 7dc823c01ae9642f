"""The measurement of quality: the choice among seeds, refusals, the table."""

import json

import pytest
import torch

from evaluation.quality import SAMPLE, choose, measure, table, with_kept
from model.checkpoint import checkpoint_path
from model.config import MODELS_DIR, VERSION
from model.data.mnist import Digits
from model.data.synthetic.digits import synthesize_digits


def test_the_seed_with_most_validation_and_synthetic_digits_read_is_chosen(tmp_path):
    paths = []
    for seed, (validation, synthetic, test) in enumerate(
        [(0.99, 0.99, 0.999), (0.995, 0.99, 0.98), (0.99, 0.992, 0.999)]
    ):
        path = tmp_path / f"{seed}.pt"
        results = {
            "validation_accuracy": validation,
            "synthetic_accuracy": synthetic,
            "test_accuracy": test,
        }
        path.with_suffix(".json").write_text(json.dumps({"results": results}))
        paths.append(path)
    assert choose(paths) == paths[1]


@pytest.fixture(scope="module")
def result():
    labels = torch.arange(300) % 10
    digits = Digits(synthesize_digits(labels, torch.Generator().manual_seed(5)), labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evaluation.quality.PICTURES", 60)
        return measure("cnn", [checkpoint_path("cnn", VERSION, MODELS_DIR)], digits, None)


def test_the_shipped_model_reads_synthetic_digits_and_refuses_what_is_none(result):
    assert result["test_accuracy"][0] > 0.98
    assert result["refusals"]["MNIST test digits"]["refused"] < 0.05
    for kind in ("letters", "scribbles"):
        assert result["refusals"][kind]["refused"] > 0.7
        assert result["refusals"][kind]["auroc"] > 0.95


def test_the_table_has_a_column_for_each_network_and_a_row_for_each_kind(result):
    lines = table([result, {**result, "name": "deep"}]).splitlines()
    assert lines[0] == "|  | cnn | deep |"
    assert all(line.count("|") == 4 for line in lines)
    assert sum("refused" in line for line in lines) == len(result["refusals"])


def test_what_earlier_runs_measured_of_other_networks_is_kept_in_a_fixed_order(tmp_path):
    path = tmp_path / "results.json"
    assert with_kept([{"name": "deep"}], path) == [{"name": "deep"}]
    path.write_text(json.dumps([{"name": SAMPLE}, {"name": "deep"}, {"name": "cnn", "old": True}]))
    kept = with_kept([{"name": "cnn"}, {"name": "mlp"}], path)
    assert kept == [{"name": name} for name in ("mlp", "cnn", "deep", SAMPLE)]
