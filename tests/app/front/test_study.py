import pytest

from app.front.study import accuracy_table, markdown_table, mean_and_std


def result(network, pixels, augmentation, seed, accuracy, pictures=None):
    cell = {
        "network": network,
        "pixels": pixels,
        "augmentation": augmentation,
        "seed": seed,
        "pictures": pictures,
    }
    return {"cell": cell, "test_accuracy": accuracy}


STUDY = {
    "cells": {
        str(number): cell
        for number, cell in enumerate(
            [
                result("cnn", "in order", "mild", 0, 0.995),
                result("cnn", "in order", "none", 0, 0.990),
                result("cnn", "in order", "none", 1, 0.992),
                result("mlp", "permuted", "none", 0, 0.98),
                result("mlp", "in order", "none", 0, 0.981),
                result("mlp", "in order", "none", 0, 0.5, pictures=100),
                result("cnn", "4 x 4 within", "none", 0, 0.9),
            ]
        )
    }
}


def test_cells_are_gathered_by_network_and_order_with_a_column_for_each_augmentation():
    assert accuracy_table(STUDY, "test_accuracy") == (
        ["none", "mild"],
        [
            ["mlp, in order", "98.10", "-"],
            ["mlp, permuted", "98.00", "-"],
            ["cnn, in order", "99.10 ± 0.14", "99.50"],
        ],
    )


def test_what_nobody_measured_has_no_table():
    assert accuracy_table(STUDY, "recordings_accuracy") is None
    assert accuracy_table({}, "test_accuracy") is None


@pytest.mark.parametrize(
    ("shares", "text"),
    [([], "-"), ([0.5], "50.00"), ([0.9, 0.92], "91.00 ± 1.41")],  # 1.41 = 2 / sqrt(2)
)
def test_the_spread_is_the_standard_deviation_of_a_sample(shares, text):
    assert mean_and_std(shares) == text


def test_a_table_has_a_line_for_each_row():
    assert markdown_table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
