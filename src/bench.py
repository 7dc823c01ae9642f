"""How fast the API answers, beside a plain FastAPI route with the same network (needs wrk).

The services take turns, as other work on the machine comes and goes. The table has medians.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import requests
import torch
from fastapi import FastAPI, File, UploadFile
from PIL import Image
from torchvision.transforms.functional import pil_to_tensor

from errors import BenchError
from model.card import find_model
from model.config import MEAN, REPOSITORY, STD
from model.export import load_network

IMAGE = REPOSITORY / "data" / "digits" / "7.png"
ROUNDS, CONNECTIONS, WARM_UP_SECONDS, SECONDS = 3, 8, 2, 10
LUA = 'wrk.method, wrk.body = "POST", io.open("body", "rb"):read("*all")'


def plain() -> FastAPI:
    """Return the API of a tutorial: a `def` route that resizes the image, and torch."""
    network, _ = load_network(find_model("cnn"))
    app = FastAPI()

    @app.post("/api/v1/predict")
    def predict(file: Annotated[UploadFile, File()]) -> dict[str, object]:
        image = Image.open(file.file).convert("L").resize((28, 28))
        with torch.inference_mode():
            logits = network((pil_to_tensor(image)[None] / 255 - MEAN) / STD)
        probabilities = logits.softmax(dim=1)[0]
        return {"prediction": int(probabilities.argmax()), "probabilities": probabilities.tolist()}

    return app


@contextmanager
def running(factory: str) -> Iterator[str]:
    """Serve the app that a factory makes; give the URL to post to, and stop it afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", factory, "--factory", "--port", str(port)]
    settings = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            with suppress(ConnectionError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        else:
            raise BenchError(f"{factory} does not start: the reason stands above.")
        yield f"http://127.0.0.1:{port}/api/v1/predict"
    finally:
        process.terminate()
        process.wait()


def ask(url: str, content_type: str, body: bytes, seconds: int) -> float:
    """Post a body over and over for so many seconds; return the answers per second."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "body").write_bytes(body)
        Path(folder, "post.lua").write_text(LUA)
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", "post.lua", url]
        command += ["-H", f"Content-Type: {content_type}"]
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    speed = re.search(r"Requests/sec: +([0-9.]+)", done.stdout)
    if not speed or re.search("Non-2xx|Socket errors", done.stdout):
        raise BenchError(f"Requests to {url} failed: {done.stderr or done.stdout}")
    return float(speed[1])


def measure() -> pd.DataFrame:
    """Return the requests per second that each service answers, and their ratio to the first."""
    if not shutil.which("wrk"):
        raise BenchError("Install wrk (Debian: apt-get install wrk; macOS: brew install wrk).")
    image = IMAGE.read_bytes()
    sent = requests.Request("POST", "http://api", files={"file": image}).prepare()
    form: Any = (sent.headers["Content-Type"], sent.body)
    with running("bench:plain") as plain_url, running("app.main:create_app") as api_url:
        services: dict[str, tuple[str, str, bytes]] = {
            "plain `def` route": (plain_url, *form),
            "this API": (api_url, *form),
            "this API, image as the body": (api_url, "image/png", image),
        }
        speeds: dict[str, list[float]] = {name: [] for name in services}
        for name, (url, content_type, body) in [*services.items()] * ROUNDS:
            ask(url, content_type, body, WARM_UP_SECONDS)
            speeds[name].append(ask(url, content_type, body, SECONDS))
            print(f"{name}: {speeds[name][-1]:.0f} requests/s", file=sys.stderr)
    table = pd.DataFrame(speeds).median().to_frame("requests/s")
    return table.assign(ratio=table["requests/s"] / table["requests/s"].iloc[0])


if __name__ == "__main__":
    argparse.ArgumentParser("run.sh bench serve", description=__doc__).parse_args()
    try:
        print(f"{measure().round(2).to_markdown()}\n\n{os.cpu_count()} cores")
    except BenchError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
