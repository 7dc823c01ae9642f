import numpy as np
import pytest

from model.config import REPOSITORY
from study import report
from study.permutations import PERMUTED, UNPERMUTED
from study.report import accuracy_table, differences, differences_table, mean_and_spread, page
from study.results import Comparison, Result, read_comparison, write_comparison
from study.runs import Run, make_run

TEST = 1000
RESULTS = REPOSITORY / "models" / "comparison.json"


def result(run: Run, wrong: int) -> Result:
    """A result in which the first `wrong` test images were misclassified."""
    return {
        "cell": vars(run),
        "misread": [[index, 0] for index in range(wrong)],
        "test_accuracy": 1 - wrong / TEST,
        "synthetic_accuracy": 0.9,
        "parameters": 1234,
        "epochs": 12,
        "gain_of_last_quarter": 0.0004,
        "seconds": 60.0,
        "microseconds_a_picture": 7.0,
        "versions": {"torch": "2"},
    }


@pytest.fixture
def comparison() -> Comparison:
    """Unpermuted the CNN gets 50 of 1,000 images more right than the MLP; permuted, one less."""
    cells = {}
    for seed in range(3):
        for network, pixels, wrong in (
            ("mlp", UNPERMUTED, 60),
            ("mlp", PERMUTED, 60),
            ("cnn", UNPERMUTED, 9 + seed),
            ("cnn", PERMUTED, 61),
        ):
            run = make_run(network, pixels, "none", seed)
            cells[run.key] = result(run, wrong)
    data = {"source": "MNIST", "training": 5000, "validation": 500, "test": TEST}
    return Comparison({"data": data, "hardware": "2 cores", "robustness_levels": {}}, cells)


def cells_of(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_mean_and_spread_are_in_percent_with_the_sample_deviation():
    assert mean_and_spread([0.99, 0.98, 0.97]) == "98.00 ± 1.00"
    assert mean_and_spread([0.98765]) == "98.77"
    assert mean_and_spread([]) == "-"


def test_the_accuracy_table_has_a_row_for_each_network_and_order(comparison):
    lines = accuracy_table(comparison, "test_accuracy").splitlines()
    assert cells_of(lines[2]) == ["MLP, in order", "94.00 ± 0.00", "-", "-"]
    assert cells_of(lines[4]) == ["CNN, in order", "99.00 ± 0.10", "-", "-"]


def test_only_differences_that_are_shown_are_claimed(comparison):
    verdicts = {
        cells[0]: (cells[2], cells[5])
        for cells in map(cells_of, differences_table(comparison).splitlines()[2:])
    }
    assert verdicts["CNN against MLP, pixels in order"] == ("+5.00", "more accurate")
    question = "CNN, pixels permuted against unpermuted"
    assert verdicts[question] == ("-5.10", "less accurate")
    question = "MLP, pixels permuted against unpermuted"
    assert verdicts[question] == ("+0.00", "no difference shown")


def test_all_intervals_hold_at_once_by_bonferronis_correction(comparison, monkeypatch):
    asked = []
    monkeypatch.setattr(report, "compare", lambda a, b, confidence: asked.append(confidence))
    assert len(differences(comparison)) == len(asked) == 4
    assert np.allclose(asked, 1 - 0.05 / 4)


def test_results_survive_writing_and_reading(comparison, tmp_path):
    write_comparison(comparison, tmp_path / "comparison.json")
    assert read_comparison(tmp_path / "comparison.json") == comparison


def test_the_committed_tables_are_those_of_the_committed_results():
    committed = (REPOSITORY / "models" / "comparison.md").read_text()
    assert committed == page(read_comparison(RESULTS)) + "\n"
