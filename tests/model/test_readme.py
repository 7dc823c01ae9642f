"""The model card: its numbers are those of the models beside it, and of what was measured."""

import json
import re
import shutil

import pytest
import yaml

from errors import DataError
from model.config import MODELS_DIR, REPOSITORY
from model.readme import is_current, load_records, model_card, record, write_model_card

COMMAND = "bash run.sh evaluate mine --model cnn --record"
ROW = {"pictures": 4, "right and accepted": 75.0, "95 %": "30.1 to 95.4", "rejected": None}


@pytest.fixture
def folder(tmp_path):
    """A folder with the CNN, measured once."""
    model = tmp_path / "mnist-0.0.1.onnx"
    shutil.copy(MODELS_DIR / model.name, model)
    record(model, COMMAND, "cnn", line=True, tables={"mine": {"digits": ROW}})
    return tmp_path


def text_of(folder):
    return (folder / "README.md").read_text()


def test_the_model_card_in_the_tree_is_that_of_the_models_in_the_tree():
    stale = [
        c for c, entry in load_records(MODELS_DIR).items() if not is_current(entry, MODELS_DIR)
    ]
    assert not stale, "measure anew:\n" + "\n".join(stale)
    write = "PYTHONPATH=src .venv/bin/python -m model.readme"
    assert text_of(MODELS_DIR) == model_card(MODELS_DIR), f"write it anew: {write}"


def test_the_numbers_of_the_readme_are_those_that_were_measured():
    readme = (REPOSITORY / "README.md").read_text()
    section = readme.split("## What is different")[1].split("\n## ")[0]
    measured = json.dumps([r.model_dump() for r in load_records(MODELS_DIR).values()])
    shares = {f"{float(share):.1f}" for share in re.findall(r": (\d+\.\d+)", measured)}
    assert set(re.findall(r"(\d+\.\d) %", section)) <= shares
    intervals = re.findall(r"\((\d+\.\d to \d+\.\d)\)", section)
    assert intervals and set(intervals) <= set(re.findall(r'"([\d.]+ to [\d.]+)"', measured))


def test_a_card_has_what_was_measured_and_a_head_for_hugging_face(folder):
    _, head, body = text_of(folder).split("---\n", 2)
    (model,) = yaml.safe_load(head)["model-index"]
    mnist, mine = model["results"]
    assert model["name"] == "cnn"
    assert (mnist["dataset"]["name"], mnist["task"]["type"]) == ("MNIST", "image-classification")
    assert 0.99 < mnist["metrics"][0]["value"] < 1
    assert (mine["dataset"]["name"], mine["metrics"][0]["value"]) == ("mine", 0.75)
    (row,) = [line for line in body.splitlines() if line.startswith("| digits; cnn")]
    assert [cell.strip() for cell in row.split("|")[2:6]] == ["4", "75.0", "30.1 to 95.4", ""]
    assert f"Measured by `{COMMAND}`." in body


def test_what_was_measured_with_another_file_is_left_out_and_asked_for(folder):
    shutil.copy(MODELS_DIR / "mnist-deep-0.0.1.onnx", folder / "mnist-0.0.1.onnx")
    write_model_card(folder)
    assert "| digits; cnn" not in text_of(folder)
    assert f"- `{COMMAND}`" in text_of(folder)


def test_a_page_of_the_users_own_stays(folder, capsys):
    (folder / "README.md").write_text("# Mine")
    write_model_card(folder)
    assert text_of(folder) == "# Mine" and "stays" in capsys.readouterr().out


def test_a_damaged_file_of_results_is_an_error(folder):
    (folder / "evaluation.json").write_text("{")
    with pytest.raises(DataError, match="is damaged"):
        write_model_card(folder)
