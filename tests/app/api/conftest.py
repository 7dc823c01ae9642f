"""The real API in a process of its own, with some of the repository's models."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import requests
from PIL import Image, ImageDraw
from tests.support.api import connect, form, post, until_closed
from tests.support.drawings import file_of
from tests.support.networks import change_card
from tests.support.services import Running, running_api

from model.config import MODELS_DIR


@pytest.fixture(scope="session")
def few_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three models, a fourth that is truncated, and no network for lines."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("", "mlp-", "cnn-permuted-", "deep-"):
        shutil.copy(MODELS_DIR / f"mnist-{name}0.0.1.onnx", folder)
    figure = shutil.copy(MODELS_DIR / "mnist-0.0.1-confusion-matrix.png", folder)
    figures = {"confusion-matrix": Path(figure).name, "elsewhere": "../../etc/hostname"}
    change_card(folder / "mnist-0.0.1.onnx", figures=figures)
    damaged = folder / "mnist-deep-0.0.1.onnx"
    damaged.write_bytes(damaged.read_bytes()[:1000])
    return folder


@pytest.fixture(scope="session")
def api(few_models: Path) -> Iterator[Running]:
    """The API with ``few_models``."""
    with running_api(MODELS_DIR=str(few_models), API_CORS_ORIGINS="https://app.example") as api:
        yield api


@pytest.fixture(scope="session")
def drawing() -> Image.Image:
    """A 7, white on black, 280 x 280."""
    picture = Image.new("L", (280, 280), 0)
    stroke = [(85, 70), (195, 70), (130, 220)]
    ImageDraw.Draw(picture).line(stroke, fill=255, width=22, joint="curve")
    return picture


@pytest.fixture(scope="session")
def png(drawing: Image.Image) -> bytes:
    return file_of(drawing)


@pytest.fixture
def predict(api: Running) -> Callable[..., requests.Response]:
    """Send one picture to be read; keywords are the query's parameters."""
    return partial(post, api.url)


class SlowUpload:
    """A prediction whose picture is sent up to the middle until ``finish`` is called."""

    def __init__(self, api: Running, picture: bytes) -> None:
        body = form(picture)
        self.connection = connect(api.url)
        self.rest = body[100:]
        self.connection.sendall(
            b"POST /api/v1/predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\nExpect: 100-continue\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)
        )
        # The server says so when it starts to read the body: the request is in flight.
        assert self.connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        self.connection.sendall(body[:100])

    def finish(self) -> bytes:
        """Send the rest and return the whole answer."""
        self.connection.sendall(self.rest)
        return until_closed(self.connection)


@pytest.fixture
def slow_upload(png: bytes) -> Iterator[Callable[[Running], SlowUpload]]:
    """Begin an upload."""
    with ExitStack() as begun:

        def begin(api: Running) -> SlowUpload:
            upload = SlowUpload(api, png)
            begun.enter_context(upload.connection)
            return upload

        yield begin
