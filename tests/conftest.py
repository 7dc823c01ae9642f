"""What the tests share: MNIST, a browser, a running API, and an account of what was skipped.

A test that needs what not every machine has asks for the fixture and is skipped without it, with
a reason "no SOMETHING: what to do". With REQUIRE_ALL=1 every skip is a failure.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from model.data.mnist import Mnist

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def mnist_dir() -> Path:
    """The folder with MNIST's four original files: MNIST_MIRROR or data/raw."""
    raw = REPOSITORY / "data" / "raw"
    for folder in (Path(os.environ.get("MNIST_MIRROR") or raw), raw):
        if len(list(folder.glob("*-ubyte.gz"))) == 4:
            return folder.resolve()
    pytest.skip("no MNIST: set MNIST_MIRROR to a folder with its four .gz files")


@pytest.fixture(scope="session")
def few_digits() -> "Mnist":
    """Synthetic digits in MNIST's place: loading has tests of its own."""
    from model.data.batches import synthetic_digits
    from model.data.mnist import Mnist

    splits = [synthetic_digits(count, seed) for seed, count in enumerate((600, 100, 100))]
    return Mnist(*splits, source="synthetic digits", complete=True)


@pytest.fixture(scope="session")
def trained(few_digits: "Mnist", tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Trains on ``few_digits`` by a command line, once; gives the folder with the model."""
    import main_pipeline

    @cache
    def train(*arguments: str) -> Path:
        folder = tmp_path_factory.mktemp("trained")
        command = [*arguments, "--output", str(folder)]
        assert main_pipeline.main(command, load=lambda source: few_digits) == 0
        return folder

    return train


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium or Chrome to start."""
    from tests.support.browser import find_chromium

    if path := find_chromium():
        return path
    pytest.skip("no Chromium: install it, on Debian with apt-get install chromium")


@pytest.fixture(scope="session")
def api_url() -> Iterator[str]:
    """The base URL of the real API, serving the models of the repository."""
    from tests.support.services import running_api

    with running_api() as api:
        yield api.url


# --- Skips ----------------------------------------------------------------------------------------


def fail_instead(report):
    """Turn the report of a skip into a failure if REQUIRE_ALL=1 forbids skips."""
    if os.environ.get("REQUIRE_ALL") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL=1, yet skipped: {skip_reason(report)}"
    return report


def skip_reason(report) -> str:
    return report.longrepr[2].removeprefix("Skipped: ")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    report = yield
    return fail_instead(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    report = yield
    return fail_instead(report)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session):
    """Count what was skipped in one line, the last one."""
    result = yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:  # one of several workers, of which pytest-xdist gathers the reports
        return result
    skipped = Counter(
        skip_reason(report).partition(":")[0] for report in reporter.stats.get("skipped", [])
    )
    if skipped:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in skipped.most_common())
        reporter.write_line(f"{skipped.total()} skipped: {reasons}")
    return result
