"""The real API in a process of its own, with small models that are made for the tests."""

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
import torch
from PIL import Image, ImageDraw
from tests.support.api import connect, form, post, until_closed
from tests.support.drawings import file_of
from tests.support.networks import card
from tests.support.services import Running, running_api

from model.card import model_path
from model.export import save_model
from model.train import NETWORKS


def save_untrained(folder: Path, name: str) -> Path:
    """Save an untrained network as the model called ``name``; return its ``.onnx`` file."""
    network, _, permuted = name.partition("-")
    torch.manual_seed(len(name))
    model = NETWORKS[network]()
    permutation = {"seed": 1, "indices": torch.randperm(784).tolist()} if permuted else None
    figure = f"{model_path(name, '0.0.1', folder).stem}-confusion-matrix.png"
    untrained = card(
        name,
        threshold=0.0,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        figures={"confusion-matrix": figure, "elsewhere": "../../etc/hostname"},
        permutation=permutation,
    )
    white = file_of(Image.new("RGB", (4, 4), "white"))
    return save_model(model, untrained, folder, {figure: white})


@pytest.fixture(scope="session")
def small_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with four untrained models, one of them truncated, and no network for lines."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("cnn", "mlp", "cnn-permuted"):
        save_untrained(folder, name)
    damaged = save_untrained(folder, "deep")
    damaged.write_bytes(damaged.read_bytes()[:1000])
    return folder


@pytest.fixture(scope="session")
def api(small_models: Path) -> Iterator[Running]:
    """The API with ``small_models``."""
    with running_api(MODELS_DIR=str(small_models), API_CORS_ORIGINS="https://app.example") as api:
        yield api


@pytest.fixture(scope="session")
def drawing() -> Image.Image:
    """A 7, white on black, 280 x 280."""
    picture = Image.new("L", (280, 280), 0)
    stroke = [(85, 70), (195, 70), (130, 220)]
    ImageDraw.Draw(picture).line(stroke, fill=255, width=22, joint="curve")
    return picture


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    """Return the bytes of a picture file: ``encode(picture, "JPEG", quality=90)``."""

    def to_bytes(picture: Image.Image, format_: str = "PNG", **options: Any) -> bytes:
        buffer = io.BytesIO()
        picture.save(buffer, format_, **options)
        return buffer.getvalue()

    return to_bytes


@pytest.fixture(scope="session")
def png(drawing: Image.Image, encode: Callable[..., bytes]) -> bytes:
    return encode(drawing)


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
