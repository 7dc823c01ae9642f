"""``python -m app``: how the API starts, takes new models and ends."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from tests.support.api import wait_for
from tests.support.services import Running, free_port, running_api

from model.config import REPOSITORY


def start_and_wait(models: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start the API where it is bound to fail; return how it ended."""
    variables = {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY / "src"),
        "MODELS_DIR": str(models),
        "API_PORT": str(free_port()),
        **environment,
    }
    command = [sys.executable, "-m", "app"]
    return subprocess.run(
        command, cwd=REPOSITORY, env=variables, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder of one's own with the default model."""
    for suffix in (".pt", ".json", ".onnx"):
        shutil.copy(REPOSITORY / "models" / f"mnist-0.0.1{suffix}", tmp_path)
    return tmp_path


def truncate(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[:5000])


def mismatch(card: Path) -> None:
    card.write_text(card.read_text().replace('"sha256": "', '"sha256": "0'))


@pytest.mark.parametrize(
    ("suffix", "damage", "message", "workers"),
    [
        (".pt", Path.unlink, "The default model 'cnn' is not in", "1"),
        (".json", Path.unlink, "has no model card", "1"),
        (".pt", truncate, "sha256 differs", "1"),
        (".json", mismatch, "sha256 differs", "1"),
        (".pt", truncate, "sha256 differs", "2"),
    ],
)
def test_a_default_model_that_cannot_be_used_ends_the_start_with_a_message(
    models, suffix, damage, message, workers
):
    damage(models / f"mnist-0.0.1{suffix}")
    ended = start_and_wait(models, API_WORKERS=workers)

    printed = ended.stdout + ended.stderr
    assert ended.returncode == 3
    assert message in printed and "train it" in printed
    assert "Traceback" not in printed


def test_an_odd_card_leaves_its_model_out_and_the_others_answer(models):
    for suffix in (".pt", ".json", ".onnx"):
        for name in ("mlp", "other"):
            shutil.copy(models / f"mnist-0.0.1{suffix}", models / f"mnist-{name}-0.0.1{suffix}")
    card = models / "mnist-mlp-0.0.1.json"
    named = card.read_text().replace('"name": "cnn"', '"name": "mlp"')
    card.write_text(re.sub('"temperature": [0-9.]+', '"temperature": "warm"', named))
    with running_api(MODELS_DIR=str(models)) as api:
        answer = requests.get(f"{api.url}/api/v1/models", timeout=30).json()
    reasons = {model["name"]: model["reason"] for model in answer["models"]}
    assert reasons["cnn"] is None
    assert "warm" in reasons["mlp"]
    assert "its name is 'cnn'" in reasons["other"]


def test_a_setting_that_is_none_is_named(models):
    ended = start_and_wait(models, API_QUEUE="many")
    assert ended.returncode == 2
    assert "API_QUEUE" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_unknown_default_model_is_told_with_those_that_are_there(models):
    ended = start_and_wait(models, API_MODEL="gpt")
    assert ended.returncode == 3
    assert "(found: cnn); set API_MODEL" in ended.stdout + ended.stderr


def ask(api: Running, path: str) -> int:
    return requests.get(api.url + path, timeout=30).status_code


def test_sigterm_turns_readiness_off_and_ends_requests_in_flight_first(models, slow_upload):
    with running_api(MODELS_DIR=str(models), API_DRAIN_SECONDS="2") as api:
        upload = slow_upload(api)
        api.process.send_signal(signal.SIGTERM)
        wait_for(lambda: ask(api, "/ready") == 503)
        assert ask(api, "/v2/health/ready") == 503
        assert ask(api, "/health") == 200
        assert upload.finish().startswith(b"HTTP/1.1 200 OK")
        assert api.process.wait(10) in (0, -signal.SIGTERM)
        assert "Traceback" not in api.printed()


def test_an_idle_service_is_seen_not_ready_by_a_prober_before_its_socket_closes(models):
    with running_api(MODELS_DIR=str(models), API_DRAIN_SECONDS="3") as api:
        api.process.terminate()
        seen = []
        with suppress(requests.ConnectionError):
            while True:  # a balancer that looks once a second
                seen.append(ask(api, "/ready"))
                time.sleep(1)
        assert seen.count(503) >= 2
        api.process.wait(10)


def test_a_request_that_never_ends_does_not_keep_the_service(models, slow_upload):
    with running_api(MODELS_DIR=str(models), API_DRAIN_SECONDS="0.5") as api:
        slow_upload(api)
        api.process.terminate()
        api.process.wait(30)


def version(api: Running) -> str | None:
    try:
        listed = requests.get(f"{api.url}/api/v1/models", timeout=30).json()
    except requests.ConnectionError:  # a worker on its way out
        return None
    return listed["models"][0]["version"]


def test_sighup_takes_a_new_model_and_keeps_the_old_workers_when_it_is_damaged(models):
    with running_api(MODELS_DIR=str(models), API_WORKERS="2") as api:
        assert version(api) == "0.0.1"
        card = (models / "mnist-0.0.1.json").read_text()
        for suffix in (".pt", ".onnx"):
            shutil.copy(models / f"mnist-0.0.1{suffix}", models / f"mnist-0.0.2{suffix}")
        newer = card.replace('"version": "0.0.1"', '"version": "0.0.2"')
        (models / "mnist-0.0.2.json").write_text(newer)

        api.process.send_signal(signal.SIGHUP)
        wait_for(lambda: all(version(api) == "0.0.2" for _ in range(8)))

        (models / "mnist-0.0.3.pt").write_bytes(b"no model")
        (models / "mnist-0.0.3.json").write_text(card)
        api.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "aborting the restart" in api.printed())
        assert all(version(api) == "0.0.2" for _ in range(8))
