"""Nothing here tells other hosts of itself: not the API, the page, a prediction, a training run."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from tests.support.api import post
from tests.support.connections import trap
from tests.support.services import REPOSITORY, free_port, running, running_api

SEVEN = REPOSITORY / "data" / "digits" / "7.png"
FIRST_REPORT_SECONDS = 15  # ONNX Runtime reports to its maker about 10 s after its import
COMMANDS = {
    "prediction": ("src/predict.py", str(SEVEN)),
    "training": (
        "src/main_pipeline.py", "mlp", "--data", "sample", "--epochs", "1", "--no-synthetic",
    ),
}  # fmt: skip


def run(command: tuple[str, ...], environment: dict[str, str]) -> None:
    variables = {**os.environ, **environment}
    ended = subprocess.run(
        [sys.executable, *command], cwd=REPOSITORY, env=variables, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr


@pytest.fixture(scope="module")
def traps(tmp_path_factory):
    """What each part of the project asked other hosts for, once all of them have worked."""
    with ExitStack() as stack:
        traps = {
            name: stack.enter_context(trap(tmp_path_factory.mktemp(name)))
            for name in ("api", "page", *COMMANDS)
        }
        api = stack.enter_context(running_api(**traps["api"].environment))
        assert post(api.url, SEVEN.read_bytes()).ok
        port = str(free_port())
        page = (
            "-m", "streamlit", "run", "src/app/page_server.py",
            "--server.address", "0.0.0.0", "--server.port", port,
        )  # fmt: skip
        variables = {**traps["page"].environment, "API_URL": api.url}
        url = f"http://127.0.0.1:{port}"
        stack.enter_context(running([*page], url, "/_stcore/health", **variables))
        started = time.monotonic()
        for name, command in COMMANDS.items():
            output = ("--output", str(traps[name].home / "models")) if name == "training" else ()
            run((*command, *output), traps[name].environment)
        time.sleep(max(0, started + FIRST_REPORT_SECONDS - time.monotonic()))
        yield traps


@pytest.mark.parametrize("program", ["api", "page", "prediction", "training"])
def test_no_other_host_is_asked_and_no_device_id_kept(traps, program):
    assert traps[program].caught() == []
    assert list(traps[program].home.glob("**/deviceid")) == []


def test_the_trap_catches_what_it_should(tmp_path):
    code = """import requests, socket
socket.setdefaulttimeout(0.1)
socket.socket().connect_ex(('192.0.2.1', 9))
try: requests.get('https://digits.invalid')
except requests.RequestException: pass"""
    with trap(tmp_path) as set_:
        run(("-c", code), set_.environment)
        caught = "".join(set_.caught())
    assert "192.0.2.1" in caught and "digits.invalid:443" in caught
