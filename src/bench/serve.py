"""How fast the API answers beside plain routes with the same model: ``run.sh bench serve``.

Each service in turn runs on this machine with one thread per worker for the network, and ``wrk`` on
the same machine asks it. The turns are repeated and medians taken, since other work on the machine
comes and goes; they are saved in ``models/bench-serve.json`` and ``.md``.
"""

import argparse
import os
import platform
import statistics
import sys
from contextlib import AbstractContextManager
from typing import cast

from tests.support.services import Running, free_port, resident_megabytes, running, running_api

from arguments import at_least
from bench.load import Load, post_image
from errors import BenchError, DigitsError
from evaluation.results import markdown_table, write_results
from model.config import MODELS_DIR, REPOSITORY

IMAGE = REPOSITORY / "data" / "digits" / "7.png"
PREDICT = "/api/v1/predict"
CONNECTIONS = 8
WARM_UP_SECONDS = 2
# Without this, torch takes as many threads per worker as there are cores, and workers queue up.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
SERVICES = {
    "api": "this API",
    "raw": "this API, image as the body",
    "plain": "plain `def` route, resize only",
    "preprocessed": "plain `def` route, this preprocessing",
}


class Row(Load):
    """What one service did under load; memory in MB, of all its processes together."""

    service: str
    workers: int
    start_seconds: float
    memory_mb: float


def start(service: str, workers: int) -> AbstractContextManager[Running]:
    """Start one of ``SERVICES`` with so many workers."""
    if service in ("api", "raw"):
        return running_api(API_WORKERS=str(workers), **ONE_THREAD)
    port = str(free_port())
    app = ["-m", "uvicorn", f"bench.baselines:{service}", "--factory", "--port", port]
    quiet = ["--workers", str(workers), "--no-access-log", "--log-level", "warning"]
    return running([*app, *quiet], f"http://127.0.0.1:{port}", "/ready", **ONE_THREAD)


def measure(service: str, workers: int, seconds: int) -> Row:
    """Return what one service did under load.

    Raises:
        BenchError: wrk is not installed, the service did not start, or some requests failed:
            its speed would mean nothing.
    """
    image = IMAGE.read_bytes()
    with start(service, workers) as running_service:
        url = running_service.url + PREDICT
        raw = service == "raw"
        post_image(url, image, CONNECTIONS, WARM_UP_SECONDS, raw=raw)
        load = post_image(url, image, CONNECTIONS, seconds, raw=raw)
        memory = resident_megabytes(running_service.process.pid)
    if load["failed"]:
        raise BenchError(f"{SERVICES[service]}: {load['failed']} requests got no 2xx answer.")
    return {
        "service": service,
        "workers": workers,
        **load,
        "start_seconds": running_service.start_seconds,
        "memory_mb": memory,
    }


def median(rounds: list[Row]) -> Row:
    """Return the median of each number of a service."""
    numbers = {
        key: statistics.median(row[key] for row in rounds)
        for key in ("per_second", "p50", "p99", "failed", "start_seconds", "memory_mb")
    }
    return cast("Row", {**rounds[0], **numbers})


def table(rows: list[Row], seconds: int) -> str:
    """Return the results as a Markdown table and a line on the machine."""
    header = ["service", "workers", "requests/s", "p50 ms", "p99 ms", "ready after s", "memory MB"]
    cells = [
        [
            SERVICES[row["service"]],
            str(row["workers"]),
            f"{row['per_second']:.0f}",
            f"{row['p50']:.1f}",
            f"{row['p99']:.1f}",
            f"{row['start_seconds']:.1f}",
            f"{row['memory_mb']:.0f}",
        ]
        for row in rows
    ]
    return (
        f"{markdown_table(header, cells)}\n\n{CONNECTIONS} connections, {seconds} s per service, "
        f"in turns, medians, one thread per worker for the network. {os.cpu_count()} cores "
        f"({platform.machine()}), shared with the load generator."
    )


def main(arguments: list[str] | None = None) -> int:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="run.sh bench serve", description=__doc__)
    parser.add_argument(
        "--seconds", type=at_least(1), default=10, help="under load, each (%(default)s)"
    )
    parser.add_argument("--rounds", type=at_least(1), default=3, help="turns of each (%(default)s)")
    parser.add_argument("--workers", type=at_least(1), nargs="+", default=[1, 2])
    parser.add_argument("--services", nargs="+", choices=SERVICES, default=list(SERVICES))
    options = parser.parse_args(arguments)
    rounds: dict[tuple[int, str], list[Row]] = {}
    try:
        for _ in range(options.rounds):
            for workers in options.workers:
                for service in options.services:
                    row = measure(service, workers, options.seconds)
                    rounds.setdefault((workers, service), []).append(row)
                    print(row, file=sys.stderr)
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    rows = [median(rows) for rows in rounds.values()]
    page = f"# How fast the API answers\n\n{table(rows, options.seconds)}"
    write_results(MODELS_DIR / "bench-serve.json", rows, page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
