"""The committed notebooks were run from top to bottom, and show nothing of the machine."""

import re

import nbformat
import pytest

from model.config import REPOSITORY

LARGEST = 2_000_000  # bytes of a notebook with its outputs


@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("notebooks/*.ipynb")), ids=lambda p: p.stem)
def test_committed_notebooks_are_small_and_have_been_run_in_order(path):
    assert path.stat().st_size <= LARGEST
    code = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not any(output.output_type == "error" for cell in code for output in cell.outputs)
    assert not any("execution" in cell.metadata for cell in code)  # times of each run
    assert str(REPOSITORY) not in path.read_text()
    shown = [str(output) for cell in code for output in cell.outputs]
    assert not any(re.search(r"from /\S+/data/raw", text) for text in shown)  # nor of another
