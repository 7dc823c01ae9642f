"""The images and the compose file, built and run for real: `bash run.sh test-containers`.

The tests build on each other and run in the order of this file, in a compose project of its own,
on free ports, with a copy of models/. They are not part of `run.sh test`, hence the file's name.
"""

import contextlib
import io
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image
from playwright.sync_api import expect

from bench.browser import chromium as start_chromium
from bench.pen import DIGITS, draw
from bench.services import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
OWNER = 12345 if os.geteuid() == 0 else os.geteuid()  # of the models that a training leaves
REPLICAS, CONNECTIONS = 3, 8
MB = 1_000_000
FRONT_MB, API_MB = 750, 650  # what the images may weigh
SERVICES = ["api", "front", "gateway"]


def run(*command: str, **options) -> str:
    """Run a command; give what it printed, or fail with it."""
    result = subprocess.run(command, capture_output=True, text=True, **options)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}\n{result.stderr}"
    return result.stdout.strip()


def free_ports(count: int) -> str:
    """A range of ports that nobody listens on, as compose writes it."""
    while True:
        first = free_port()
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for port in range(first, first + count):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return f"{first}-{first + count - 1}"


class Stack:
    """The compose project under test."""

    def __init__(self, models: Path) -> None:
        self.models = models
        self.ports = {name: str(free_port()) for name in ("API_PORT", "FRONT_PORT", "GATEWAY_PORT")}
        self.api, self.front, self.gateway = (
            f"http://127.0.0.1:{port}" for port in self.ports.values()
        )
        self.project = "digits-check"
        self.environment = os.environ | self.ports | {"MODELS_DIR": str(models)}
        for name in ("API_URL", "API_MODEL", "API_WORKERS", "API_MEMORY", "BIND"):
            self.environment.pop(name, None)  # what the developer has set for himself

    def compose(self, *arguments: str, **environment: str) -> str:
        command = ["docker", "compose", "-p", self.project, *arguments]
        return run(*command, cwd=REPOSITORY, env=self.environment | environment)

    def container(self, service: str) -> str:
        """The id of a running container of a service."""
        return self.compose("--profile", "scale", "ps", "--quiet", service).splitlines()[0]

    def python(self, service: str, code: str) -> str:
        """What Python code prints inside a container of a service."""
        return run("docker", "exec", self.container(service), "python", "-c", code)

    def left_behind(self) -> str:
        label = f"label=com.docker.compose.project={self.project}"
        return "".join(
            run("docker", *what, "--quiet", "--filter", label)
            for what in (["ps", "--all"], ["network", "ls"], ["volume", "ls"])
        )


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    for parent in (folder, folder.parent):
        parent.chmod(0o755)  # the API's user in the container may look in
    models = folder / "models"
    shutil.copytree(REPOSITORY / "models", models, ignore=shutil.ignore_patterns("previous"))
    if os.geteuid() == 0:
        for path in (models, *models.rglob("*")):
            os.chown(path, OWNER, OWNER)
    stack = Stack(models)
    everything = ("--profile", "scale", "--profile", "train")
    stack.compose(*everything, "build")
    try:
        stack.compose("up", "--wait", "--wait-timeout", "300")
        yield stack
    finally:
        stack.compose(*everything, "down", "--volumes", "--remove-orphans")


def predict(url: str, digit: int) -> dict:
    picture = (REPOSITORY / "data" / "digits" / f"{digit}.png").read_bytes()
    response = requests.post(f"{url}/api/v1/predict", files={"file": picture}, timeout=30)
    response.raise_for_status()
    return response.json()


def test_the_api_reads_a_drawing(stack):
    assert predict(stack.api, 7)["prediction"] == 7


def test_a_seven_drawn_on_the_page_is_read(stack, chromium):
    with start_chromium(chromium) as browser:
        page = browser.new_page()
        page.goto(stack.front)
        draw(page, DIGITS[7])
        expect(page.locator(".answer-head")).to_have_text("This is a 7", timeout=60_000)


