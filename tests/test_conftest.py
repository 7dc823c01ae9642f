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
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(Path(__file__).with_name("conftest.py").read_text())
    pytester.makepyfile(
        test_some=SKIPPING,
        test_module="import pytest; pytest.skip('no GPU', allow_module_level=True)",
    )

    def run(require_all: str) -> pytest.RunResult:
        monkeypatch.setenv("REQUIRE_ALL", require_all)
        return pytester.runpytest_subprocess("-p", "xdist.plugin", "-n", "2")

    return run


def test_the_last_line_counts_what_was_skipped_and_why(run_tests):
    result = run_tests(require_all="")
    assert result.ret == 0
    assert result.outlines[-1] == "4 skipped: no MNIST (2), no GPU (1), no Chromium (1)"


def test_with_require_all_every_skip_is_a_failure(run_tests):
    result = run_tests(require_all="1")
    assert result.ret != 0
    for reason in ("no MNIST: set MNIST_MIRROR", "no Chromium: install it", "no GPU"):
        result.stdout.fnmatch_lines([f"*REQUIRE_ALL=1, yet skipped: {reason}*"])
