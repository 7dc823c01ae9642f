"""What tests send to a running API and take from it, over HTTP and over a bare socket."""

import base64
import io
import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import numpy as np
import requests
from PIL import Image

FORM = {"Content-Type": "multipart/form-data; boundary=b"}


def post(
    url: str,
    pictures: bytes | list[bytes],
    path: str = "predict",
    examples: object = None,
    **parameters: object,
) -> requests.Response:
    """Send a picture, or those of a batch, with examples: a list, or the very text of the field."""
    field, files = ("file", [pictures]) if isinstance(pictures, bytes) else ("files", pictures)
    text = examples if isinstance(examples, str) else json.dumps(examples)
    return requests.post(
        f"{url}/api/v1/{path}",
        files=[(field, ("picture", data)) for data in files],
        data=None if examples is None else {"examples": text},
        params=parameters,
        timeout=60,
    )


def example(label: int, picture: bytes) -> dict[str, object]:
    """A digit of somebody's hand, as the field of examples takes it."""
    return {"label": label, "image": "data:image/png;base64," + base64.b64encode(picture).decode()}


def pixels(url: str) -> np.ndarray:
    """The picture in a data URL."""
    head, _, data = url.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def form(*pictures: bytes, field: str = "file") -> bytes:
    """The body of a form with boundary b."""
    head = f'--b\r\nContent-Disposition: form-data; name="{field}"; filename="x"\r\n\r\n'.encode()
    return b"".join(head + picture + b"\r\n" for picture in pictures) + b"--b--\r\n"


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until a condition holds; fail where it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def connect(url: str) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((address.hostname, address.port), timeout=30)


def until_closed(connection: socket.socket) -> bytes:
    """Return what comes until the server closes; raise TimeoutError where it does not."""
    received = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            received += part
    return received
