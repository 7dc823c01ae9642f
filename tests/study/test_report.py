"""The study's answers, tables and figures."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from model.config import MODELS_DIR, REPOSITORY
from study.measure import read_results
from study.plan import CNN, MNIST, QUESTIONS
from study.report import CONFIDENCE, answer, ratio, select, spread, write_report

RESULTS = read_results(MODELS_DIR / "comparison.csv")


def by_seed(*errors: int) -> pd.Series:
    return pd.Series(errors, index=pd.RangeIndex(len(errors), name="seed"))


def test_the_ratio_is_the_geometric_mean_and_its_interval_that_of_a_paired_t_test():
    first, second = by_seed(40, 55, 61, 47), by_seed(101, 130, 118, 95)
    logs = np.log(first / second)
    confidence = 1 - (1 - CONFIDENCE) / len(QUESTIONS)  # Bonferroni
    oracle = ttest_1samp(logs, 0).confidence_interval(confidence)
    expected = np.exp([logs.mean(), oracle.low, oracle.high])
    assert ratio(first, second) == pytest.approx(tuple(expected))


def test_seeds_of_one_row_alone_do_not_count_and_no_errors_count_as_half_of_one():
    assert ratio(by_seed(10, 21, 31), by_seed(20, 40)) == ratio(by_seed(10, 21), by_seed(20, 40))
    assert ratio(by_seed(0, 0), by_seed(2, 2)) == pytest.approx((0.25, 0.25, 0.25))


@pytest.mark.parametrize(
    ("cnn", "mlp", "expected"),
    [
        ([50, 52, 51, 49], [100, 104, 99, 101], "yes"),
        ([100, 104, 99, 101], [50, 52, 51, 49], "no, it misreads more"),
        ([50, 90, 70, 60], [60, 70, 90, 50], "no clear difference"),
        ([50], [100], "not measured yet: run `bash run.sh compare` with this test set"),
        ([], [], "not measured yet: run `bash run.sh compare` with this test set"),
    ],
)
def test_the_answer_follows_from_the_interval(cnn, mlp, expected):
    assert answer(by_seed(*cnn), by_seed(*mlp))[1] == expected


def test_a_spread_is_mean_and_standard_deviation_of_the_sample():
    assert spread(pd.Series([1.0, 2.0, 4.0])) == "2.33 ± 1.53"
    assert spread(pd.Series([1.0])) == "1.00"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A folder with the report on the results in models/."""
    folder = tmp_path_factory.mktemp("study")
    write_report(RESULTS, folder)
    return folder


def test_the_report_has_an_answer_to_every_question_and_two_figures(report):
    page = (report / "comparison.md").read_text()
    for text, *_ in QUESTIONS:
        [line] = [line for line in page.splitlines() if line.startswith(f"| {text}")]
        assert line.split("|")[-2].strip() in ("yes", "no, it misreads more", "no clear difference")
    figures = {path.stem: path.read_bytes() for path in (report / "figures").iterdir()}
    assert set(figures) == {"accuracy", "ladder"}
    assert all(content.startswith(b"\x89PNG") for content in figures.values())


def test_the_page_gets_the_accuracies_of_mlp_and_cnn_in_each_test_set(report):
    rows = json.loads((report / "comparison.json").read_text())["results"]
    assert {row["on"] for row in rows} >= {"MNIST", "pendigits-dev"}
    assert not any("resized" in row["on"] for row in rows)
    assert all(row["part"] == "factorial" and 0.5 < row["accuracy"] < 1 for row in rows)
    cell = {"network": "cnn", "pixels": "in order", "augmentation": "none"}
    counted = select(RESULTS, CNN)
    shown = [row["accuracy"] for row in rows if row.items() >= {**cell, "on": "MNIST"}.items()]
    assert shown == pytest.approx(list(1 - counted["errors"] / counted["digits"]))


def test_drawings_may_be_missing(tmp_path):
    write_report(RESULTS[RESULTS["test_set"] == MNIST], tmp_path)
    assert not (tmp_path / "figures" / "ladder.png").exists()


def test_a_report_without_results_is_one_sentence_that_says_how_to_make_them(tmp_path):
    command = [sys.executable, "-m", "study", "--report"]
    settings = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "MODELS_DIR": str(tmp_path)}
    done = subprocess.run(command, env=settings, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "make it by `bash run.sh compare`" in done.stderr
