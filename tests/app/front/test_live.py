"""The route that reads while somebody draws, served alone, with the real API behind it."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

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

SEVENS = write(blank(), SEVEN, 255, 22)
FRAME, MIRRORED = file_of(SEVENS), file_of(ImageOps.mirror(SEVENS))
TWO_DIGITS = Image.new("L", (360, 280))
for left in (0, 180):
    TWO_DIGITS.paste(SEVENS.resize((170, 170)), (left, 50))
HEAD = "HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nConnection: close\r\nContent-Length:"


@contextmanager
def served(api_url: str, session: Session, seconds: float = 30) -> Iterator[str]:
    """The route on a port of its own; gives the session's URL."""
    app = Starlette(routes=[live_route(PageSettings(api_url=api_url, api_live_seconds=seconds))])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        wait_for(lambda: server.started)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}{live_url(session.key)}"
        finally:
            server.should_exit = True
            thread.join()


def send(url: str, frame: bytes | Iterator[bytes], kind: str = "image/png") -> requests.Response:
    """Post a frame as the script does."""
    return requests.post(url, frame, headers={"Content-Type": kind}, timeout=60)


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def url(api_url, session):
    """Where the session's script posts its frames."""
    with served(api_url, session) as url:
        yield url


def test_a_frame_gets_the_answer_of_the_api(url, api_url):
    expected = post(api_url, FRAME).json()
    assert expected["prediction"] == 7
    assert send(url, FRAME).json() | {"milliseconds": 0} == expected | {"milliseconds": 0}


def test_the_chosen_model_and_the_learnt_examples_count(url, api_url, session):
    session.model = "mlp"
    session.learn(7, post(api_url, MIRRORED).json()["image"], [])
    expected = post(api_url, MIRRORED, examples=session.examples, model="mlp").json()
    assert (expected["model"], expected["examples"], expected["prediction"]) == ("mlp", 1, 7)
    assert send(url, MIRRORED).json() | {"milliseconds": 0} == expected | {"milliseconds": 0}


def test_several_digits_are_read_as_a_number(url):
    assert send(url, file_of(TWO_DIGITS)).json()["number"] == "77"


def test_the_view_of_the_network_gets_the_activations(url, session):
    session.model = "deep"
    answer = send(f"{url}&view=network", FRAME).json()
    assert (answer["model"], answer["prediction"], len(answer["layers"])) == ("deep", 7, 6)


def test_where_nothing_is_drawn_yet_there_is_no_answer_and_no_error(url):
    response = send(url, file_of(blank()))
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_what_other_sites_can_send_is_refused_and_who_has_no_session(url, kind):
    assert send(url, FRAME, kind).status_code == 403
    assert send(f"{url}x", FRAME).status_code == 403


def test_a_large_frame_is_refused_before_its_body_comes(url):
    host, _, path = url.removeprefix("http://").partition("/")
    with connect(f"http://{host}") as connection:
        connection.sendall(f"POST /{path} {HEAD} 100001\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")
    assert send(url, iter([b"x" * 60_000] * 2)).status_code == 413


def test_a_frame_that_does_not_come_is_given_up(api_url, session):
    with served(api_url, session, seconds=1) as url:
        host, _, path = url.removeprefix("http://").partition("/")
        with connect(f"http://{host}") as connection:
            connection.sendall(f"POST /{path} {HEAD} 1000\r\n\r\n".encode())
            assert until_closed(connection).startswith(b"HTTP/1.1 408 ")


def test_frames_beyond_two_at_a_time_are_dropped_and_those_that_get_no_answer_say_so(session):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        api = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with served(api, session, seconds=5) as url, ThreadPoolExecutor(5) as pool:
            answers = [job.result() for job in [pool.submit(send, url, FRAME) for _ in range(5)]]
    dropped = [answer for answer in answers if answer.headers.get("Retry-After")]
    assert [answer.status_code for answer in dropped] == [204, 204, 204]
    assert {answer.status_code for answer in answers if answer not in dropped} == {502}
