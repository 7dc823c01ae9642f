"""Measures an API under load: ``python -m tests.support.api_load health | memory``.

health  GET /health a hundred times, beside 64 clients that post the worst small picture
memory  of a process with all models, warm; then after a hundred large pictures

Each starts an API of its own on 127.0.0.1.
"""

import argparse
import asyncio
import http.client
import itertools
import multiprocessing
import statistics
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import requests
from PIL import Image
from tests.support.api import post
from tests.support.drawings import SEVEN, blank, file_of, write
from tests.support.services import Running, resident_megabytes, running_api
from tests.support.telemetry import metrics

ROUNDS = 100  # of GET /health, and large pictures
CLIENTS = 64
WARM_SECONDS = 2.0  # until the load is there
Client = Callable[[], Coroutine[None, None, None]]


# --- What is sent ---------------------------------------------------------------------------------


def worst_small_picture() -> bytes:
    """A PNG of 1.6 kB whose uneven background takes the longest of all small pictures."""
    levels = np.linspace(60, 200, 500).astype(np.uint8)
    image = Image.fromarray(np.broadcast_to(levels, (500, 500)).copy())
    image.paste(10, (200, 100, 230, 400))
    return file_of(image)


def large_pictures() -> list[bytes]:
    """A 7 of 38 megapixels: as RGBA, which costs most memory, as grey levels and as a JPEG."""
    ink = write(blank(), SEVEN, 255).resize((6200, 6200), Image.Resampling.NEAREST)
    faint = ink.point(lambda level: 255 - level // 4)
    rgba = Image.merge("RGBA", (ink, ink, ink, faint))
    return [file_of(rgba), file_of(ink), file_of(ink.convert("RGB"), "JPEG", quality=50)]


async def post_for_ever(host: str, port: int, picture: bytes) -> None:
    """Send a picture, wait for the answer, send it again."""
    reader, writer = await asyncio.open_connection(host, port)
    head = f"POST /api/v1/predict HTTP/1.1\r\nHost: {host}\r\nContent-Type: image/png\r\n"
    request = f"{head}Content-Length: {len(picture)}\r\n\r\n".encode() + picture
    while True:
        writer.write(request)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = answer.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))


def run_clients(client: Client, count: int, begun: Event) -> None:
    async def together() -> None:
        tasks = [asyncio.create_task(client()) for _ in range(count)]
        await asyncio.sleep(WARM_SECONDS)
        begun.set()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(together())


@contextmanager
def clients(client: Client, count: int) -> Iterator[None]:
    """Let so many clients work in a process of their own."""
    context = multiprocessing.get_context("spawn")
    begun = context.Event()
    process = context.Process(target=run_clients, args=(client, count, begun), daemon=True)
    process.start()
    try:
        assert begun.wait(60), "the clients did not start"
        yield
    finally:
        process.kill()
        process.join()


# --- What is measured -----------------------------------------------------------------------------


def address(url: str) -> tuple[str, int]:
    """Host and port of a service."""
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 80)


def print_health(url: str) -> None:
    """Ask for /health again and again, and print how long the answers took."""
    host, port = address(url)
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        connection = http.client.HTTPConnection(host, port, timeout=120)
        connection.request("GET", "/health")
        assert connection.getresponse().read()
        connection.close()
        took.append(1000 * (time.perf_counter() - started))
    print(f"/health: median {statistics.median(took):.0f} ms, worst of {ROUNDS} {max(took):.0f} ms")


def sum_of_predictions(url: str) -> float:
    return metrics(url).get(("digits_requests_total", "POST", "/api/v1/predict", "200"), 0)


def measure_health() -> None:
    with running_api() as api:
        client = partial(post_for_ever, *address(api.url), worst_small_picture())
        with clients(client, CLIENTS):
            before = sum_of_predictions(api.url)
            print_health(api.url)
            print(f"beside {sum_of_predictions(api.url) - before:.0f} predictions")


def print_memory(api: Running, when: str) -> None:
    status = Path(f"/proc/{api.process.pid}/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1000
    resident = resident_megabytes(api.process.pid)
    print(f"{when}: {resident:.0f} MB resident, at most {peak:.0f} MB so far")


def measure_memory() -> None:
    with running_api() as api:
        models = requests.get(f"{api.url}/api/v1/models", timeout=30).json()["models"]
        drawing = file_of(write(blank(), SEVEN, 255))
        for model, path in itertools.product(models, ("predict", "predict/number", "explain")):
            assert post(api.url, drawing, path, model=model["name"]).ok
        print_memory(api, f"warm, {len(models)} models")

        def read(picture: bytes) -> bool:
            return post(api.url, picture).ok

        with ThreadPoolExecutor(4) as pool:
            pictures = itertools.islice(itertools.cycle(large_pictures()), ROUNDS)
            answered = sum(pool.map(read, pictures))
        print_memory(api, f"after {answered} of {ROUNDS} large pictures")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("health", "memory"))
    what = parser.parse_args().what
    {"health": measure_health, "memory": measure_memory}[what]()


if __name__ == "__main__":
    main()
