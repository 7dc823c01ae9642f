"""Files of results, and the hash that tells whether a training run is still valid."""

import json
from dataclasses import replace

import pytest
from tests.support.pictures import random_digits

from evaluation import results
from evaluation.results import data_checksum, fingerprint, markdown_table, write_results
from model.data.mnist import Mnist


@pytest.fixture
def mnist() -> Mnist:
    every = random_digits(30)
    return Mnist(every[:10], every[10:20], every[20:], "noise", {"file": "same"}, complete=False)


def test_settings_and_data_decide_the_fingerprint():
    first = fingerprint("data", seed=1, recipe={"a": 2})
    assert first == fingerprint("data", recipe={"a": 2}, seed=1)
    assert first != fingerprint("data", seed=2, recipe={"a": 2})
    assert first != fingerprint("other", seed=1, recipe={"a": 2})


def test_another_split_of_the_same_files_and_other_labels_are_other_data(mnist):
    swapped = replace(mnist, training=mnist.validation, validation=mnist.training)
    relabelled = replace(mnist.training, labels=mnist.training.labels.flip(0))
    assert data_checksum(mnist) == data_checksum(replace(mnist))
    assert data_checksum(mnist) != data_checksum(swapped)
    assert data_checksum(mnist) != data_checksum(replace(mnist, training=relabelled))


@pytest.mark.parametrize(
    ("name", "text", "same"),
    [
        ("train.py", "rate = 2  # faster\n", True),
        ("train.py", "rate = 3\n", False),
        ("forms.txt", "7 with a bar\n", False),
        ("reading.py", "look = 2\n", True),
    ],
)
def test_other_training_code_gives_another_fingerprint_and_other_comments_do_not(
    tmp_path, monkeypatch, name, text, same
):
    (tmp_path / "train.py").write_text("rate = 2\n")
    (tmp_path / "forms.txt").write_text("7\n")
    (tmp_path / "reading.py").write_text("look = 1\n")
    monkeypatch.setattr(results, "CODE", tmp_path)
    results._code_checksum.cache_clear()
    before = fingerprint("data")
    (tmp_path / name).write_text(text)
    results._code_checksum.cache_clear()
    assert (fingerprint("data") == before) == same
    results._code_checksum.cache_clear()


def test_a_table_is_markdown_with_numbers_to_the_right():
    header, rule, row = markdown_table(["", "mlp"], [["errors", "0.10"]]).splitlines()
    assert header.replace(" ", "") == "||mlp|"
    assert rule.endswith("-:|")
    assert row.split() == ["|", "errors", "|", "0.10", "|"]


def test_results_are_written_with_a_page_beside_them(tmp_path, capsys):
    write_results(tmp_path / "speed.json", {"seconds": 2}, "# Speed\n\n2 s\n\n")
    assert json.loads((tmp_path / "speed.json").read_text()) == {"seconds": 2}
    assert (tmp_path / "speed.md").read_text() == "# Speed\n\n2 s\n"
    assert "2 s" in capsys.readouterr().out
