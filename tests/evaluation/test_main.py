"""The command line: what is wrong is one sentence, before any work begins."""

import json

import pytest

from evaluation import quality
from evaluation.__main__ import COMMANDS, main


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("strokes own.jsonl --seed -1", "--seed"),
        ("strokes own.jsonl --examples-per-digit -1", "--examples-per-digit"),
        ("strokes own.jsonl --json nowhere/results.json", "--json"),
        ("numbers --count 0", "--count"),
        ("number-weights --output nowhere/weights.json", "--output"),
        ("quality --seeds 0", "--seeds"),
    ],
)
def test_an_option_that_cannot_be_is_a_wrong_usage(line, option, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(line.split())
    assert exit_.value.code == 2
    assert f"argument {option}" in capsys.readouterr().err


def test_ctrl_c_is_one_sentence(monkeypatch, capsys):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(COMMANDS["quality"], "run", interrupted)
    assert main(["quality"]) == 130
    assert "Stopped." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("--data sample", "give --sample"),
        ("--images nowhere", "nowhere"),
        ("--strokes {0}/a/own.jsonl {0}/b/own.v2.jsonl", "both called own"),
    ],
)
def test_quality_refuses_before_it_trains(line, reason, tmp_path, monkeypatch, capsys):
    for name in ("a/own.jsonl", "b/own.v2.jsonl"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(
            json.dumps({"label": 1, "writer": "me", "strokes": [[[1, 0], [1, 9]]]})
        )
    monkeypatch.setattr(quality, "train", lambda *_: pytest.fail("it trained"))
    assert main(["quality", *line.format(tmp_path).split()]) == 1
    assert reason in capsys.readouterr().err
