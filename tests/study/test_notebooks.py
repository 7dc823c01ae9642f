from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from errors import DataError
from model.config import MODELS_DIR, REPOSITORY
from study import notebooks
from study.comparison import FILE_NAME
from study.notebooks import LARGEST, NOTEBOOKS, run, without_traces, write

NAMES = ["01_mnist_exploration", "02_mlp_vs_cnn", "03_reading_drawings"]


def save(path: Path, *sources: str) -> Path:
    cells = [new_markdown_cell("# Title"), *map(new_code_cell, sources)]
    nbformat.write(new_notebook(cells=cells), path)
    return path


def test_a_notebook_runs_from_top_to_bottom_in_its_own_folder(tmp_path):
    path = save(
        tmp_path / "small.ipynb", "x = 6 * 7", "from pathlib import Path; print(x, Path.cwd())"
    )
    cells = run(path).cells
    assert cells[2].outputs[0].text == f"42 {tmp_path}\n"


def test_a_notebook_that_fails_is_named_with_its_error(tmp_path):
    with pytest.raises(DataError, match=r"bad\.ipynb(.|\n)*ZeroDivisionError"):
        run(save(tmp_path / "bad.ipynb", "1 / 0"))


def test_traces_of_the_run_are_left_out(tmp_path):
    path = save(
        tmp_path / "small.ipynb",
        f"import sys; print('noise', file=sys.stderr); print('{REPOSITORY}/data/raw')",
    )
    notebook = without_traces(run(path))
    assert [output.text for output in notebook.cells[1].outputs] == ["data/raw\n"]
    assert "execution" not in notebook.cells[1].metadata
    write(notebook, tmp_path / "new.ipynb")
    assert nbformat.read(tmp_path / "new.ipynb", as_version=4).cells[1].outputs


def test_a_notebook_that_grows_too_large_is_refused(tmp_path):
    notebook = new_notebook(cells=[new_markdown_cell("x" * LARGEST)])
    with pytest.raises(DataError, match="at most 2 MB"):
        write(notebook, tmp_path / "large.ipynb")
    assert not (tmp_path / "large.ipynb").exists()


def test_quick_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "load_mnist", lambda: None)
    monkeypatch.delenv("NOTEBOOKS_QUICK", raising=False)
    path = save(
        tmp_path / "small.ipynb", "import os", "assert os.environ['NOTEBOOKS_QUICK'] == '1'"
    )
    before = path.read_bytes()
    assert notebooks.main(["--quick", str(path)]) == 0
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", NAMES)
def test_committed_notebooks_are_small_and_have_been_run_in_order(name):
    path = NOTEBOOKS / f"{name}.ipynb"
    if name != "01_mnist_exploration" and not (MODELS_DIR / FILE_NAME).exists():
        return  # they tell results that are not there
    assert path.stat().st_size <= LARGEST
    code = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not any(output.output_type == "error" for cell in code for output in cell.outputs)
    assert "/home/" not in path.read_text()
    assert str(REPOSITORY) not in path.read_text()
