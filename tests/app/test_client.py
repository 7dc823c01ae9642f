"""The client against the real API over a socket, and against servers that misbehave."""

import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest

from app.client import DigitsClient
from app.front.images import decode_data_url
from errors import ApiError

DIGITS = Path(__file__).parents[2] / "data" / "digits"


@pytest.fixture
def client(api_url):
    return DigitsClient(api_url)


@pytest.mark.parametrize("digit", range(10))
def test_each_drawn_digit_of_the_repository_is_read(client, digit):
    answer = client.predict((DIGITS / f"{digit}.png").read_bytes())
    assert (answer["prediction"], answer["is_digit"]) == (digit, True)


def test_the_chosen_model_answers(client):
    names = [model["name"] for model in client.models()["models"]]
    picture = (DIGITS / "7.png").read_bytes()
    assert [client.predict(picture, name)["model"] for name in names] == names


def test_pixels_sent_as_they_are_are_read_as_the_pictures_they_come_from(client):
    answers = [client.predict((DIGITS / f"{digit}.png").read_bytes()) for digit in (2, 0, 7)]
    pixels = np.stack([decode_data_url(answer["image"]) for answer in answers])
    probabilities, is_digit = client.infer(pixels, "cnn")
    expected = np.array([answer["probabilities"] for answer in answers])
    assert probabilities == pytest.approx(expected, abs=1e-3)
    assert is_digit.tolist() == [True, True, True]


def test_an_explanation_covers_the_picture(client):
    answer = client.explain((DIGITS / "7.png").read_bytes(), "cnn")
    assert np.shape(answer["attribution"]["values"]) == (28, 28)


def test_a_card_and_its_figures_are_to_be_had(client):
    card = client.model("cnn")
    assert card["name"] == "cnn"
    for figure in card["figures"]:
        assert client.model_figure("cnn", figure).startswith(b"\x89PNG")


def test_what_is_no_picture_is_refused_with_the_name_of_the_problem(client):
    with pytest.raises(ApiError) as caught:
        client.predict(b"hello")
    assert (caught.value.cause, caught.value.problem) == ("refused", "not-a-picture")


def test_an_unknown_model_is_missing(client):
    with pytest.raises(ApiError) as caught:
        client.model("gpt")
    assert (caught.value.cause, caught.value.problem) == ("missing", "unknown-model")


def test_the_proxy_of_the_machine_is_not_asked(client, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert client.models()["models"]


def test_where_nobody_listens_the_message_says_how_to_start_the_api():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = DigitsClient(f"http://127.0.0.1:{port}")
    with pytest.raises(ApiError, match=r"bash run\.sh api") as caught:
        client.models()
    assert caught.value.cause == "unreachable"


def test_a_server_that_accepts_and_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        client = DigitsClient(url, answer_seconds=0.2)
        with pytest.raises(ApiError, match=r"0\.2 s") as caught:
            client.predict(b"picture")
    assert caught.value.cause == "slow"


@contextmanager
def always_answering(status, body, token="", requests=None):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if requests is not None:
                requests.append((self.path, self.headers["Authorization"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield DigitsClient(f"http://127.0.0.1:{server.server_port}", token=token)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (500, b"<html>oh no</html>", "failed"),
        (502, b"", "busy"),
        (504, b"", "slow"),
        (503, b'{"type": "not-ready", "detail": "Starting."}', "busy"),
        (503, b'{"code": "numbers-unavailable", "detail": "No numbers."}', "refused"),
        (404, b"[]", "missing"),
        (400, b'{"error": "wrong shape"}', "refused"),
    ],
)
def test_every_status_has_its_cause(status, body, cause):
    with always_answering(status, body) as client, pytest.raises(ApiError) as caught:
        client.models()
    assert caught.value.cause == cause


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"7"])
def test_another_service_at_that_address_is_told_from_the_api(body):
    with (
        always_answering(200, body) as client,
        pytest.raises(ApiError, match="API_URL") as caught,
    ):
        client.models()
    assert caught.value.cause == "failed"


def test_a_name_is_one_segment_of_the_path():
    requests = []
    with always_answering(200, b"{}", requests=requests) as client:
        client.model("a/b?c#d%20é")
        client.model_figure("a/b", "c/d")
        client.study_figure("e?f")
    assert [path for path, _ in requests] == [
        "/api/v1/models/a%2Fb%3Fc%23d%2520%C3%A9",
        "/api/v1/models/a%2Fb/figures/c%2Fd",
        "/api/v1/study/e%3Ff",
    ]


@pytest.mark.parametrize(("token", "header"), [("secret", "Bearer secret"), ("", None)])
def test_the_token_is_sent_where_there_is_one(token, header):
    requests = []
    with always_answering(200, b"{}", token, requests) as client:
        client.models()
    assert requests == [("/api/v1/models", header)]
