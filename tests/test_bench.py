"""What is compared by bench: it starts, answers, and failures are told."""

import io

import pytest
import requests
from fastapi import UploadFile

from bench import IMAGE, ask, main, plain, running, time_epochs
from errors import BenchError
from tests.support.pictures import random_digits
from tests.support.services import free_port

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


def test_a_service_is_given_when_it_is_ready_and_stopped_afterwards(tmp_path):
    (tmp_path / "ready").touch()
    port = free_port()
    command = ("http.server", str(port), "--directory", str(tmp_path))
    with running(*command, port=port) as url:
        assert requests.get(f"{url}/ready", timeout=60).ok
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=60)


def test_a_service_that_does_not_start_is_an_error_with_what_it_printed():
    message = "No module named no_such_service"
    with pytest.raises(BenchError, match=message), running("no_such_service", port=free_port()):
        pass


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


def test_without_wrk_one_line_says_how_to_get_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["serve"]) == 1
    assert capsys.readouterr().err.startswith("error: Install wrk")


def test_both_epochs_are_timed_and_set_in_relation():
    table = time_epochs(random_digits(128), rounds=2)
    seconds = table["s per epoch"]
    assert table["ratio"].to_list() == [1, pytest.approx(seconds.iloc[0] / seconds.iloc[1])]
