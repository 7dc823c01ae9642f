"""The images and the compose file, built and run for real: `bash run.sh test-containers`.

The tests build on each other and run in the order of this file, in a compose project of its own,
on free ports, in a copy of the repository. `run.sh test` leaves them out, hence the file's name.
"""

import json
import os
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import numpy as np
import pytest
import requests
from PIL import Image
from playwright.sync_api import expect
from tests.support.api import connect, until_closed, wait_for
from tests.support.browser import chromium as start_chromium
from tests.support.drawings import file_of
from tests.support.pen import DIGITS, draw
from tests.support.stack import Stack, about, free_ports, run

from model.config import REPOSITORY

OWNER = 12345 if os.geteuid() == 0 else os.geteuid()  # of the models that a training leaves
WORKERS, REPLICAS, CONNECTIONS = 2, 3, 8
MB = 1_000_000
FRONT_MB, API_MB = 750, 560  # what the images may weigh
SERVICES = ["api", "front", "gateway"]
SEVEN = (REPOSITORY / "data" / "digits" / "7.png").read_bytes()
SETTINGS = {
    "MODELS_DIR": "./models",
    "API_HOST": "127.0.0.1",  # nobody outside the container would reach it
    "API_MODEL": "deep",
    "API_WORKERS": str(WORKERS),
    "API_CORS_ORIGINS": "https://app.example",
    "API_ROOT_PATH": "/digits",
    "HTTP_PROXY": "http://proxy.invalid:3128",  # as Docker's own configuration may set it
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    for parent in (folder, folder.parent):
        parent.chmod(0o755)  # the API's user in the container may look in
    stack = Stack(folder, OWNER, SETTINGS)
    stack.compose("build")
    try:
        stack.start("api", "front")
        yield stack
    finally:
        stack.compose("down", "--volumes", "--remove-orphans")


def predict(stack: Stack, url: str, **headers: str) -> requests.Response:
    return stack.session.post(
        f"{url}/api/v1/predict", files={"file": SEVEN}, headers=headers, timeout=30
    )


def assert_read_on_the_page(stack: Stack, chromium: str, digit: int) -> None:
    """The digit, drawn on the page, is read."""
    with start_chromium(chromium) as browser:
        page = browser.new_page()
        page.goto(stack.front)
        draw(page, DIGITS[digit])
        answer = page.locator(".head")
        expect(answer).to_have_text(f"This is a {digit}", timeout=60_000)


def test_the_api_reads_a_drawing_with_the_settings_of_the_env_file(stack):
    answer = predict(stack, stack.api, Origin="https://app.example")
    assert (answer.json()["prediction"], answer.json()["model"]) == (7, "deep")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert requests.get(f"{stack.api}/api/v1/models", timeout=30).status_code == 401
    assert len(processes(stack)) > WORKERS


def test_a_seven_drawn_on_the_page_is_read(stack, chromium):
    assert_read_on_the_page(stack, chromium, 7)


def processes(stack: Stack) -> set[str]:
    """The ids of the processes in the API's container."""
    return set(run("docker", "top", stack.containers("api")[0], "-eo", "pid").split())


def memory_mb(stack: Stack) -> float:
    """What the API's container uses of its memory limit."""
    usage = ("docker", "stats", "--no-stream", "--format", "{{.MemUsage}}")
    used = run(*usage, stack.containers("api")[0]).split()[0]  # such as 201.5MiB
    return float(used[:-3]) * {"M": 2**20, "G": 2**30}[used[-3]] / MB


def test_a_hundred_large_requests_at_once_stay_within_the_memory_limit(stack, capsys):
    noise = np.random.default_rng(0).integers(150, 256, (1500, 1500), dtype=np.uint8)
    noise[300:1200, 700:800] = 0  # a stroke, for otherwise it is blank
    large = file_of(Image.fromarray(noise).resize((6200, 6200), Image.Resampling.NEAREST))
    tensor = {"name": "image", "datatype": "FP32", "shape": [256, 1, 28, 28]}
    paths = ("/api/v1/predict", "/api/v1/predict/batch", "/v2/models/cnn/infer")
    bodies = (
        {"files": {"file": large}},
        {"files": [("files", SEVEN + bytes(3_900_000))] * 4},
        {"json": {"inputs": [tensor | {"data": [0.1234567890123] * 256 * 28 * 28}]}},
    )
    workers = processes(stack)

    def ask(index: int) -> int:
        url = stack.api + paths[index % 3]
        return stack.session.post(url, timeout=180, **bodies[index % 3]).status_code

    with ThreadPoolExecutor(100) as pool:
        statuses = Counter(pool.map(ask, range(100)))
    memory = memory_mb(stack)
    with capsys.disabled():
        print(f"\n{WORKERS} workers: {memory:.0f} MB after {dict(statuses)}")
    assert set(statuses) <= {200, 503}
    assert processes(stack) == workers  # none of them was killed
    assert memory <= WORKERS * 450 + 100  # the process that starts them counts, too


def test_a_model_trained_in_a_container_is_the_users_own_and_served_after_a_restart(stack):
    (stack.models / "mnist-mlp-0.0.1.pt").unlink()
    stack.compose("run", "--rm", "train", "mlp", "--data", "sample", "--epochs", "1")
    made = list(stack.models.glob("mnist-mlp-0.0.1*"))
    assert {path.suffix for path in made} >= {".pt", ".onnx", ".png"}
    assert {path.stat().st_uid for path in made} == {OWNER}
    stack.compose("restart", "api")
    stack.start("api", "front")
    answer = stack.session.get(f"{stack.api}/api/v1/models/mlp", timeout=30).json()
    assert answer["data"]["complete"] is False


@contextmanager
def load(stack: Stack) -> Iterator[dict[str, str | None]]:
    """Clients that ask the gateway; gives which replica answered each id, None if none did."""
    answered_by: dict[str, str | None] = {}
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            name = uuid4().hex
            try:
                answer = predict(stack, stack.gateway, **{"X-Request-ID": name})
                correct = answer.json().get("prediction") == 7
            except requests.RequestException:
                correct = False
            answered_by[name] = answer.headers["X-Replica"] if correct else None

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for _ in range(CONNECTIONS):
            pool.submit(ask)
        try:
            yield answered_by
        finally:
            over.set()


def wait_until_answering(answered_by: dict[str, str | None], replicas: int) -> None:
    """Wait until so many replicas have answered the latest requests."""
    seen = len(answered_by)
    wait_for(lambda: len({*list(answered_by.values())[seen:][-60:]} - {None}) == replicas)


@pytest.fixture(scope="module")
def replicas(stack: Stack) -> Stack:
    """The stack with several APIs of one worker, and the gateway that the page asks."""
    stack.start(
        *("api", "front", "gateway", "--scale", f"api={REPLICAS}"),
        API_URL="http://gateway:8080",
        API_PORT=free_ports(REPLICAS),
        API_WORKERS="1",
    )
    return stack


def test_the_page_uses_the_gateway(replicas, chromium):
    assert replicas.python("front", "import os; print(os.environ['API_URL'])").endswith(":8080")
    assert_read_on_the_page(replicas, chromium, 3)


def test_a_restart_of_one_replica_after_the_other_loses_no_request(replicas):
    with load(replicas) as answered_by:
        for container in replicas.containers("api"):
            wait_until_answering(answered_by, REPLICAS)
            run("docker", "restart", container)
        wait_until_answering(answered_by, REPLICAS)
    print(f"{len(answered_by)} requests")
    assert None not in answered_by.values()


def test_a_slow_client_is_cut_off(replicas):
    with connect(replicas.gateway) as connection:
        connection.sendall(b"POST /api/v1/predict HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert until_closed(connection).startswith(b"HTTP/1.1 408 ")


def test_a_killed_replica_loses_only_the_requests_it_held_and_nobody_repeats_them(replicas):
    killed, *others = replicas.containers("api")
    with load(replicas) as answered_by:
        wait_until_answering(answered_by, REPLICAS)
        run("docker", "kill", killed)
        wait_until_answering(answered_by, REPLICAS - 1)
    lost = [name for name, replica in answered_by.items() if replica is None]
    print(f"{len(answered_by)} requests, {len(lost)} lost")
    assert len(lost) <= CONNECTIONS
    logs = "".join(run("docker", "logs", container) for container in others)
    assert sum(name in logs for name in answered_by) > 0
    assert not any(name in logs for name in lost)


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_has_no_privilege_is_bounded_and_writes_nowhere_but_to_tmp(replicas, service):
    lines = replicas.python(service, "print(open('/proc/1/status').read())").splitlines()
    status = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    assert "0" not in status["Uid"] + status["Gid"]
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[capabilities][0], 16) == 0
    assert status["NoNewPrivs"] == ["1"]

    described = about(replicas.containers(service)[0])
    host = described["HostConfig"]
    assert host["ReadonlyRootfs"] and host["Init"]
    assert host["Memory"] > 0 and host["NanoCpus"] > 0 and 0 < host["PidsLimit"] <= 256
    assert host["LogConfig"]["Config"].keys() == {"max-size", "max-file"}
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert all(not mount["RW"] for mount in described["Mounts"])
    for bindings in (host["PortBindings"] or {}).values():
        assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}
    code = (
        "import pathlib; pathlib.Path('/tmp/x').touch()\n"
        "for folder in ('/', '/opt', '/var/tmp', '/home'):\n"
        "    try: pathlib.Path(folder, 'x').touch()\n"
        "    except OSError as error: print(error.strerror)"
    )
    assert set(replicas.python(service, code).splitlines()) == {"Read-only file system"}


