"""The account of skipped tests: pytest really run, with our conftest, on tests made for it."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

SKIPPING = """
import pytest

def test_that_passes(): pass
def test_without_mnist(): pytest.skip("no MNIST: set MNIST_MIRROR")
def test_without_mnist_too(): pytest.skip("no MNIST: set MNIST_MIRROR")
@pytest.mark.skipif(True, reason="no Chromium: install it")
def test_without_browser(): pass
@pytest.mark.xfail(reason="known")
def test_known_to_fail(): assert False
"""


@pytest.fixture
def run_tests(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("REQUIRE_ALL", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(Path(__file__).with_name("conftest.py").read_text())

    def run(source: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(source)
        return pytester.runpytest_subprocess("-p", "xdist.plugin", *options)

    return run


@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_last_line_counts_what_was_skipped_and_why(run_tests, workers):
    result = run_tests(SKIPPING, "-n", workers)
    assert result.ret == 0
    assert result.outlines[-1] == "3 skipped: no MNIST (2), no Chromium (1)"


def test_nothing_is_said_where_nothing_was_skipped(run_tests):
    result = run_tests("def test_that_passes(): pass")
    assert "1 passed" in result.outlines[-1]


@pytest.mark.parametrize("workers", ["0", "2"])
def test_with_require_all_a_skip_is_a_failure(run_tests, monkeypatch, workers):
    monkeypatch.setenv("REQUIRE_ALL", "1")
    result = run_tests(SKIPPING, "-n", workers)
    # the one skipped by its mark fails before it runs, which pytest calls an error
    result.assert_outcomes(passed=1, failed=2, errors=1, xfailed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*REQUIRE_ALL=1, yet skipped: no MNIST: set MNIST_MIRROR*"])


def test_with_require_all_a_module_that_is_skipped_is_a_failure(run_tests, monkeypatch):
    monkeypatch.setenv("REQUIRE_ALL", "1")
    result = run_tests("import pytest; pytest.importorskip('no_such_package')")
    assert result.ret != 0