def test_a_model_trained_in_a_container_is_the_users_own_and_served_after_a_restart(stack):
    (stack.models / "mnist-mlp-0.0.1.pt").unlink(missing_ok=True)
    train = ["--profile", "train", "run", "--rm", "train", "mlp", "--data", "sample"]
    stack.compose(*train, "--epochs", "1")
    made = list(stack.models.glob("mnist-mlp-0.0.1*"))
    assert {path.suffix for path in made} >= {".pt", ".json", ".png"}
    assert {path.stat().st_uid for path in made} == {OWNER}
    stack.compose("restart", "api")
    stack.compose("up", "--wait", "--wait-timeout", "300")
    answer = requests.get(f"{stack.api}/api/v1/models/mlp", timeout=30).json()
    assert answer["data"]["complete"] is False


def test_a_killed_replica_loses_no_more_than_the_requests_it_held(stack):
    stack.compose(
        *("--profile", "scale", "up", "--wait", "--wait-timeout", "300"),
        *("--scale", f"api={REPLICAS}"),
        API_URL="http://gateway:8080",
        API_PORT=free_ports(REPLICAS),
    )
    outcomes: Counter[str] = Counter()
    replicas: Counter[str] = Counter()
    stop = threading.Event()

    def ask() -> None:
        picture = (REPOSITORY / "data" / "digits" / "7.png").read_bytes()
        with requests.Session() as session:
            while not stop.is_set():
                try:
                    answer = session.post(
                        f"{stack.gateway}/api/v1/predict", files={"file": picture}, timeout=30
                    )
                    outcomes["read" if answer.json().get("prediction") == 7 else "lost"] += 1
                    replicas[answer.headers.get("X-Replica", "none")] += 1
                except requests.RequestException:
                    outcomes["lost"] += 1

    def wait_for(more: int) -> None:
        enough, deadline = outcomes["read"] + more, time.monotonic() + 120
        while outcomes["read"] < enough and time.monotonic() < deadline:
            time.sleep(0.1)
        assert outcomes["read"] >= enough, outcomes

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    try:
        wait_for(300)
        assert len(replicas) == REPLICAS, replicas
        run("docker", "kill", stack.container("api"))
        wait_for(1000)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    print(f"read {outcomes['read']}, lost {outcomes['lost']}, by replica {dict(replicas)}")
    # leastconn spreads the connections, so that a replica holds its share of them
    assert outcomes["lost"] <= -(-CONNECTIONS // REPLICAS)


def test_the_page_uses_the_gateway(stack, chromium):
    assert stack.python("front", "import os; print(os.environ['API_URL'])").endswith(":8080")
    with start_chromium(chromium) as browser:
        page = browser.new_page()
        page.goto(stack.front)
        draw(page, DIGITS[3])
        expect(page.locator(".answer-head")).to_have_text("This is a 3", timeout=60_000)


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_has_no_privilege(stack, service):
    lines = stack.python(service, "print(open('/proc/1/status').read())").splitlines()
    status = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    assert "0" not in status["Uid"] + status["Gid"]
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[capabilities][0], 16) == 0
    assert status["NoNewPrivs"] == ["1"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_is_bounded_and_writes_nowhere_but_to_tmp(stack, service):
    [about] = json.loads(run("docker", "inspect", stack.container(service)))
    host = about["HostConfig"]
    assert host["ReadonlyRootfs"] and host["Init"]
    assert host["Memory"] > 0 and 0 < host["PidsLimit"] <= 256
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert all(not mount["RW"] for mount in about["Mounts"])
    for bindings in (host["PortBindings"] or {}).values():
        assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}
    code = (
        "import pathlib; pathlib.Path('/tmp/x').touch()\n"
        "for folder in ('/', '/opt', '/var/tmp', '/home'):\n"
        "    try: pathlib.Path(folder, 'x').touch()\n"
        "    except OSError as error: print(error.strerror)"
    )
    assert set(stack.python(service, code).splitlines()) == {"Read-only file system"}


