import re
from pathlib import Path

import numpy as np
import pytest

from errors import DataError
from model.config import REPOSITORY
from study.comparison import Comparison, read_comparison, write_comparison
from study.findings import differences, findings
from study.permutations import IN_ORDER, PERMUTED
from study.report import BEGIN, END, full_report, readme_section, update_readme
from study.runs import cell
from study.tables import accuracy_table, mean_and_spread, table

TEST = 1000
RESULTS = REPOSITORY / "models" / "comparison.json"


def result(cell, wrong: int, first: int = 0) -> dict:
    """A result in which `wrong` test pictures, from number `first` on, were misread."""
    return {
        "cell": cell.as_dict(),
        "misread": [[first + index, 0] for index in range(wrong)],
        "test_accuracy": 1 - wrong / TEST,
        "synthetic_accuracy": 0.9,
        "parameters": 1234,
        "epochs": 12,
        "gain_of_last_quarter": 0.0004,
        "seconds": 60.0,
        "microseconds_a_picture": 7.0,
        "versions": {"torch": "2"},
    }


@pytest.fixture
def comparison() -> Comparison:
    """In order the CNN reads 50 of 1,000 pictures more than the MLP; permuted, one less."""
    cells = {}
    for seed in range(3):
        for network, pixels, wrong in (
            ("mlp", IN_ORDER, 60),
            ("mlp", PERMUTED, 60),
            ("cnn", IN_ORDER, 9 + seed),
            ("cnn", PERMUTED, 61),
        ):
            one = cell(network, pixels, "none", seed)
            cells[one.key] = result(one, wrong)
    data = {"source": "MNIST", "training": 5000, "validation": 500, "test": TEST}
    return Comparison({"data": data, "hardware": "2 cores", "robustness_levels": {}}, cells)


def test_mean_and_spread_are_in_percent_with_the_sample_deviation():
    assert mean_and_spread(np.array([0.99, 0.98, 0.97])) == "98.00 ± 1.00"
    assert mean_and_spread(np.array([0.98765])) == "98.77"
    assert mean_and_spread(np.array([])) == "-"


def test_a_table_is_markdown():
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_the_accuracy_table_has_a_row_a_network_and_order(comparison):
    lines = accuracy_table(comparison, "test_accuracy").splitlines()
    assert lines[2] == "| MLP, in order | 94.00 ± 0.00 | - | - |"
    assert lines[4] == "| CNN, in order | 99.00 ± 0.10 | - | - |"


def test_findings_claim_only_differences_that_are_shown(comparison):
    lines = findings(comparison).splitlines()
    assert "- CNN against MLP, pixels in order: more accurate by 5.00 points (none)." in lines
    assert "- CNN, pixels permuted against in order: less accurate by 5.10 points (none)." in lines
    assert "- MLP, pixels permuted against in order: no difference shown (none)." in lines
    by_question = differences(comparison)
    assert not by_question["MLP, pixels permuted against in order"]["none"].shown
    assert len(lines) == len(by_question)


def test_results_survive_writing_and_reading(comparison, tmp_path):
    write_comparison(comparison, tmp_path / "new" / "comparison.json")
    assert read_comparison(tmp_path / "new" / "comparison.json") == comparison


def test_the_readme_gets_the_section_between_its_markers_and_keeps_the_rest(comparison, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"# Title\n\n{BEGIN}\nof yesterday\n{END}\n\nend\n")
    update_readme(readme, comparison)
    once = readme.read_text()
    update_readme(readme, comparison)

    assert readme.read_text() == once
    assert once.startswith(f"# Title\n\n{BEGIN}\n")
    assert once.endswith(f"{END}\n\nend\n")
    assert "of yesterday" not in once
    assert "94.00 ± 0.00" in once


def test_a_readme_without_markers_is_refused(comparison, tmp_path):
    (tmp_path / "README.md").write_text("# Title\n")
    with pytest.raises(DataError, match="needs two lines"):
        update_readme(tmp_path / "README.md", comparison)


def test_the_repositorys_readme_and_tables_are_those_of_its_results():
    readme = (REPOSITORY / "README.md").read_text()
    between = readme.split(BEGIN)[1].split(END)[0].strip()
    if not RESULTS.exists():
        assert between == "", "results in the README without models/comparison.json"
        return
    comparison = read_comparison(RESULTS)
    assert between == readme_section(comparison).strip()
    assert (REPOSITORY / "models" / "comparison.md").read_text() == full_report(comparison)
    for figure in re.findall(r"\]\((models/[^)]+)\)", between):
        assert Path(REPOSITORY / figure).exists(), figure
