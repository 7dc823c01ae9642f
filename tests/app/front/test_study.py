import pytest
from tests.support.study import result

from app.front.study import accuracy_table, conclusion, factorial

ROWS = [
    result("mlp", "in order", "none", 0.981),
    result("mlp", "permuted", "none", 0.98),
    result("cnn", "in order", "none", 0.990),
    result("cnn", "in order", "none", 0.992),
    result("cnn", "in order", "slight", 0.995),
    result("cnn", "permuted", "none", 0.97),
    result("cnn", "in order", "none", 0.5, part="sizes"),
    result("mlp", "in order", "none", 0.7, on="pen"),
]


@pytest.fixture
def runs():
    return factorial({"results": ROWS})


def test_a_table_has_a_row_for_each_network_and_order_and_a_column_for_each_augmentation(runs):
    table = accuracy_table(runs[runs["on"] == "MNIST"])
    assert table.to_dict("index") == {
        ("mlp", "in order"): {"none": "98.10", "slight": "-"},
        ("mlp", "permuted"): {"none": "98.00", "slight": "-"},
        ("cnn", "in order"): {"none": "99.10 ± 0.14", "slight": "99.50"},  # 0.14 = 0.2 / sqrt(2)
        ("cnn", "permuted"): {"none": "97.00", "slight": "-"},
    }


def test_the_conclusion_takes_means_on_mnist_without_augmentation(runs):
    expected = {"mlp": 0.981, "mlp_permuted": 0.98, "cnn": 0.991, "cnn_permuted": 0.97}
    assert conclusion(runs) == pytest.approx(expected)
    assert conclusion(runs[runs["network"] == "mlp"]).keys() == {"mlp", "mlp_permuted"}