@pytest.mark.parametrize(
    ("service", "absent"),
    [
        ("api", ["torch", "onnx", "scipy", "matplotlib", "streamlit", "pytest"]),
        ("front", ["torch", "torchvision", "fastapi", "pytest"]),
    ],
)
def test_an_image_holds_nothing_that_it_does_not_need(stack, service, absent):
    code = (
        "import importlib.util, os, shutil\n"
        f"print([name for name in {absent} if importlib.util.find_spec(name)])\n"
        "print([name for name in ('gcc', 'cc', 'make', 'git') if shutil.which(name)])\n"
        "print(sorted(os.listdir('/app')))"
    )
    packages, compilers, files = stack.python(service, code).splitlines()
    assert (packages, compilers) == ("[]", "[]")
    assert "data" not in files and "tests" not in files and ".git" not in files


def test_the_api_without_a_model_ends_with_a_message(stack, tmp_path):
    tmp_path.chmod(0o755)
    result = subprocess.run(
        ["docker", "run", "--rm", "-v", f"{tmp_path}:/app/models:ro", "digits-api:0.0.1"],
        capture_output=True,
        text=True,
    )
    assert result.returncode != 0
    assert "run.sh cnn" in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr


def test_the_images_weigh_what_they_may(stack, capsys):
    sizes = {
        name: json.loads(run("docker", "image", "inspect", f"digits-{name}:0.0.1"))[0]["Size"] / MB
        for name in ("api", "front")
    }
    with capsys.disabled():
        print(f"\ndigits-api: {sizes['api']:.0f} MB; digits-front: {sizes['front']:.0f} MB")
    assert sizes["api"] <= API_MB
    assert sizes["front"] <= FRONT_MB


def memory_mb(stack: Stack) -> float:
    """Anonymous memory and temporary files of the API's container: what its limit is held to."""
    code = "print(*open('/sys/fs/cgroup/memory.stat').read().split())"
    words = stack.python("api", code).split()
    counted = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    return (counted["anon"] + counted["shmem"]) / MB


def test_a_hundred_large_requests_at_once_are_answered_or_refused_within_the_memory_limit(stack):
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((6200, 6200), Image.Resampling.NEAREST).save(buffer, "PNG")
    large, small = buffer.getvalue(), (REPOSITORY / "data" / "digits" / "7.png").read_bytes()
    pixels = b",".join([b"0.1234567890123"] * 28 * 28 * 256)
    tensor = (
        b'{"name": "image", "datatype": "FP32", "shape": [256, 1, 28, 28], "data": [%b]}' % pixels
    )
    paths = ("/api/v1/predict", "/api/v1/predict/batch", "/v2/models/cnn/infer")

    def ask(index: int) -> int:
        url = stack.api + paths[index % 3]
        if index % 3 == 0:
            body = {"files": {"file": large}}
        elif index % 3 == 1:
            body = {"files": [("files", small + bytes(3_900_000))] * 4}
        else:
            body = {"data": b'{"inputs": [%b]}' % tensor}
        return requests.post(url, timeout=120, **body).status_code

    with ThreadPoolExecutor(100) as pool:
        statuses = Counter(pool.map(ask, range(100)))
    print(f"statuses {dict(statuses)}, {memory_mb(stack):.0f} MB after")
    assert set(statuses) <= {200, 503}
    assert predict(stack.api, 7)["prediction"] == 7  # the same process: it was not killed
    [about] = json.loads(run("docker", "inspect", stack.container("api")))
    assert about["RestartCount"] == 0 and not about["State"]["OOMKilled"]
    assert memory_mb(stack) <= 350


def test_a_stop_is_clean_and_leaves_nothing_behind(stack):
    everything = ("--profile", "scale")
    containers = stack.compose(*everything, "ps", "--quiet").split()
    stack.compose(*everything, "stop")
    codes = {}
    for container in containers:
        [about] = json.loads(run("docker", "inspect", container))
        codes[about["Name"]] = about["State"]["ExitCode"]
    # 137 would be the engine's SIGKILL after the time to stop
    assert codes and 137 not in codes.values(), codes
    stack.compose(*everything, "--profile", "train", "down", "--volumes", "--remove-orphans")
    assert stack.left_behind() == ""
