import pytest
from tests.support.study import result

from app.front.study import accuracy_tables, mean_and_std

STUDY = {
    "results": [
        result("cnn", "in order", "slight", 0.995),
        result("cnn", "in order", "none", 0.990),
        result("cnn", "in order", "none", 0.992),
        result("cnn", "in order", "none", 0.5, part="sizes"),
        result("cnn", "in order", "none", 0.5, part="corruptions", on="shift"),
        result("mlp", "permuted", "none", 0.98),
        result("mlp", "in order", "none", 0.981),
        result("mlp", "in order", "none", 0.7, on="pen", preprocessing="preprocessed"),
        result("mlp", "in order", "none", 0.3, on="pen", preprocessing="resized"),
    ]
}


def test_results_are_gathered_by_test_set_with_a_column_for_each_augmentation():
    assert accuracy_tables(STUDY) == {
        "MNIST": [
            ["mlp, in order", "98.10", "-", "-", "-"],
            ["mlp, permuted", "98.00", "-", "-", "-"],
            ["cnn, in order", "99.10 ± 0.14", "-", "99.50", "-"],
        ],
        "pen": [["mlp, in order", "70.00", "-", "-", "-"]],
    }


def test_a_file_of_another_shape_has_no_tables():
    assert accuracy_tables({"cells": {}}) == {}
    assert accuracy_tables({"results": [{"network": "cnn"}]}) == {}


@pytest.mark.parametrize(
    ("shares", "text"),
    [([], "-"), ([0.5], "50.00"), ([0.9, 0.92], "91.00 ± 1.41")],  # 1.41 = 2 / sqrt(2)
)
def test_the_spread_is_the_standard_deviation_of_a_sample(shares, text):
    assert mean_and_std(shares) == text
