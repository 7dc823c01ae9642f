"""The images and the compose file, built and run for real: `bash run.sh test-containers`.

The tests build on each other and run in the order of this file, in a compose project of its own,
on free ports, with a copy of models/. They are not part of `run.sh test`, hence the file's name.
"""

import io
import json
import os
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import requests
from PIL import Image
from playwright.sync_api import expect
from tests.support.browser import chromium as start_chromium
from tests.support.pen import DIGITS, draw
from tests.support.stack import REPOSITORY, Stack, about, free_ports, run

OWNER = 12345 if os.geteuid() == 0 else os.geteuid()  # of the models that a training leaves
REPLICAS, CONNECTIONS = 3, 8
MB = 1_000_000
FRONT_MB, API_MB = 750, 650  # what the images may weigh
SERVICES = ["api", "front", "gateway"]
SEVEN = (REPOSITORY / "data" / "digits" / "7.png").read_bytes()


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


def reads_seven(stack: Stack) -> bool:
    response = requests.post(f"{stack.api}/api/v1/predict", files={"file": SEVEN}, timeout=30)
    return response.json()["prediction"] == 7


def test_the_api_reads_a_drawing(stack):
    assert reads_seven(stack)


def assert_read_on_the_page(stack: Stack, chromium: str, digit: int) -> None:
    """The digit, drawn on the page, is read."""
    with start_chromium(chromium) as browser:
        page = browser.new_page()
        page.goto(stack.front)
        draw(page, DIGITS[digit])
        answer = page.locator(".answer-head")
        expect(answer).to_have_text(f"This is a {digit}", timeout=60_000)


def test_a_seven_drawn_on_the_page_is_read(stack, chromium):
    assert_read_on_the_page(stack, chromium, 7)


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


def memory_mb(stack: Stack) -> float:
    """Anonymous memory and temporary files of the API's container: what its limit is held to."""
    code = (
        "import glob, re, shutil\n"
        "states = [open(path).read() for path in glob.glob('/proc/[0-9]*/status')]\n"
        "print(sum(int(kb) for kb in re.findall(r'RssAnon:\\s+(\\d+)', ''.join(states))))\n"
        "print(shutil.disk_usage('/tmp').used)"
    )
    anonymous_kb, temporary = map(int, stack.python("api", code).split())
    return (anonymous_kb * 1024 + temporary) / MB


def test_a_hundred_large_requests_at_once_are_answered_or_refused_within_the_memory_limit(stack):
    noise = np.random.default_rng(0).integers(150, 256, (1500, 1500), dtype=np.uint8)
    noise[300:1200, 700:800] = 0  # a stroke, for otherwise it is blank
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((6200, 6200), Image.Resampling.NEAREST).save(buffer, "PNG")
    large = buffer.getvalue()
    pixels = b",".join([b"0.1234567890123"] * 28 * 28 * 256)
    tensor = (
        b'{"name": "image", "datatype": "FP32", "shape": [256, 1, 28, 28], "data": [%b]}' % pixels
    )
    paths = ("/api/v1/predict", "/api/v1/predict/batch", "/v2/models/cnn/infer")
    bodies = (
        {"files": {"file": large}},
        {"files": [("files", SEVEN + bytes(3_900_000))] * 4},
        {"data": b'{"inputs": [%b]}' % tensor},
    )

    def ask(index: int) -> int:
        url = stack.api + paths[index % 3]
        return requests.post(url, timeout=120, **bodies[index % 3]).status_code

    with ThreadPoolExecutor(100) as pool:
        statuses = Counter(pool.map(ask, range(100)))
    print(f"statuses {dict(statuses)}, {memory_mb(stack):.0f} MB after")
    assert set(statuses) <= {200, 503}
    assert reads_seven(stack)  # the same process: it was not killed
    api = about(stack.container("api"))
    assert api["RestartCount"] == 0 and not api["State"]["OOMKilled"]
    assert memory_mb(stack) <= 350


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
        with requests.Session() as session:
            while not stop.is_set():
                try:
                    url = f"{stack.gateway}/api/v1/predict"
                    answer = session.post(url, files={"file": SEVEN}, timeout=30)
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
    assert_read_on_the_page(stack, chromium, 3)


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
    described = about(stack.container(service))
    host = described["HostConfig"]
    assert host["ReadonlyRootfs"] and host["Init"]
    assert host["Memory"] > 0 and 0 < host["PidsLimit"] <= 256
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


def test_a_stop_is_clean_and_leaves_nothing_behind(stack):
    everything = ("--profile", "scale")
    containers = stack.compose(*everything, "ps", "--quiet").split()
    stack.compose(*everything, "stop")
    codes = [about(container)["State"]["ExitCode"] for container in containers]
    # 137 would be the engine's SIGKILL after the time to stop
    assert codes and 137 not in codes, codes
    stack.compose(*everything, "--profile", "train", "down", "--volumes", "--remove-orphans")
    assert stack.left_behind() == ""
