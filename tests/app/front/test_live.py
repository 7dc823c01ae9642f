"""The route that reads while somebody draws, served alone, with the real API behind it."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest
import requests
import uvicorn
from PIL import Image, ImageOps
from starlette.applications import Starlette
from tests.support.api import connect, post, until_closed, wait_for
from tests.support.drawings import SEVEN, blank, file_of, write

from app.front.live import live_route, live_url
from app.front.session import Session
from app.front.settings import PageSettings

FRAME = file_of(write(blank(), SEVEN, 255, 22))
MIRRORED = file_of(ImageOps.mirror(write(blank(), SEVEN, 255, 22)))
TWO_DIGITS = Image.new("L", (360, 280))
for left in (0, 180):
    TWO_DIGITS.paste(write(blank(), SEVEN, 255, 22).resize((170, 170)), (left, 50))
PNG = {"Content-Type": "image/png"}


@contextmanager
def served(api_url: str, seconds: float = 30) -> Iterator[str]:
    """The route on a port of its own; gives its URL."""
    settings = PageSettings(api_url=api_url, api_live_seconds=seconds)
    app = Starlette(routes=[live_route(settings)])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        wait_for(lambda: server.started)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def ask(api_url, session):
    """Posts a frame as the script of the session does."""
    with served(api_url) as url:

        def send(frame: bytes, view: str = "", **headers: str) -> requests.Response:
            address = url + live_url(session.key) + (view and f"&view={view}")
            return requests.post(address, frame, headers=PNG | headers, timeout=60)

        yield send


def without_time(answer: dict) -> dict:
    return {**answer, "milliseconds": 0}


def test_a_frame_gets_the_answer_of_the_api(ask, api_url):
    expected = post(api_url, FRAME).json()
    assert expected["prediction"] == 7
    assert without_time(ask(FRAME).json()) == without_time(expected)


def test_the_chosen_model_and_the_learnt_examples_count(ask, api_url, session):
    session.model = "mlp"
    image = post(api_url, MIRRORED).json()["image"]
    session.learn(7, image, [])
    examples = [{"label": 7, "image": image}]
    expected = post(api_url, MIRRORED, examples=examples, model="mlp").json()
    assert (expected["model"], expected["examples"], expected["prediction"]) == ("mlp", 1, 7)
    assert without_time(ask(MIRRORED).json()) == without_time(expected)


def test_several_digits_are_read_as_a_number(ask):
    assert ask(file_of(TWO_DIGITS)).json()["number"] == "77"


def test_the_view_of_the_network_gets_the_activations(ask, session):
    session.model = "deep"
    answer = ask(FRAME, "network").json()
    assert (answer["model"], answer["prediction"], len(answer["layers"])) == ("deep", 7, 6)


def test_where_nothing_is_drawn_yet_there_is_no_answer_and_no_error(ask):
    response = ask(file_of(blank()))
    assert (response.status_code, response.content) == (204, b"")


def test_what_other_sites_can_send_is_refused(ask):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert ask(FRAME, **{"Content-Type": kind}).status_code == 403


def test_who_has_no_session_is_refused(ask, session):
    session.key = "another"
    assert ask(FRAME).status_code == 403


def test_a_large_frame_is_refused_before_its_body_comes(api_url, session):
    with served(api_url) as url, connect(url) as connection:
        head = f"POST {live_url(session.key)} HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
        connection.sendall(f"{head}Content-Length: 100001\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")
    with served(api_url) as url:
        chunks = iter([b"x" * 60_000, b"x" * 60_000])
        address = url + live_url(session.key)
        assert requests.post(address, chunks, headers=PNG, timeout=60).status_code == 413


def test_a_frame_that_does_not_come_is_given_up(api_url, session):
    with served(api_url, seconds=1) as url, connect(url) as connection:
        head = f"POST {live_url(session.key)} HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
        connection.sendall(f"{head}Content-Length: 1000\r\nConnection: close\r\n\r\n".encode())
        assert until_closed(connection).startswith(b"HTTP/1.1 408 ")


def test_frames_beyond_two_at_a_time_are_dropped_and_the_script_told_to_wait(session):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        api = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with served(api, seconds=5) as url, ThreadPoolExecutor(5) as pool:
            address = url + live_url(session.key)
            send = partial(requests.post, address, FRAME, headers=PNG, timeout=60)
            answers = [job.result() for job in [pool.submit(send) for _ in range(5)]]
    dropped = [answer for answer in answers if answer.headers.get("Retry-After")]
    assert [answer.status_code for answer in dropped] == [204, 204, 204]
    assert {answer.status_code for answer in answers if answer not in dropped} == {502}


def test_without_the_api_there_is_no_answer(session):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with served(f"http://127.0.0.1:{port}") as url:
        address = url + live_url(session.key)
        assert requests.post(address, FRAME, headers=PNG, timeout=60).status_code == 502
