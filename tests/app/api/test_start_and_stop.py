"""`python -m app`: how the API starts, takes new models and ends, whatever its threads do."""

import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from PIL import Image
from tests.support.api import post, wait_for
from tests.support.drawings import file_of
from tests.support.networks import change_card
from tests.support.services import Running, running_api
from tests.support.telemetry import metrics

from errors import BenchError
from model.card import find_model, model_path


def copy_model(folder: Path, version: str = "0.0.1") -> Path:
    """Copy the repository's CNN into a folder, as another version; return its file."""
    copy = model_path("cnn", version, folder)
    shutil.copy(find_model("cnn"), copy)
    change_card(copy, version=version)
    return copy


def truncate(model: Path) -> None:
    model.write_bytes(model.read_bytes()[:5000])


# --- The start ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "setting", "said"),
    [
        (Path.unlink, {}, "'cnn'.*train it"),
        (truncate, {}, "damaged.*train it"),
        (truncate, {"API_WORKERS": "2"}, "damaged.*train it"),
        (Path.exists, {"API_MODEL": "gpt"}, "found: cnn.*API_MODEL"),
        (Path.exists, {"API_QUEUE": "many"}, "API_QUEUE.*integer"),
    ],
)
def test_what_cannot_be_served_ends_the_start_with_one_sentence(tmp_path, damage, setting, said):
    damage(copy_model(tmp_path))
    api = running_api(MODELS_DIR=str(tmp_path), **setting)
    with pytest.raises(BenchError, match=said) as caught, api:
        pass
    assert "Traceback" not in str(caught.value)


def test_an_api_without_a_token_warns_if_others_can_reach_it(api, few_models):
    with running_api(MODELS_DIR=str(few_models), API_HOST="0.0.0.0", API_TOKEN="") as open_api:
        [line] = [line for line in open_api.printed().splitlines() if "API_TOKEN" in line]
    assert '"warning"' in line
    assert "API_TOKEN" not in api.printed()


# --- The end --------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", ["1", "2"])
def test_with_nothing_in_flight_sigterm_ends_the_process_at_once(few_models, workers):
    with running_api(MODELS_DIR=str(few_models), API_WORKERS=workers) as api:
        api.process.terminate()
        assert api.process.wait(7) in (0, -signal.SIGTERM)  # requests in flight would have 8 s


def test_sigterm_ends_requests_in_flight_first_but_waits_for_no_endless_one(
    few_models, slow_upload
):
    with running_api(MODELS_DIR=str(few_models)) as api:
        upload, _endless = slow_upload(api), slow_upload(api)
        api.process.terminate()
        time.sleep(1)
        assert upload.finish().startswith(b"HTTP/1.1 200 OK")
        assert api.process.wait(60) in (0, -signal.SIGTERM)
        assert "Traceback" not in api.printed()


# --- A thread that hangs --------------------------------------------------------------------------

# The API with much shorter limits, and a decoder that never comes back from a GIF.
HASTY = """
import runpy, threading
import app.settings
import model.preprocessing.decode as decode

app.settings.MAX_WORK_SECONDS, app.settings.HUNG_SECONDS = 3.0, 4.0
decode_image = decode.decode_image

def decode_or_hang(header):
    if header.format == "GIF":
        threading.Event().wait()
    return decode_image(header)

decode.decode_image = decode_or_hang
runpy.run_module("app", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_hanging_thread_turns_readiness_off_and_does_not_keep_the_process(
    few_models, drawing, end
):
    with running_api(HASTY, MODELS_DIR=str(few_models)) as api:
        given_up = post(api.url, file_of(drawing, "GIF"))
        assert (given_up.status_code, given_up.json()["code"]) == (503, "overloaded")
        wait_for(lambda: requests.get(f"{api.url}/ready", timeout=30).status_code == 503)
        assert requests.get(f"{api.url}/health", timeout=30).status_code == 200
        started = time.monotonic()
        api.process.send_signal(end)
        api.process.wait(60)
    assert time.monotonic() - started < 15  # 10 s, on a machine that has time


def test_a_batch_that_can_never_be_read_in_time_is_told_what_to_send_instead(few_models, drawing):
    slow = file_of(drawing.resize((5000, 5000), Image.Resampling.NEAREST))
    with running_api(HASTY, MODELS_DIR=str(few_models)) as api:
        answer = post(api.url, [slow] * 64, "predict/batch")
    assert answer.status_code == 413
    assert "fewer" in answer.json()["detail"] and "smaller" in answer.json()["detail"]
    assert "retry-after" not in answer.headers  # the same batch would fail again


# --- Workers --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    """The API with two workers, and its folder of models."""
    folder = tmp_path_factory.mktemp("models")
    copy_model(folder)
    with running_api(MODELS_DIR=str(folder), API_WORKERS="2") as api:
        yield api, folder


def version(api: Running) -> str | None:
    try:
        listed = requests.get(f"{api.url}/api/v1/models", timeout=30).json()
    except requests.ConnectionError:  # a worker on its way out
        return None
    return listed["models"][0]["version"]


def test_two_workers_count_together(two_workers, png):
    api, _ = two_workers
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: post(api.url, png).status_code, range(60))) == {200}
    key = ("digits_requests_total", "POST", "/api/v1/predict", "200")
    wait_for(lambda: metrics(api.url).get(key, 0) >= 60, 10)  # counted just after the answer
    for _ in range(5):  # whichever worker answers
        counted = metrics(api.url)
        assert (counted[key], counted["digits_confidence_count", "cnn"]) == (60, 60)


def test_sighup_takes_a_new_model_and_keeps_the_old_workers_when_it_is_damaged(two_workers):
    api, folder = two_workers
    copy_model(folder, "0.0.2")
    api.process.send_signal(signal.SIGHUP)
    wait_for(lambda: all(version(api) == "0.0.2" for _ in range(8)))

    truncate(copy_model(folder, "0.0.3"))
    api.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "aborting the restart" in api.printed())
    assert all(version(api) == "0.0.2" for _ in range(8))
