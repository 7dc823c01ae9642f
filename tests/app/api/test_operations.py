"""Health, metrics, logs, limits under load: what the people who run the service look at."""

import json
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import requests
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families
from tests.support.api import connect, post, until_closed, wait_for
from tests.support.services import Running, running_api


def samples(api: Running) -> dict[tuple[str, ...], float]:
    """Return the metrics by name and label values."""
    text = requests.get(f"{api.url}/metrics", timeout=30).text
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def lines_of(api: Running, request_id: str) -> list[dict]:
    lines = [json.loads(line) for line in api.printed().splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("request_id") == request_id]


def test_health_and_readiness(api):
    assert requests.get(f"{api.url}/health", timeout=30).json() == {"status": "ok"}
    assert requests.get(f"{api.url}/ready", timeout=30).json() == {"status": "ready"}


def test_metrics_count_requests_predictions_and_refusals(api, predict, png):
    before = samples(api)
    digit = predict(png).json()["prediction"]
    predict(b"no picture")
    requests.get(f"{api.url}/some/path", timeout=30)
    after = samples(api)

    def grown(*key: str) -> float:
        return after.get(key, 0) - before.get(key, 0)

    assert grown("digits_requests_total", "POST", "/api/v1/predict", "200") == 1
    assert grown("digits_requests_total", "POST", "/api/v1/predict", "415") == 1
    assert grown("digits_requests_total", "GET", "unmatched", "404") == 1
    assert grown("digits_request_seconds_count", "/api/v1/predict") == 2
    assert grown("digits_predictions_total", str(digit), "cnn") == 1
    assert grown("digits_confidence_count", "cnn") == 1
    assert grown("digits_problems_total", "not-a-picture") == 1


def test_each_request_leaves_one_json_line_without_the_picture(api, predict, png):
    request_id = predict(png).headers["x-request-id"]
    wait_for(lambda: lines_of(api, request_id), 10)  # it is written once the answer is sent

    (line,) = lines_of(api, request_id)
    assert (line["method"], line["path"], line["status"]) == ("POST", "/api/v1/predict", 200)
    assert line["level"] == "info" and line["milliseconds"] > 0
    assert len(json.dumps(line)) < 400


def test_a_request_id_is_taken_over_where_it_is_harmless(api):
    def answered(given: str) -> str:
        response = requests.get(f"{api.url}/health", headers={"X-Request-ID": given}, timeout=30)
        return response.headers["x-request-id"]

    assert answered("order-66/7") == "order-66/7"
    for harmful in ("a" * 129, "two words", ""):
        assert re.fullmatch("[0-9a-f]{32}", answered(harmful))


def test_beyond_the_queue_the_answer_is_503_with_retry_after_and_quickly(
    small_models, encode, drawing, png
):
    large = encode(drawing.resize((5000, 5000), Image.Resampling.NEAREST))
    with running_api(MODELS_DIR=str(small_models), API_HEAVY_QUEUE="2") as api:

        def timed(_: int) -> tuple[requests.Response, float]:
            started = time.perf_counter()
            return post(api.url, large), time.perf_counter() - started

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(timed, range(8)))
        refused = [(answer, seconds) for answer, seconds in answers if answer.status_code == 503]
        assert 1 <= len(refused) <= 6
        assert {answer.status_code for answer, _ in answers} == {200, 503}
        for answer, _ in refused:
            assert answer.json()["code"] == "overloaded"
            assert answer.headers["retry-after"] == "1"
        slowest_read = max(seconds for answer, seconds in answers if answer.ok)
        assert min(seconds for _, seconds in refused) < slowest_read
        # Small pictures have a lane of their own.
        assert post(api.url, png).status_code == 200


def test_slow_uploads_do_not_hold_up_others(api, predict, png, slow_upload):
    waiting = [slow_upload(api) for _ in range(100)]

    assert predict(png).status_code == 200

    for upload in waiting:
        assert upload.finish().startswith(b"HTTP/1.1 200 OK")


def test_bodies_that_wait_are_bounded_in_all_and_drawings_still_read(small_models, png):
    begun = (
        b"POST /api/v1/predict/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 15000000\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + bytes(14_000_000)
    )
    with running_api(MODELS_DIR=str(small_models)) as api, ExitStack() as stack:
        *others, last = [stack.enter_context(connect(api.url)) for _ in range(8)]
        for connection in others:  # 98 MB, which wait for their ends
            connection.sendall(begun)
        time.sleep(1)  # until the service has read what the sockets still hold
        with suppress(BrokenPipeError, ConnectionResetError):
            last.sendall(begun)
        answer = last.recv(1000)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1" in answer.lower()
        assert post(api.url, png).status_code == 200


def test_an_upload_that_never_ends_is_given_up(small_models, slow_upload):
    with running_api(MODELS_DIR=str(small_models), API_UPLOAD_SECONDS="0.5") as api:
        answer = until_closed(slow_upload(api).connection)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"upload-too-slow" in answer


def test_a_client_that_leaves_during_its_upload_is_no_error_of_the_service(api, slow_upload):
    status = ("digits_requests_total", "POST", "/api/v1/predict")
    before = samples(api)
    slow_upload(api).connection.close()
    wait_for(lambda: samples(api).get((*status, "408"), 0) > before.get((*status, "408"), 0), 10)
    assert samples(api).get((*status, "500")) == before.get((*status, "500"))


def test_what_a_worker_that_is_gone_had_in_flight_counts_no_longer(small_models, tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    shared = {"API_WORKERS": "2", "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    with running_api(MODELS_DIR=str(small_models), **shared) as api:
        [gauges, *_] = tmp_path.glob("gauge_livesum_*.db")
        left = tmp_path / f"gauge_livesum_{gone.pid}.db"
        shutil.copyfile(gauges, left)
        samples(api)
        assert gauges.exists() and not left.exists()


def test_two_workers_count_together(small_models, png):
    with running_api(MODELS_DIR=str(small_models), API_WORKERS="2") as api:
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(lambda _: post(api.url, png).status_code, range(60))) == {200}
        key = ("digits_requests_total", "POST", "/api/v1/predict", "200")
        wait_for(lambda: samples(api)[key] >= 60, 10)  # a worker counts just after its answer
        for _ in range(5):  # whichever worker answers
            counted = samples(api)
            assert counted[key] == 60
            assert counted["digits_confidence_count", "cnn"] == 60


def test_eight_threads_get_the_answers_to_their_own_pictures(predict, drawing, encode):
    pictures = [encode(drawing.rotate(angle)) for angle in range(0, 360, 30)]
    alone = [predict(picture).json()["image"] for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda data: predict(data).json()["image"], pictures * 16))
    assert together == alone * 16


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc: Linux alone")
def test_eight_large_pictures_at_once_stay_within_a_gigabyte(small_models, encode, drawing):
    ink = drawing.resize((6200, 6200), Image.Resampling.NEAREST)
    faint = ink.point(lambda level: 255 - level // 4)
    large = encode(Image.merge("RGBA", (ink, ink, ink, faint)))  # the costliest kind
    with running_api(MODELS_DIR=str(small_models)) as api:
        with ThreadPoolExecutor(8) as pool:
            statuses = set(pool.map(lambda _: post(api.url, large).status_code, range(8)))
        assert statuses <= {200, 503}
        status = Path(f"/proc/{api.process.pid}/status").read_text()
        peak_kilobytes = int(re.search(r"VmHWM:\s+(\d+)", status)[1])
        assert peak_kilobytes < 1024 * 1024  # the container's limit
