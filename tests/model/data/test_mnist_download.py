import http.server
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from torchvision.datasets import MNIST

from errors import DataError
from model.data import mnist
from model.data.mnist import fetch_missing, missing_files


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class BreakingHandler(QuietHandler):
    """Sends the first half of a file, then closes the connection."""

    def copyfile(self, source, outputfile):
        content = source.read()
        outputfile.write(content[: len(content) // 2])
        outputfile.flush()


class StallingHandler(BreakingHandler):
    """Sends the first half of a file, then nothing until `released` is set."""

    released = threading.Event()

    def copyfile(self, source, outputfile):
        super().copyfile(source, outputfile)
        self.released.wait(30)


@contextmanager
def http_mirror(folder: Path, handler: type[QuietHandler] = QuietHandler) -> Iterator[str]:
    handler = partial(handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            StallingHandler.released.set()
            server.shutdown()


@contextmanager
def silent_server() -> Iterator[str]:
    """A server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for downloads, with patience cut short."""
    monkeypatch.setattr(mnist, "PROBE_SECONDS", 0.5)
    monkeypatch.setattr(mnist, "STALL_SECONDS", 0.7)
    StallingHandler.released.clear()
    folder = tmp_path / "raw"
    folder.mkdir()
    return folder


def test_only_what_is_missing_is_fetched(tiny_mnist, raw):
    name = "t10k-labels-idx1-ubyte"
    (raw / name).write_bytes(b"unpacked, and none of this function's business")
    fetch_missing(raw, str(tiny_mnist))

    assert missing_files(raw) == []
    assert not (raw / f"{name}.gz").exists()


def test_a_server_that_never_answers_is_passed_over_for_the_next_mirror(
    tiny_mnist, raw, monkeypatch
):
    with silent_server() as silent, http_mirror(tiny_mnist) as url:
        monkeypatch.setattr(MNIST, "mirrors", [url])
        (problem,) = fetch_missing(raw, silent)

    assert silent in problem
    assert re.search("no answer|timed out", problem)
    assert {path.name for path in raw.iterdir()} == {path.name for path in tiny_mnist.iterdir()}


@pytest.mark.parametrize(
    ("handler", "complaint"), [(StallingHandler, "timed out"), (BreakingHandler, "corrupted")]
)
def test_a_download_that_stalls_or_breaks_off_is_given_up_and_leaves_nothing_half_written(
    tiny_mnist, raw, handler, complaint
):
    with http_mirror(tiny_mnist, handler) as url:
        (problem,) = fetch_missing(raw, url)

    assert complaint in problem
    assert list(raw.iterdir()) == []


def test_a_mirror_that_has_no_such_file_or_cannot_be_reached_is_reported(tiny_mnist, raw, tmp_path):
    with http_mirror(tmp_path) as url:
        (problem,) = fetch_missing(raw, url)
        assert "404" in problem
    (problem,) = fetch_missing(raw, url)
    assert "refused" in problem


def test_a_slow_name_look_up_counts_as_no_answer(tiny_mnist, raw, monkeypatch):
    released, finished = threading.Event(), threading.Event()

    def look_up(*args, **kwargs):
        released.wait(30)
        finished.set()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    (problem,) = fetch_missing(raw, "http://mirror.example")

    assert "no answer" in problem
    assert not finished.is_set()
    released.set()


def test_a_damaged_file_of_the_users_own_mirror_is_an_error_that_names_it(tiny_mnist, raw):
    damaged = tiny_mnist / "train-labels-idx1-ubyte.gz"
    damaged.write_bytes(b"?" + damaged.read_bytes()[1:])

    with pytest.raises(DataError, match=f"{damaged} is damaged"):
        fetch_missing(raw, str(tiny_mnist))
    assert not (raw / damaged.name).exists()


def test_a_public_mirror_that_serves_something_else_is_passed_over(tiny_mnist, raw, monkeypatch):
    login_page = raw.parent / "login"
    login_page.mkdir()
    for path in tiny_mnist.iterdir():
        (login_page / path.name).write_bytes(b"<html>Welcome to our hotel</html>")
    with http_mirror(login_page) as hotel, http_mirror(tiny_mnist) as url:
        monkeypatch.setattr(MNIST, "mirrors", [hotel, url])
        (problem,) = fetch_missing(raw, None)

    assert "corrupted" in problem
    assert missing_files(raw) == []
