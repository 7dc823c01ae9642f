"""Thousands of bad requests to the API, of which none may give a server error: ``run.sh fuzz``.

Half are made by Schemathesis from the app's own OpenAPI description, valid and invalid ones; half
are image files that Hypothesis damages. Every answer must be one that the description knows.
"""

import argparse
import time
from collections import Counter
from contextlib import suppress

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.fuzz.images import damaged_images
from tests.support.services import resident_megabytes, running_api

COUNT = 10_000
ANSWER_SECONDS = 30
PATHS = ("predict", "predict/batch", "predict/number", "explain")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SETTINGS = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


def fuzz(url: str, count: int, random_seed: int = 0) -> Counter[int]:
    """Send at least ``count`` requests to the API at ``url``; return the answers by status.

    Raises:
        Exception: an answer was none that the API's description knows; the message has the
            smallest request found that shows it.
    """
    answers: Counter[int] = Counter()
    with requests.Session() as session:
        while answers.total() < count // 2:
            send_by_schema(url, session, answers, count // 4, random_seed)
            random_seed += 1
        while answers.total() < count:
            send_images(url, session, answers, min(count - answers.total(), 1000), random_seed)
            random_seed += 1
    return answers


def send_by_schema(
    url: str, session: requests.Session, answers: Counter[int], count: int, random_seed: int
) -> None:
    """Send valid and invalid requests to every operation that the OpenAPI description has."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    for operation in operations:
        for mode in schemathesis.GenerationMode:

            @seed(random_seed)
            @settings(SETTINGS, max_examples=max(2, count // len(operations)))
            @given(case=operation.as_strategy(generation_mode=mode))
            def send(case: schemathesis.Case) -> None:
                response = case.call(session=session, timeout=ANSWER_SECONDS)
                answers[response.status_code] += 1
                case.validate_response(response, checks=CHECKS)

            # An operation without parameters cannot be asked wrongly.
            with suppress(Unsatisfiable):
                send()


def send_images(
    url: str, session: requests.Session, answers: Counter[int], count: int, random_seed: int
) -> None:
    """Send damaged images to every endpoint that takes one."""

    @seed(random_seed)
    @settings(SETTINGS, max_examples=count)
    @given(
        image=damaged_images(),
        path=st.sampled_from(PATHS),
    )
    def send(image: bytes, path: str) -> None:
        batch = path == "predict/batch"
        files = {"files" if batch else "file": ("image", image)}
        response = session.post(f"{url}/api/v1/{path}", files=files, timeout=ANSWER_SECONDS)
        answers[response.status_code] += 1
        answer = response.json()
        if response.status_code == 200:
            members = answer["results"] if batch else [answer]
            assert all(member.get("status", 200) in (200, 413, 415, 422) for member in members), (
                answer
            )
        else:
            assert response.headers["content-type"] == "application/problem+json"
            assert response.status_code in (413, 415, 422), answer

    send()


def main(arguments: list[str] | None = None) -> None:
    """Start the API, send the requests, print count, answers and memory."""
    parser = argparse.ArgumentParser(prog="run.sh fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="requests at least (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    with running_api() as api:
        fuzz(api.url, options.count // 20, options.seed + 1_000_000)  # the first use allocates
        before, started = resident_megabytes(api.process.pid), time.perf_counter()
        answers = fuzz(api.url, options.count, options.seed)
        seconds, after = time.perf_counter() - started, resident_megabytes(api.process.pid)
    by_status = ", ".join(f"{status}: {count}" for status, count in sorted(answers.items()))
    print(f"{answers.total()} requests in {seconds:.0f} s, no server error; by status: {by_status}")
    print(f"memory: {before:.0f} MB before, {after:.0f} MB after")


if __name__ == "__main__":
    main()
