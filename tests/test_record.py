"""The speed record: the rows of its table, the digits it reads, the time it counts."""

import numpy as np
import pytest

import record
from model.train import accuracy, predict_logits
from record import ENTRIES, main, measure, train_entry

HEAD = "# The record\n\n| date |\n| --- |\n"


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A table without rows; one target is easy to reach, the other is impossible."""
    path = tmp_path / "record.md"
    path.write_text(HEAD)
    monkeypatch.setattr(record, "TABLE", path)
    monkeypatch.setattr(record, "ENTRIES", {1.0: ENTRIES[99.2], 100.0: ENTRIES[99.4]})
    return path


@pytest.fixture
def measured(monkeypatch):
    """What each call of ``measure`` was given: the digits and the number of seeds; none trains."""
    calls = []

    def measure(entry, training, unseen, seeds):
        calls.append((training, unseen, seeds))
        return np.array([[98.0, 7.0], [99.0, 8.0], [99.0, 9.0]])

    monkeypatch.setattr(record, "measure", measure)
    return calls


@pytest.mark.usefixtures("measured")
def test_a_target_gets_a_row_only_if_the_mean_lies_above_it(table, few_digits, capsys):
    assert main(["--record"], load=lambda source: few_digits) == 0
    text = table.read_text()
    assert text.startswith(HEAD)
    [row] = text.removeprefix(HEAD).splitlines()
    assert row.split(" | ")[2:6] == ["1.0", "98.67 ± 0.58", "8.00 ± 1.00", "10"]
    assert "A record needs more than 100.0 %" in capsys.readouterr().out


@pytest.mark.usefixtures("table")
def test_only_a_record_reads_test_digits(measured, few_digits):
    for options in ([], ["--record"]):
        assert main(["--target", "1.0", *options], load=lambda source: few_digits) == 0
    assert measured == [
        (few_digits.training, few_digits.validation, 3),
        (few_digits.training, few_digits.test, 10),
    ]


def test_ctrl_c_keeps_the_rows_of_finished_targets(table, measured, few_digits, monkeypatch):
    measure = record.measure

    def interrupted(*arguments):
        if measured:
            raise KeyboardInterrupt
        return measure(*arguments)

    monkeypatch.setattr(record, "measure", interrupted)
    assert main(["--record"], load=lambda source: few_digits) == 130
    assert len(table.read_text().removeprefix(HEAD).splitlines()) == 1


def test_each_seed_trains_a_network_that_is_tested_on_unseen_digits(few_digits):
    entry = ENTRIES[99.2]
    results = measure(entry, few_digits.training, few_digits.test, seeds=2)
    for seed, (right, seconds) in enumerate(results):
        network, again = train_entry(entry, few_digits.training, seed)
        logits = predict_logits(network, few_digits.test.images)
        assert right == 100 * accuracy(logits, few_digits.test.labels)
        assert seconds > 0 and again > 0
    assert len(results) == 2
