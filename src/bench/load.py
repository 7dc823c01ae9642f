"""A load generator: ``wrk`` posting one picture over and over, and what it measured."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from errors import DigitsError

BOUNDARY = "----digits"
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "multipart/form-data; boundary={boundary}"
local file = io.open("{body}", "rb")
wrk.body = file:read("*all")
file:close()
function done(summary, latency, requests)
  io.write(string.format(
    '\\nRESULT {{"requests": %d, "microseconds": %d, "p50": %f, "p99": %f, "failed": %d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    summary.errors.status + summary.errors.connect + summary.errors.read
    + summary.errors.write + summary.errors.timeout))
end
"""


class NoLoadGeneratorError(DigitsError):
    """wrk is not installed."""


@dataclass(frozen=True)
class Load:
    """What the generator measured.

    Attributes:
        per_second: answers a second.
        p50, p99: percentiles of the milliseconds to an answer.
        failed: requests not answered with 2xx.
        generator_cpu: the share of one processor that the generator itself took.
    """

    per_second: float
    p50: float
    p99: float
    failed: int
    generator_cpu: float


def post_picture(url: str, picture: bytes, connections: int, seconds: int) -> Load:
    """Post ``picture`` as the form field ``file`` over ``connections`` at once.

    Raises:
        NoLoadGeneratorError: wrk is not installed.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise NoLoadGeneratorError(
            "No load generator: install wrk (Debian and Ubuntu: apt-get install wrk; "
            "macOS: brew install wrk)."
        )
    with tempfile.TemporaryDirectory(prefix="digits-load-") as folder:
        body, script = Path(folder, "body"), Path(folder, "post.lua")
        field = 'Content-Disposition: form-data; name="file"; filename="7.png"'
        head = f"--{BOUNDARY}\r\n{field}\r\n\r\n"
        body.write_bytes(head.encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode())
        script.write_text(SCRIPT.format(boundary=BOUNDARY, body=body))
        command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url]
        before, started = os.times(), time.perf_counter()
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        wall, after = time.perf_counter() - started, os.times()
    result = json.loads(printed.partition("RESULT ")[2])
    used = after.children_user - before.children_user
    used += after.children_system - before.children_system
    return Load(
        per_second=result["requests"] / result["microseconds"] * 1e6,
        p50=result["p50"] / 1000,
        p99=result["p99"] / 1000,
        failed=result["failed"],
        generator_cpu=used / wall,
    )