@pytest.mark.parametrize(
    ("service", "absent", "present"),
    [
        ("api", ["torch", "onnx", "scipy", "streamlit", "pytest"], "python_multipart"),
        ("front", ["torch", "torchvision", "fastapi", "pytest"], "streamlit"),
    ],
)
def test_an_image_holds_what_it_needs_and_nothing_else(replicas, service, absent, present):
    code = (
        "import importlib.util, os, shutil\n"
        f"print([name for name in {absent} if importlib.util.find_spec(name)])\n"
        "print([name for name in ('gcc', 'cc', 'make', 'git') if shutil.which(name)])\n"
        f"print(importlib.util.find_spec('{present}') is not None)\n"
        "print(sorted(os.listdir('/app')))"
    )
    packages, compilers, needed, files = replicas.python(service, code).splitlines()
    assert (packages, compilers, needed) == ("[]", "[]", "True")
    assert not any(name in files for name in ("data", "tests", "deploy", ".git", ".env"))


def test_the_api_without_a_model_ends_with_a_message(replicas, tmp_path):
    tmp_path.chmod(0o755)
    result = subprocess.run(
        ["docker", "run", "--rm", "-v", f"{tmp_path}:/app/models:ro", "digits-api:0.0.1"],
        capture_output=True,
        text=True,
    )
    assert result.returncode != 0
    assert "bash run.sh" in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.parametrize(("name", "most"), [("api", API_MB), ("front", FRONT_MB)])
def test_an_image_weighs_no_more_than_it_may(replicas, capsys, name, most):
    [described] = json.loads(run("docker", "image", "inspect", f"digits-{name}:0.0.1"))
    size = described["Size"] / MB
    with capsys.disabled():
        print(f"\ndigits-{name}: {size:.0f} MB")
    assert size <= most


def test_a_stop_is_clean(replicas):
    containers = replicas.compose("ps", "--quiet").split()
    replicas.compose("stop")
    codes = [about(container)["State"]["ExitCode"] for container in containers]
    assert codes and 137 not in codes, codes  # that would be the engine's SIGKILL
