"""The client against the real API over a socket, and against servers that misbehave."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from app.client import DigitsClient
from app.front.images import decode_data_url
from errors import ApiError
from model.config import REPOSITORY

DIGITS = [(REPOSITORY / "data" / "digits" / f"{digit}.png").read_bytes() for digit in range(10)]


@pytest.fixture
def client(api_url):
    return DigitsClient(api_url)


def test_each_drawn_digit_of_the_repository_is_read_alone_and_in_batches(client, monkeypatch):
    monkeypatch.setattr("app.client.MAX_BATCH_FILES", 4)
    answers = [client.predict(picture) for picture in DIGITS]
    for answer, in_batch in zip(answers, client.predict_batch(DIGITS), strict=True):
        assert in_batch["probabilities"] == pytest.approx(answer["probabilities"], abs=1e-4)
    assert [answer["prediction"] for answer in answers] == list(range(10))


def test_the_chosen_model_and_the_examples_count(client):
    names = [model["name"] for model in client.models()["models"]]
    assert [client.predict(DIGITS[7], name)["model"] for name in names] == names
    image = client.predict(DIGITS[7])["image"]
    assert client.predict(DIGITS[7], examples=[{"label": 7, "image": image}])["examples"] == 1


def test_a_number_is_read_and_an_explanation_covers_the_picture(client):
    assert client.predict(DIGITS[7], endpoint="predict/number")["number"] == "7"
    answer = client.predict(DIGITS[7], "cnn", endpoint="explain")
    assert np.shape(answer["attribution"]["values"]) == (28, 28)


def test_pixels_sent_as_they_are_are_read_as_the_picture_they_come_from(client):
    answer = client.predict(DIGITS[2])
    inferred = client.infer(decode_data_url(answer["image"]), "cnn")
    assert (inferred["prediction"], inferred["is_digit"]) == (2, True)
    assert inferred["confidence"] == pytest.approx(answer["confidence"], abs=1e-3)


def test_a_card_the_study_and_their_figures_are_to_be_had(client):
    card = client.model("cnn")
    assert card["name"] == "cnn"
    figures = [client.figure(name, "cnn") for name in card["figures"]]
    figures += [client.figure(name) for name in client.study()["figures"]]
    assert all(figure.startswith(b"\x89PNG") for figure in figures)


def test_errors_have_the_cause_and_the_code_of_the_problem(client):
    with pytest.raises(ApiError) as caught:
        client.predict(b"hello")
    assert (caught.value.cause, caught.value.problem) == ("refused", "not-a-picture")
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
    with pytest.raises(ApiError, match=r"bash run\.sh api") as caught:
        DigitsClient(f"http://127.0.0.1:{port}").models()
    assert caught.value.cause == "unreachable"


def test_a_server_that_accepts_and_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ApiError, match=r"0\.2 s") as caught:
            DigitsClient(url, answer_seconds=0.2).predict(b"picture")
    assert caught.value.cause == "slow"


@contextmanager
def always_answering(status: int, body: bytes, kind: str = "application/json") -> Iterator[str]:
    """A server that gives every GET the same answer; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            told = b'{"token": "%s"}' % str(self.headers["Authorization"]).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body or told)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "kind", "cause"),
    [
        (500, b"<html>oh no</html>", "text/html", "failed"),
        (502, b"<html>oh no</html>", "text/html", "busy"),
        (504, b"<html>oh no</html>", "text/html", "slow"),
        (503, b'{"detail": "Starting."}', "application/problem+json", "busy"),
        (503, b'{"code": "numbers-unavailable"}', "application/problem+json", "refused"),
        (404, b'{"detail": "Nothing."}', "application/problem+json", "missing"),
        (400, b'{"error": "wrong shape"}', "application/json", "refused"),
        (200, b"<html>hello</html>", "text/html", "failed"),  # another service at that address
    ],
)
def test_every_status_has_its_cause(status, body, kind, cause):
    with always_answering(status, body, kind) as url, pytest.raises(ApiError) as caught:
        DigitsClient(url).models()
    assert caught.value.cause == cause


@pytest.mark.parametrize(("token", "sent"), [("secret", "Bearer secret"), ("", "None")])
def test_the_token_is_sent_where_there_is_one(token, sent):
    with always_answering(200, b"") as url:
        assert DigitsClient(url, token).models() == {"token": sent}
