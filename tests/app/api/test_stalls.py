"""What a client may send to hold the service up: each is a request that the limits allow."""

import socket
import statistics
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import numpy as np
import pytest
import requests
import uvicorn
from PIL import Image
from tests.support.api import connect, until_closed, wait_for
from tests.support.services import running_api

from app.api import http_protocol
from app.api.http_protocol import HardenedHttpProtocol
from app.api.problems import ProblemError
from app.api.tensors import parse_request
from app.main import create_app
from app.settings import ApiSettings


@pytest.fixture
def gradient(encode) -> bytes:
    """A PNG of 1.6 kB whose uneven background takes the longest of all small pictures."""
    levels = np.linspace(60, 200, 500).astype(np.uint8)
    image = Image.fromarray(np.broadcast_to(levels, (500, 500)).copy())
    image.paste(10, (200, 100, 230, 400))
    return encode(image)


def seconds_of(call) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def test_health_does_not_wait_for_64_clients_with_the_worst_small_picture(small_models, gradient):
    stop = threading.Event()
    with running_api(MODELS_DIR=str(small_models)) as api, ThreadPoolExecutor(64) as pool:
        took: list[float] = []

        def post(_: int) -> None:
            with requests.Session() as session:
                session.headers["Content-Type"] = "image/png"
                url = f"{api.url}/api/v1/predict"
                while not stop.is_set():
                    took.append(seconds_of(lambda: session.post(url, data=gradient, timeout=60)))

        clients = [pool.submit(post, index) for index in range(64)]
        with requests.Session() as session:
            health = [
                seconds_of(lambda: session.get(f"{api.url}/health", timeout=60)) for _ in range(40)
            ]
        stop.set()
        for client in clients:
            client.result()
    assert statistics.median(health) < statistics.median(took) / 4


@pytest.mark.parametrize(
    "hostile",
    [
        b'{"inputs": [{"name": "image", "data": [%s]}]}' % b",".join([b"[0]"] * 1_200_000),
        b"[%s]" % b",".join([b"0"] * 2_000_000),
        b"[%s]" % b",".join([b"{}"] * 1_200_000),
    ],
)
def test_json_of_more_values_than_256_pictures_is_refused_before_it_takes_memory(hostile):
    tracemalloc.start()
    with pytest.raises(ProblemError, match="JSON has more values"):
        parse_request(hostile, None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/predict?model=none", "/health"])
def test_what_is_answered_before_its_body_came_ends_the_connection(api, path):
    with connect(api.url) as connection:
        connection.sendall(
            b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\nx" % path.encode()
        )
        answer = until_closed(connection)
    assert answer.startswith(b"HTTP/1.1 4")
    assert b"connection: close" in answer


def test_a_body_that_is_too_large_is_not_taken_in_without_end(api):
    with connect(api.url) as connection:
        connection.sendall(
            b"POST /api/v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000\r\n"
            b"Content-Type: image/png\r\n\r\n"
        )
        sent, chunk = 0, bytes(1_000_000)
        with suppress(BrokenPipeError, ConnectionResetError):
            while sent < 200_000_000:
                sent += connection.send(chunk)
    assert sent < 100_000_000


def test_a_refused_upload_gets_its_answer_though_it_sends_on(api):
    response = requests.post(f"{api.url}/api/v1/predict", data=bytes(8_000_000), timeout=30)
    assert (response.status_code, response.json()["code"]) == (413, "file-too-large")


@contextmanager
def served(app):
    """The app behind the hardened protocol, in a thread."""
    config = uvicorn.Config(app, port=0, http=HardenedHttpProtocol, log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()
    finally:
        server.should_exit = True
        thread.join()


def test_headers_that_trickle_in_and_answers_that_nobody_takes_are_let_go(
    small_models, monkeypatch
):
    monkeypatch.setattr(http_protocol, "HEADER_SECONDS", 0.3)
    monkeypatch.setattr(http_protocol, "EXCHANGE_SECONDS", 0.3)
    app = create_app(ApiSettings(models_dir=small_models))

    @app.get("/endless")
    def endless() -> str:
        return "x" * 50_000_000

    with served(app) as address, socket.create_connection(address, timeout=30) as trickle:
        with suppress(BrokenPipeError, ConnectionResetError):
            trickle.sendall(b"GET /health HTTP/1.1\r\n")
            for _ in range(300):
                trickle.sendall(b"X-")
                time.sleep(0.1)
            raise AssertionError("still open after 30 s")
        with socket.create_connection(address, timeout=30) as idle:
            idle.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(2)
            assert len(until_closed(idle)) < 50_000_000


def test_connections_beyond_the_limit_get_503_and_room_comes_back(small_models):
    with running_api(MODELS_DIR=str(small_models), API_MAX_CONNECTIONS="5") as api:
        with ExitStack() as stack:
            for _ in range(5):
                held = stack.enter_context(connect(api.url))
                held.sendall(b"GET /health HTTP/1.1\r\n")
            response = requests.get(f"{api.url}/health", timeout=30)
            assert (response.status_code, response.json()["code"]) == (503, "overloaded")
            assert response.headers["connection"] == "close"
        wait_for(lambda: requests.get(f"{api.url}/health", timeout=30).ok, 30)


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: b\r\n"])
def test_a_request_has_exactly_one_host(api, hosts):
    with connect(api.url) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\n" + hosts + b"\r\n")
        answer = until_closed(connection)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in answer
