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
from typing import IO

import psutil
import requests

from errors import BenchError
from model.config import REPOSITORY

START_SECONDS = 60
STOP_SECONDS = 10


@dataclass(frozen=True)
class Running:
    """A service that answers.

    Attributes:
        url: where it answers.
        process: as it was started.
        start_seconds: from the start of the process to its first answer.
    """

    url: str
    process: subprocess.Popen[bytes]
    start_seconds: float
    _log: IO[bytes]

    def printed(self) -> str:
        """Return what it wrote to standard output and error so far."""
        return Path(self._log.name).read_text(errors="replace")


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(command: list[str], url: str, health: str, **environment: str) -> Iterator[Running]:
    """Start ``python COMMAND...`` from the repository, wait until it answers, stop it after.

    Args:
        command: the arguments of the interpreter.
        url: where the service will be.
        health: the path there that answers 200 when it is ready.
        environment: variables added to this process's own.

    Raises:
        BenchError: the process ended, or did not answer within a minute; with what it printed.
    """
    variables = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), **environment}
    # A file, since nobody reads a pipe while the service runs, and a full one would stop it.
    with tempfile.NamedTemporaryFile(prefix="digits-service-") as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=REPOSITORY,
            env=variables,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # with all that it starts, a group of its own to be ended
        )
        try:
            _wait_until_healthy(process, url + health, log.name)
            yield Running(url, process, time.perf_counter() - started, log)
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

    Args:
        program: Python code that starts it; `python -m app` if absent.
        environment: variables, as for `running`.
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


def _wait_until_healthy(process: subprocess.Popen[bytes], health: str, log: str) -> None:
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
    printed = Path(log).read_text(errors="replace")
    raise BenchError(f"{process.args!r} did not answer at {health}:\n{printed}")
