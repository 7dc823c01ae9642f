"""A running page and a browser to look at it: for the measurement, the tests and the pictures."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 60


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(command: list[str], health: str, **environment: str) -> Iterator[subprocess.Popen]:
    """Start `python COMMAND...` from the repository, wait until `health` answers, stop it after.

    Raises:
        RuntimeError: the process ended, or did not answer within a minute; with what it printed.
    """
    variables = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), **environment}
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=REPOSITORY,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        _wait_until_healthy(process, health)
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextmanager
def running_api(port: int, **environment: str) -> Iterator[subprocess.Popen]:
    """The API in a process of its own, ready to answer."""
    with running(
        ["-m", "app"], f"http://127.0.0.1:{port}/ready", API_PORT=str(port), **environment
    ) as process:
        yield process


@contextmanager
def running_page(api_url: str, **environment: str) -> Iterator[str]:
    """The page in a process of its own; gives its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    address = ["--server.address", "127.0.0.1", "--server.port", str(port)]
    script = ["-m", "streamlit", "run", "src/app/streamlit_app.py", *address]
    with running(script, f"{url}/_stcore/health", API_URL=api_url, **environment):
        yield url


@contextmanager
def chromium() -> Iterator["Browser"]:
    """Chromium or Chrome, wherever it is installed.

    Raises:
        RuntimeError: there is none.
    """
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    path = path or shutil.which(mac)
    if path is None:
        raise RuntimeError("No Chromium found: install it (Debian: apt-get install chromium).")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def _wait_until_healthy(process: subprocess.Popen, health: str) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            if requests.get(health, timeout=1).ok:
                return
        except requests.RequestException:
            pass  # not listening yet
        time.sleep(0.1)
    process.kill()
    printed = process.communicate()[0]
    raise RuntimeError(f"{' '.join(process.args)} did not answer at {health}:\n{printed}")
