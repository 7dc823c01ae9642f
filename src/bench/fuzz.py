"""Thousands of bad requests to the API, of which none may give a server error: ``run.sh fuzz``.

Half are made by Schemathesis from the app's own OpenAPI description, valid and invalid ones; half
are pictures that Hypothesis mutates. Every answer must be one that the description knows.
"""

import argparse
import io
import sys
import time
import zlib
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from PIL import Image, ImageDraw
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bench.memory import resident_megabytes
from bench.services import running_api

COUNT = 10_000
ANSWER_SECONDS = 30
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
PNG = b"\x89PNG\r\n\x1a\n"  # how every such file begins
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK")


@dataclass
class Report:
    """What was sent and how it was answered."""

    answers: Counter[int] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        """The number of requests that were answered."""
        return self.answers.total()

    @property
    def server_errors(self) -> int:
        """The number of answers that say the service failed."""
        return sum(count for status, count in self.answers.items() if status >= 500)


def fuzz(url: str, count: int, random_seed: int = 0) -> Report:
    """Send at least ``count`` requests to the API at ``url``.

    Raises:
        Exception: an answer was none that the API's description knows; the message has the
            smallest request found that shows it.
    """
    report = Report()
    run_settings = settings(
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    with requests.Session() as session:
        while report.sent < count // 2:
            _fuzz_schema(url, session, report, run_settings, random_seed, count)
            random_seed += 1
        while report.sent < count:
            left = settings(run_settings, max_examples=min(count - report.sent, 1000))
            _fuzz_pictures(url, session, report, left, random_seed)
            random_seed += 1
    return report


def _fuzz_schema(
    url: str,
    session: requests.Session,
    report: Report,
    run_settings: settings,
    random_seed: int,
    count: int,
) -> None:
    """One round over every operation that the OpenAPI description has."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    examples = max(2, count // 4 // len(operations))
    for operation in operations:
        for mode in schemathesis.GenerationMode:
            strategy = operation.as_strategy(generation_mode=mode)

            @seed(random_seed)
            @settings(run_settings, max_examples=examples)
            @given(case=strategy)
            def send(case: schemathesis.Case) -> None:
                response = case.call(session=session, timeout=ANSWER_SECONDS)
                report.answers[response.status_code] += 1
                case.validate_response(response, checks=CHECKS)

            # An operation without parameters cannot be asked wrongly.
            with suppress(Unsatisfiable):
                send()


def _fuzz_pictures(
    url: str, session: requests.Session, report: Report, run_settings: settings, random_seed: int
) -> None:
    """Mutated pictures to every endpoint that takes one."""

    @seed(random_seed)
    @settings(run_settings)
    @given(picture=mutated_pictures(), endpoint=st.sampled_from(("predict", "batch", "explain")))
    def send(picture: bytes, endpoint: str) -> None:
        path = "predict/batch" if endpoint == "batch" else endpoint
        name = "files" if endpoint == "batch" else "file"
        response = session.post(
            f"{url}/api/v1/{path}", files={name: ("picture", picture)}, timeout=ANSWER_SECONDS
        )
        report.answers[response.status_code] += 1
        answer = response.json()
        if response.status_code == 200:
            parts = answer["results"] if endpoint == "batch" else [answer]
            assert all(part.get("status", 200) < 500 for part in parts), answer
        else:
            assert response.headers["content-type"] == "application/problem+json"
            assert response.status_code in (413, 415, 422), answer

    send()


@st.composite
def mutated_pictures(draw: st.DrawFn) -> bytes:
    """Give picture files of any format and mode, most of them damaged."""
    width, height = draw(st.integers(1, 90)), draw(st.integers(1, 90))
    if draw(st.booleans()):
        picture = Image.new("L", (width, height), draw(st.integers(0, 255)))
    else:  # paper is never even
        noise = np.random.default_rng(draw(st.integers(0, 2**32))).integers(0, 256, (height, width))
        picture = Image.fromarray(noise.astype(np.uint8))
    points = draw(st.lists(st.integers(0, 90), min_size=4, max_size=8).filter(lambda p: len(p) > 3))
    line = points[: len(points) // 2 * 2]
    ImageDraw.Draw(picture).line(
        line, fill=draw(st.integers(0, 255)), width=draw(st.integers(1, 9))
    )
    mode, format_ = draw(st.sampled_from(MODES)), draw(st.sampled_from(FORMATS))
    exif = draw(st.sampled_from((b"", b"II*\0", b"MM\0*"))) + draw(st.binary(max_size=40))
    data = bytearray(_encode(picture, mode, format_, exif))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        kind = draw(st.sampled_from(("flip", "cut", "insert", "remove", "repeat", "head")))
        if kind == "flip" and data:
            data[place] ^= draw(st.integers(1, 255))
        elif kind == "head" and data:  # sizes, depths and counts stand at the front
            data[min(place, place % 64)] = draw(st.integers(0, 255))
        elif kind == "cut":
            del data[place:]
        elif kind == "remove":
            del data[place : place + draw(st.integers(1, 40))]
        elif kind == "repeat":
            data[place:place] = data[place : place + draw(st.integers(1, 200))]
        elif kind == "insert":
            data[place:place] = draw(st.binary(max_size=40))
    return _with_right_checksums(bytes(data)) if draw(st.booleans()) else bytes(data)


def _with_right_checksums(data: bytes) -> bytes:
    """A PNG whose damage the checksums of its chunks do not give away; other files as they are."""
    if not data.startswith(PNG):
        return data
    parts, place = [PNG], len(PNG)
    while len(head := data[place : place + 8]) == 8:
        length = int.from_bytes(head[:4], "big")
        chunk = data[place + 4 : place + 8 + length]
        parts += [head[:4], chunk, zlib.crc32(chunk).to_bytes(4, "big")]
        place += 12 + length
    return b"".join(parts)


def _encode(picture: Image.Image, mode: str, format_: str, exif: bytes) -> bytes:
    """The bytes of a file, in the nearest mode that the format has, with EXIF where it has that."""
    buffer = io.BytesIO()
    try:
        picture.convert(mode).save(buffer, format_, exif=exif)
    except (OSError, ValueError):
        buffer = io.BytesIO()
        picture.save(buffer, format_)
    return buffer.getvalue()


def main(arguments: list[str] | None = None) -> int:
    """Start the API, send the requests, print count, answers and memory."""
    parser = argparse.ArgumentParser(prog="run.sh fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="requests at least (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    with running_api() as api:
        fuzz(api.url, options.count // 20, options.seed + 1_000_000)  # first use allocates
        before = sum(resident_megabytes(api.process.pid))
        started = time.perf_counter()
        report = fuzz(api.url, options.count, options.seed)
        seconds = time.perf_counter() - started
        after = sum(resident_megabytes(api.process.pid))
    answers = ", ".join(f"{status}: {count}" for status, count in sorted(report.answers.items()))
    print(f"{report.sent} requests in {seconds:.0f} s; answers by status: {answers}")
    print(f"{report.server_errors} server errors")
    print(f"memory: {before:.0f} MB before, {after:.0f} MB after")
    return 1 if report.server_errors else 0


if __name__ == "__main__":
    sys.exit(main())
