"""A better model is kept before it is replaced."""

import json

import pytest

from model.training.keep import keep_previous


def card(training, accuracy):
    return {"data": {"training": training}, "results": {"test_accuracy": accuracy}}


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "mnist-0.0.1.pt"
    path.write_bytes(b"weights")
    path.with_suffix(".json").write_text(json.dumps(card(55_000, 0.995)))
    (tmp_path / "mnist-0.0.1-reliability.png").write_bytes(b"picture")
    (tmp_path / "mnist-0.0.12.pt").write_bytes(b"another version")
    return path


@pytest.mark.parametrize("new", [card(4_000, 0.999), card(55_000, 0.99)])
def test_a_model_of_more_pictures_or_higher_accuracy_is_kept_with_all_its_files(model, new):
    line = keep_previous(model, new)
    kept = sorted(file.name for file in (model.parent / "previous").iterdir())
    assert kept == ["mnist-0.0.1-reliability.png", "mnist-0.0.1.json", "mnist-0.0.1.pt"]
    assert "99.50%" in line
    assert f"{new['results']['test_accuracy']:.2%}" in line


def test_the_line_gives_the_command_that_brings_it_back(model):
    import subprocess

    line = keep_previous(model, card(4_000, 0.9))
    model.write_bytes(b"new weights")
    command = line.partition("bring it back with: ")[2]
    subprocess.run(["sh", "-c", command], check=True)
    assert model.read_bytes() == b"weights"


def test_a_model_that_is_not_better_is_not_kept(model):
    assert keep_previous(model, card(55_000, 0.996)) is None
    assert not (model.parent / "previous").exists()


def test_where_there_was_none_nothing_is_kept(tmp_path):
    assert keep_previous(tmp_path / "mnist-0.0.1.pt", card(1, 0.1)) is None


def test_a_model_whose_card_cannot_be_read_is_kept(model):
    model.with_suffix(".json").write_text("{")
    assert "cannot be read" in keep_previous(model, card(55_000, 0.999))
    assert (model.parent / "previous" / model.name).read_bytes() == b"weights"
