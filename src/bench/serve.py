"""How fast the API answers beside the plain road and LitServe: ``run.sh bench serve``.

Each service in turn is started on this machine and asked by ``wrk`` on the same machine; the
results are saved in ``models/bench-serve.json``.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

from bench.load import NoLoadGeneratorError, post_picture
from bench.memory import resident_megabytes
from bench.services import Running, free_port, running, running_api
from model.checkpoint import write_json
from model.config import MODELS_DIR, REPOSITORY

RESULTS = MODELS_DIR / "bench-serve.json"
PICTURE = REPOSITORY / "data" / "digits" / "7.png"
PREDICT = "/api/v1/predict"
CONNECTIONS = 8
WARM_UP_SECONDS = 2
LITSERVE = "litserve==0.2.19"
BENCH_VENV = REPOSITORY / ".venv-bench"
IMPORT_TORCH = (
    "import torch, os, subprocess; "
    "print(subprocess.check_output(['ps', '-o', 'rss=', '-p', str(os.getpid())]).decode())"
)
ROADS = {
    "api": "this API",
    "plain": "(a) plain `def` route, resize only",
    "litserve": "(b) LitServe, resize only",
    "normalised": "(c) plain `def` route, our preprocessing",
}


def start(road: str, workers: int) -> AbstractContextManager[Running]:
    """Start one of ``ROADS`` with so many workers."""
    if road == "api":
        return running_api(API_WORKERS=str(workers))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    if road == "litserve":
        command = ["-m", "bench.litserve_road", str(port), str(workers)]
        return running(command, url, "/health", interpreter=str(BENCH_VENV / "bin" / "python"))
    app = ["-m", "uvicorn", f"bench.plain_road:{road}", "--factory", "--port", str(port)]
    quiet = ["--workers", str(workers), "--no-access-log", "--log-level", "warning"]
    return running([*app, *quiet], url, "/ready")


def measure(road: str, workers: int, seconds: int) -> dict[str, Any]:
    """Return what one service did under load.

    Raises:
        RuntimeError: it did not start, or some requests failed: its speed would mean nothing.
    """
    picture = PICTURE.read_bytes()
    with start(road, workers) as service:
        post_picture(service.url + PREDICT, picture, CONNECTIONS, WARM_UP_SECONDS)
        load = post_picture(service.url + PREDICT, picture, CONNECTIONS, seconds)
        memory = resident_megabytes(service.process.pid)
    if load.failed:
        raise RuntimeError(f"{ROADS[road]}: {load.failed} requests were not answered with 2xx.")
    return {
        "road": road,
        "workers": workers,
        **{name: round(value, 2) for name, value in asdict(load).items()},
        "start_seconds": round(service.start_seconds, 2),
        "memory_mb": round(sum(memory)),
        "worker_memory_mb": round(max(memory)),
    }


def measure_import(runs: int = 3) -> dict[str, float]:
    """Return seconds and resident memory of a Python that imports torch and nothing else."""
    seconds, memory = [], []
    for _ in range(runs):
        started = time.perf_counter()
        printed = subprocess.check_output([sys.executable, "-c", IMPORT_TORCH], text=True)
        seconds.append(time.perf_counter() - started)
        memory.append(int(printed) * 1024 / 1e6)
    return {
        "seconds": round(statistics.median(seconds), 2),
        "memory_mb": round(statistics.median(memory)),
    }


def make_bench_environment() -> None:
    """Make ``.venv-bench``: LitServe on top of what this environment has."""
    python = BENCH_VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(BENCH_VENV)], check=True)
        ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
        target = subprocess.check_output([str(python), "-c", ask], text=True).strip()
        own = subprocess.check_output([sys.executable, "-c", ask], text=True).strip()
        with open(f"{target}/digits.pth", "w") as path_file:  # noqa: PTH123
            path_file.write(own + "\n")
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", LITSERVE], check=True)


def table(results: dict[str, Any]) -> str:
    """Return the results as a Markdown table and a line on the machine."""
    bare = results["import_torch"]
    lines = [
        "| service | workers | requests/s | p50 ms | p99 ms | ready after s | memory MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {ROADS[row['road']]} | {row['workers']} | {row['per_second']:.0f} | {row['p50']:.1f} | "
        f"{row['p99']:.1f} | {row['start_seconds']:.1f} | {row['memory_mb']} |"
        for row in results["rows"]
    ]
    shares = [row["generator_cpu"] for row in results["rows"]]
    lines += [
        "",
        f"{results['connections']} connections, {results['seconds']} s each, one after another, "
        f"{results['cores']} cores ({results['machine']}), shared with `wrk`, which took "
        f"{min(shares):.0%} to {max(shares):.0%} of one core. "
        f"A bare `import torch` takes {bare['seconds']:.1f} s and {bare['memory_mb']:.0f} MB.",
    ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="run.sh bench serve", description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="under load, each (%(default)s)")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--roads", nargs="+", choices=ROADS, default=list(ROADS))
    parser.add_argument("--print", action="store_true", help="print the saved results alone")
    options = parser.parse_args(arguments)
    if options.print:
        print(table(json.loads(RESULTS.read_text())))
        return 0
    if "litserve" in options.roads:
        make_bench_environment()
    rows = []
    try:
        for workers in options.workers:
            for road in options.roads:
                rows.append(measure(road, workers, options.seconds))
                print(json.dumps(rows[-1]), file=sys.stderr)
    except (NoLoadGeneratorError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    results = {
        "rows": rows,
        "import_torch": measure_import(),
        "connections": CONNECTIONS,
        "seconds": options.seconds,
        "cores": os.cpu_count(),
        "machine": platform.machine(),
    }
    write_json(RESULTS, results)
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
