"""Services in processes of their own, started, waited for, stopped: to measure and to test."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from errors import BenchError
from model.config import REPOSITORY

START_SECONDS = 60
STOP_SECONDS = 10


@dataclass(frozen=True)
class Running:
    """A service that answers at `url`."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def printed(self) -> str:
        """Return what it wrote to standard output and error so far."""
        return self.log.read_text(errors="replace")


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(command: list[str], url: str, health: str, **environment: str) -> Iterator[Running]:
    """Start ``python COMMAND...``, wait until ``health`` answers at ``url``, stop it afterwards.

    Raises:
        BenchError: the process ended, or did not answer within a minute; with what it printed.
    """
    variables = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), **environment}
    # A file, since nobody reads a pipe while the service runs, and a full one would stop it.
    with tempfile.NamedTemporaryFile(prefix="digits-service-") as log:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=REPOSITORY,
            env=variables,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # with all that it starts, a group of its own to be ended
        )
        try:
            _wait_until_healthy(process, url + health, Path(log.name))
            yield Running(url, process, Path(log.name))
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            with suppress(ProcessLookupError):  # a killed parent leaves its workers behind
                os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def running_api(program: str = "", **environment: str) -> Iterator[Running]:
    """Give the API on a free port in a process of its own, with the memory settings of run.sh.

    ``program`` is Python code that starts it; `python -m app` if absent.
    """
    command = ["-c", program] if program else ["-m", "app"]
    settings = re.findall(r"\b(MALLOC_\w+)=(\d+)", (REPOSITORY / "run.sh").read_text())
    environment = {**dict(settings), **environment}
    port = environment.setdefault("API_PORT", str(free_port()))
    url = f"http://127.0.0.1:{port}"
    with running(command, url, "/ready", **environment) as service:
        yield service


def resident_megabytes(pid: int) -> float:
    """Return the resident memory, in MB, of a process and all its descendants together."""
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return sum(member.memory_info().rss for member in family) / 1e6


def _wait_until_healthy(process: subprocess.Popen[bytes], health: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            if requests.get(health, timeout=1).ok:
                return
        except requests.RequestException:
            pass  # not listening yet
        time.sleep(0.02)
    process.kill()
    process.wait()
    printed = log.read_text(errors="replace")
    raise BenchError(f"{process.args!r} did not answer at {health}:\n{printed}")
