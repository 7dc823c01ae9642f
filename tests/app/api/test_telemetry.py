"""Request ids, one JSON line a request, metrics by route: what the people who run it look at."""

import re

import pytest
import requests
from tests.support.api import FORM, connect, post, until_closed, wait_for
from tests.support.drawings import blank, file_of, write
from tests.support.services import running_api
from tests.support.telemetry import log_lines, metrics

POINTS = [(40 + 37 * i % 200, 40 + 91 * i % 200) for i in range(14)]
SCRIBBLE = file_of(write(blank(), [POINTS], 255, 12))


def test_the_service_lives_and_is_ready(api):
    for path, status in (("/health", "ok"), ("/ready", "ready")):
        assert requests.get(api.url + path, timeout=30).json() == {"status": status}
        head = requests.head(api.url + path, timeout=30)
        assert (head.status_code, head.content) == (200, b"")


def test_metrics_count_what_was_read_and_what_was_wrong(api, predict, png):
    before = metrics(api.url)
    digit = predict(png).json()["prediction"]
    reason = predict(SCRIBBLE).json()["reason"]
    predict(b"no picture")
    after = metrics(api.url)

    def grown(*key: str) -> float:
        return after.get(key, 0) - before.get(key, 0)

    assert grown("digits_requests_total", "POST", "/api/v1/predict", "200") == 2
    assert grown("digits_requests_total", "POST", "/api/v1/predict", "415") == 1
    assert grown("digits_request_seconds_count", "/api/v1/predict") == 3
    assert grown("digits_predictions_total", str(digit), "cnn") == 1
    assert grown("digits_rejections_total", "cnn", reason) == 1
    assert grown("digits_confidence_count", "cnn") == 2
    assert grown("digits_problems_total", "not-a-picture") == 1
    text = requests.get(f"{api.url}/metrics", timeout=30).text
    assert 'digits_problems_total{code="not-a-picture"}' in text


TOO_LARGE = {**FORM, "Content-Length": "17000000"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "counted_as"),
    [
        ("GET", "/nothing/at/all", {}, 404, "unmatched"),
        ("GET", "/api/v1/models/cnn", {}, 200, "/api/v1/models/{name}"),
        ("POST", "/api/v1/predict", TOO_LARGE, 413, "/api/v1/predict"),
        ("GET", "/api/v1/predict", {}, 405, "/api/v1/predict"),
    ],
)
def test_a_request_is_counted_and_logged_by_its_route_though_none_was_reached(
    api, method, path, headers, status, counted_as
):
    key = ("digits_requests_total", method, counted_as, str(status))
    before = metrics(api.url).get(key, 0)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with connect(api.url) as connection:
        connection.sendall(
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n--b".encode()
        )
        answer = until_closed(connection)
    assert answer.startswith(b"HTTP/1.1 %d" % status)
    request_id = re.search(rb"x-request-id: (\S+)", answer)[1].decode()
    wait_for(lambda: log_lines(api, request_id), 10)  # it is written once the answer is sent
    [line] = log_lines(api, request_id)
    assert (line["method"], line["path"], line["status"]) == (method, path, status)
    assert line["level"] == "info" and line["milliseconds"] > 0
    assert len(str(line)) < 400  # without the picture
    assert metrics(api.url)[key] == before + 1


def test_a_harmless_request_id_is_taken_over(api):
    def answered(given: str) -> str:
        response = requests.get(f"{api.url}/health", headers={"X-Request-ID": given}, timeout=30)
        return response.headers["x-request-id"]

    assert answered("order-66/7") == "order-66/7"
    for harmful in ("a" * 129, "two words", ""):
        assert re.fullmatch("[0-9a-f]{32}", answered(harmful))


# The API's output goes into a pipe that nobody reads.
UNREAD = """
import os, sys
reader, writer = os.pipe()
os.set_inheritable(reader, True)
os.dup2(writer, 1)
os.dup2(writer, 2)
os.execv(sys.executable, [sys.executable, "-m", "app"])
"""


def test_output_that_nobody_reads_does_not_stop_the_api(few_models, png):
    with running_api(UNREAD, MODELS_DIR=str(few_models)) as api:
        with requests.Session() as session:
            for _ in range(600):  # about 130 kB of lines; a pipe holds 64 kB
                assert session.get(f"{api.url}/health", timeout=30).status_code == 200
        assert post(api.url, png).status_code == 200
