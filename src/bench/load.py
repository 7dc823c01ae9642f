"""A load generator: ``wrk`` posts one image over and over."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TypedDict

from errors import BenchError

BOUNDARY = "----digits"
HEADER = (
    f"--{BOUNDARY}\r\n"
    'Content-Disposition: form-data; name="file"; filename="digit.png"\r\n'
    "Content-Type: image/png\r\n\r\n"
)
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "%s"
local file = io.open("body", "rb")
wrk.body = file:read("*all")
file:close()
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\\nRESULT {"per_second": %%f, "p50": %%f, "p99": %%f, "failed": %%d}\\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
"""


class Load(TypedDict):
    """Answers per second, percentiles of the milliseconds to an answer, requests without a 2xx."""

    per_second: float
    p50: float
    p99: float
    failed: int


def post_image(
    url: str, image: bytes, connections: int, seconds: int, *, raw: bool = False
) -> Load:
    """Post ``image`` over so many connections: as form field ``file``, or ``raw`` as the body.

    Raises:
        BenchError: wrk is not installed, or fails.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise BenchError(
            "No load generator: install wrk (Debian and Ubuntu: apt-get install wrk; "
            "macOS: brew install wrk)."
        )
    with tempfile.TemporaryDirectory(prefix="digits-load-") as folder:
        form = HEADER.encode() + image + f"\r\n--{BOUNDARY}--\r\n".encode()
        content_type = "image/png" if raw else f"multipart/form-data; boundary={BOUNDARY}"
        Path(folder, "body").write_bytes(image if raw else form)
        Path(folder, "post.lua").write_text(SCRIPT % content_type)
        command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", "post.lua", url]
        printed = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if printed.returncode != 0:
        said = (printed.stderr or printed.stdout).strip() or f"status {printed.returncode}"
        raise BenchError(f"wrk failed ({said}): check that {url} answers, then measure again.")
    return json.loads(printed.stdout.partition("RESULT ")[2])
