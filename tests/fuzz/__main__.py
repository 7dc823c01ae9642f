"""Thousands of bad requests to the API, none of which may give a server error: ``run.sh fuzz``.

Schemathesis's own command makes some of them from the API's OpenAPI description, valid and invalid.
The other requests are image files that Hypothesis damages. The API's own metrics count the answers.
"""

import argparse
import subprocess
import sys
import tempfile
from collections import Counter

import requests
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from tests.fuzz.images import damaged_images
from tests.support.services import running_api
from tests.support.telemetry import metrics

ANSWER_SECONDS = 30
IMAGES_AT_ONCE = 1000  # Hypothesis remembers them
TOKEN = "fuzz"  # the description says that one may be asked for
HEADER = {"Authorization": f"Bearer {TOKEN}"}
PATHS = ("predict", "predict/batch", "predict/number", "explain", "activations")
UNHURRIED = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


def fuzz_by_schema(url: str, examples: int, random_seed: int) -> None:
    """Send each operation as many valid and as many invalid requests as there are examples.

    The check that is left out wants every byte string to be taken for a picture.

    Raises:
        CalledProcessError: an answer is not as the description says; the command has printed it.
    """
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"),
        *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
        *("--header", f"Authorization: {HEADER['Authorization']}"),
        *("--phases", "coverage,fuzzing", "--max-examples", str(examples)),
        *("--seed", str(random_seed), "--request-timeout", str(ANSWER_SECONDS)),
    ]
    with tempfile.TemporaryDirectory() as folder:  # where it keeps its examples
        subprocess.run(command, check=True, cwd=folder)


def fuzz_by_images(url: str, count: int, random_seed: int) -> None:
    """Send damaged images; each is read, or the answer is a problem of the picture."""
    with requests.Session() as session:
        session.headers.update(HEADER)

        @seed(random_seed)
        @settings(UNHURRIED, max_examples=count)
        @given(image=damaged_images(), path=st.sampled_from(PATHS))
        def send(image: bytes, path: str) -> None:
            batch = path == "predict/batch"
            files = {"files" if batch else "file": ("image", image)}
            response = session.post(f"{url}/api/v1/{path}", files=files, timeout=ANSWER_SECONDS)
            answer = response.json()
            for member in answer["results"] if batch and response.ok else [answer]:
                assert member.get("status", 200) in (200, 413, 415, 422), answer

        send()


def count_answers(url: str) -> Counter[int]:
    """Count the requests that the API has answered, by status."""
    counted: Counter[int] = Counter()
    for (name, *labels), count in metrics(url).items():
        if name == "digits_requests_total":
            counted[int(labels[-1])] += int(count)
    return counted


def main(arguments: list[str] | None = None) -> None:
    """Start the API, send the requests, print how they were answered."""
    parser = argparse.ArgumentParser(prog="run.sh fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="requests at least (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    with running_api(API_TOKEN=TOKEN) as api:
        fuzz_by_schema(api.url, max(1, options.count // 50), options.seed)
        left = max(options.count // 2, options.count - count_answers(api.url).total())
        for start in range(0, left, IMAGES_AT_ONCE):
            fuzz_by_images(api.url, min(IMAGES_AT_ONCE, left - start), options.seed + start)
        counted = count_answers(api.url)
    by_status = ", ".join(f"{status}: {count}" for status, count in sorted(counted.items()))
    print(f"{counted.total()} requests, by status: {by_status}")
    if failed := [status for status in counted if status >= 500 and status != 503]:
        sys.exit(f"server errors: {failed}")


if __name__ == "__main__":
    main()
