"""The study's answers, table and figures, and that the shipped ones are those of its results."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp
from tests.study.test_pixel_order import true_neighbours

from errors import DataError
from model.config import MODELS_DIR
from model.data.mnist import load_mnist, make_permutation
from study.measure import read_results
from study.plan import MNIST, QUESTIONS, Row
from study.report import CONFIDENCE, answer, ratio, texts, write_report


@pytest.fixture(scope="module")
def results() -> pd.DataFrame:
    return read_results(MODELS_DIR / "comparison.csv")


@pytest.fixture(scope="module")
def shipped() -> dict:
    return json.loads((MODELS_DIR / "comparison.json").read_text())


def by_seed(*errors: int) -> pd.Series:
    return pd.Series(errors, index=pd.RangeIndex(len(errors), name="seed"))


def test_the_ratio_is_the_geometric_mean_and_its_interval_that_of_a_paired_t_test():
    first, second = by_seed(40, 55, 61, 47), by_seed(101, 130, 118, 95)
    logs = np.log(first / second)
    confidence = 1 - (1 - CONFIDENCE) / len(QUESTIONS)  # Bonferroni
    oracle = ttest_1samp(logs, 0).confidence_interval(confidence)
    expected = np.exp([logs.mean(), oracle.low, oracle.high])
    assert ratio(first, second) == pytest.approx(tuple(expected))
    assert ratio(first, second[:3]) == ratio(first[:3], second[:3])
    assert ratio(by_seed(0, 0), by_seed(2, 2)) == pytest.approx((0.25, 0.25, 0.25))


@pytest.mark.parametrize(
    ("cnn", "mlp", "expected"),
    [
        ([50, 52, 51, 49], [100, 104, 99, 101], "yes"),
        ([100, 104, 99, 101], [50, 52, 51, 49], "no, it misreads more"),
        ([50, 90, 70, 62], [60, 70, 90, 52], "no clear difference"),
        ([50], [100], "not measured"),
        ([], [], "not measured"),
    ],
)
def test_the_answer_follows_from_the_interval(cnn, mlp, expected):
    rows = [
        {**Row(network)._asdict(), "seed": seed, "errors": count, "misread": count / 100}
        for network, errors in (("cnn", cnn), ("mlp", mlp))
        for seed, count in enumerate(errors)
    ]
    table = pd.DataFrame(rows, columns=[*Row._fields, "seed", "errors", "misread"])
    line = answer(table, "?", Row("cnn"), Row("mlp"))
    assert line[-1] == expected
    if len(cnn) > 1:
        assert line[3] == f"{np.mean(cnn) / 100:.2f} ± {np.std(cnn, ddof=1) / 100:.2f}"


def test_shipped_tables_are_those_of_the_shipped_results(results, shipped):
    """When it fails: `bash run.sh compare --report`."""
    files = texts(results, shipped["order"])
    assert (MODELS_DIR / "comparison.md").read_text() == files["comparison.md"]
    assert shipped == json.loads(files["comparison.json"])


def test_the_shipped_order_is_found_again(shipped):
    order = {name: np.array(pixels) for name, pixels in shipped["order"].items()}
    assert order["permutation"].tolist() == make_permutation(0).tolist()
    inked = np.arange(784).reshape(28, 28)[6:22, 6:22]
    assert true_neighbours(order["permutation"][order["recovered"]], inked) > 0.9


def test_the_page_gets_the_accuracies_but_not_of_resized_drawings(results, shipped):
    rows, keys = pd.DataFrame(shipped["results"]), ["network", "pixels", "augmentation"]
    assert not rows["on"].str.contains("resized").any()
    shown = rows[rows["on"] == MNIST].groupby(keys)["accuracy"].mean()
    counted = results[results["test_set"] == MNIST].groupby(keys)[["errors", "digits"]].sum()
    expected = 1 - counted["errors"] / counted["digits"]
    assert shown.to_dict() == pytest.approx(expected.to_dict())


@pytest.mark.parametrize("drawn", [True, False])
def test_figures_are_drawn_and_drawings_may_be_missing(tmp_path, results, drawn):
    table = results if drawn else results[results["test_set"] == MNIST]
    write_report(table, load_mnist("sample").training, tmp_path)
    figures = {path.stem: path.read_bytes() for path in (tmp_path / "figures").iterdir()}
    assert set(figures) == {"order", "accuracy"} | ({"ladder"} if drawn else set())
    assert all(content.startswith(b"\x89PNG") for content in figures.values())


def test_without_results_one_is_told_how_to_make_them(tmp_path):
    with pytest.raises(DataError, match=r"run\.sh compare"):
        read_results(tmp_path / "comparison.csv")
