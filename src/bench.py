"""How fast the API answers, and how fast one epoch of training is.

bash run.sh bench serve    the API beside a plain FastAPI route with the same network (needs wrk)
bash run.sh bench train    an epoch beside the loop of a tutorial

What is compared takes turns, as other work on the machine comes and goes; tables have medians.
"""

import argparse
import io
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import requests
import torch
from fastapi import FastAPI, File, UploadFile
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
from torchvision.transforms import v2

from errors import BenchError, DigitsError
from model.card import find_model
from model.config import MEAN, RECIPES, REPOSITORY, STD
from model.data.batches import Batches
from model.data.mnist import Digits, load_mnist
from model.export import load_network
from model.train import NETWORKS, train

IMAGE = REPOSITORY / "data" / "digits" / "7.png"
CONNECTIONS, WARM_UP_SECONDS, SECONDS, START_SECONDS = 8, 2, 10, 60
IMAGES = 6_000  # trained on in each turn
LUA = """wrk.method, wrk.headers["Content-Type"] = "POST", "%s"
wrk.body = io.open("body", "rb"):read("*all")
"""
TO_TENSOR = (v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([MEAN], [STD]))


def plain() -> FastAPI:
    """Return the API of a tutorial: a `def` route that resizes the image, and torch."""
    network, _ = load_network(find_model("cnn"))
    transform = v2.Compose([v2.Grayscale(), v2.Resize((28, 28)), *TO_TENSOR])
    app = FastAPI()

    @app.get("/ready")
    def ready() -> str:
        return "ready"

    @app.post("/api/v1/predict")
    def predict(file: Annotated[UploadFile, File()]) -> dict[str, object]:
        with torch.no_grad():
            logits = network(transform(Image.open(io.BytesIO(file.file.read())))[None])
        probabilities = logits.softmax(dim=1)[0]
        return {"prediction": int(probabilities.argmax()), "probabilities": probabilities.tolist()}

    return app


@contextmanager
def running(*command: str, port: int) -> Iterator[str]:
    """Start a service, give its URL when it is ready, stop it afterwards."""
    settings = {name: value for name, value in os.environ.items() if name[:4] != "API_"}
    settings |= {"PYTHONPATH": str(REPOSITORY / "src"), "OMP_NUM_THREADS": "1"}
    settings |= {"API_PORT": str(port)}
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
    with tempfile.TemporaryFile("w+") as log:
        line = [sys.executable, "-m", *command]
        process = subprocess.Popen(line, env=settings, stdout=log, stderr=log)
        try:
            while not is_ready(url):
                if process.poll() is not None or time.monotonic() > end:
                    log.seek(0)
                    raise BenchError(f"{command[0]} does not answer; it printed:\n{log.read()}")
                time.sleep(0.05)
            yield url
        finally:
            process.terminate()
            process.wait()


def is_ready(url: str) -> bool:
    try:
        return requests.get(url + "/ready", timeout=1).ok
    except requests.RequestException:
        return False


def ask(url: str, content_type: str, body: bytes, seconds: int) -> float:
    """Post a body over and over for so long; return the answers per second."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "body").write_bytes(body)
        Path(folder, "post.lua").write_text(LUA % content_type)
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", "post.lua", url]
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    speed = re.search(r"Requests/sec: +([0-9.]+)", done.stdout)
    if not speed or re.search("Non-2xx|Socket errors", done.stdout):
        raise BenchError(f"Requests to {url} failed: {done.stderr or done.stdout}")
    return float(speed[1])


def serve(rounds: int) -> pd.DataFrame:
    """Return the speed of the API beside that of a plain route."""
    if not shutil.which("wrk"):
        raise BenchError("Install wrk (Debian: apt-get install wrk; macOS: brew install wrk).")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    image = IMAGE.read_bytes()
    sent = requests.Request("POST", "http://api", files={"file": image}).prepare()
    form: tuple[str, Any] = (sent.headers["Content-Type"], sent.body)
    tutorial = ("uvicorn", "bench:plain", "--factory", "--port", str(port), "--no-access-log")
    services = {
        "plain `def` route": (tutorial, form),
        "this API": (("app",), form),
        "this API, image as the body": (("app",), ("image/png", image)),
    }
    speeds: dict[str, list[float]] = {name: [] for name in services}
    for name in [*services] * rounds:
        command, posted = services[name]
        with running(*command, port=port) as url:
            ask(f"{url}/api/v1/predict", *posted, WARM_UP_SECONDS)
            speeds[name].append(ask(f"{url}/api/v1/predict", *posted, SECONDS))
        print(f"{name}: {speeds[name][-1]:.0f} requests/s", file=sys.stderr)
    table = pd.DataFrame(speeds).median().to_frame("requests/s")
    return table.assign(ratio=table["requests/s"] / table["requests/s"].iloc[0])


def tutorial_epoch(network: nn.Module, digits: Digits) -> None:
    """Train one epoch as a tutorial would: "affine", by torchvision, image by image."""
    turn = v2.RandomAffine(degrees=25, translate=(0.2, 0.2), shear=15)
    transform = v2.Compose([v2.ToPILImage(), turn, v2.RandomPerspective(0.3), *TO_TENSOR])
    optimizer = torch.optim.AdamW(network.parameters())
    dataset = TensorDataset(digits.images, digits.labels)
    for images, labels in DataLoader(dataset, RECIPES["cnn"].batch_size, shuffle=True):
        x = torch.stack([transform(image) for image in images])
        loss = F.cross_entropy(network(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def our_epoch(network: nn.Module, digits: Digits) -> None:
    """Train one epoch as ``run.sh`` does, but without synthetic images."""
    recipe = replace(RECIPES["cnn"], epochs=1, synthetic_fraction=0.0, outlier_ratio=0.0)
    batches = Batches(digits, None, recipe, "affine", seed=0)
    with redirect_stdout(None):
        train(network, batches, digits[:1], recipe)


def time_epochs(digits: Digits, rounds: int) -> pd.DataFrame:
    """Return the seconds that an epoch of all 60,000 images would take, both ways."""
    ways = {"the loop of a tutorial": tutorial_epoch, "run.sh cnn": our_epoch}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for name in [*ways] * rounds:
        network = NETWORKS["cnn"]()
        started = time.perf_counter()
        ways[name](network, digits)
        seconds[name].append((time.perf_counter() - started) * 60_000 / len(digits))
        print(f"{name}: {seconds[name][-1]:.1f} s", file=sys.stderr)
    table = pd.DataFrame(seconds).median().to_frame("s per epoch")
    return table.assign(ratio=table["s per epoch"].iloc[0] / table["s per epoch"])


def main(arguments: list[str] | None = None) -> int:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("run.sh bench", description=__doc__, formatter_class=form)
    parser.add_argument("what", choices=("serve", "train"))
    parser.add_argument("--rounds", type=int, choices=range(1, 10), default=3, help="turns of each")
    options = parser.parse_args(arguments)
    try:
        if options.what == "serve":
            table = serve(options.rounds)
        else:
            table = time_epochs(load_mnist().training[:IMAGES], options.rounds)
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"{table.round(2).to_markdown()}\n\n{os.cpu_count()} cores, {platform.machine()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
