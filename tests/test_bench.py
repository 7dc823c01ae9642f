"""What `bench serve` compares: services start and answer, and failures are told."""

import io

import pytest
import requests
from fastapi import UploadFile

from bench import IMAGE, ask, measure, plain, running
from errors import BenchError

URL = "http://nowhere/"


@pytest.fixture
def wrk(tmp_path, monkeypatch):
    """Puts a wrk on the PATH that prints the given text."""

    def write(prints: str) -> None:
        (tmp_path / "wrk").write_text(f"#!/bin/sh\ncat <<'END'\n{prints}\nEND\n")
        (tmp_path / "wrk").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return write


def test_the_plain_route_reads_the_image():
    [predict] = [route.endpoint for route in plain().routes if route.path == "/api/v1/predict"]
    answer = predict(UploadFile(io.BytesIO(IMAGE.read_bytes())))
    assert answer["prediction"] == 7
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-3)


def test_a_service_answers_once_it_is_given_and_is_stopped_afterwards():
    with running("app.main:create_app") as url:
        answer = requests.post(url, IMAGE.read_bytes(), headers={"Content-Type": "image/png"})
        assert answer.json()["prediction"] == 7
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=60)


def test_a_service_that_does_not_start_is_an_error_and_prints_why(capfd):
    with pytest.raises(BenchError, match="no_such:app does not start"), running("no_such:app"):
        pass
    assert "no_such" in capfd.readouterr().err


def test_the_speed_is_what_wrk_says(wrk):
    wrk("Requests/sec:    612.40\nTransfer/sec:    100.00KB")
    assert ask(URL, "image/png", b"", seconds=1) == 612.4


@pytest.mark.parametrize(
    "prints",
    ["unable to connect", "Non-2xx or 3xx responses: 3\nRequests/sec: 612.40", "Socket errors: 1"],
)
def test_failed_requests_are_an_error(wrk, prints):
    wrk(prints)
    with pytest.raises(BenchError, match=f"Requests to {URL} failed: {prints[:10]}"):
        ask(URL, "image/png", b"", seconds=1)


def test_without_wrk_one_line_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchError, match="Install wrk"):
        measure()
