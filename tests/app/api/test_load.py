"""Many clients, slow ones, heavy pictures: who gets an error, who waits, who never does."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image
from tests.support.api import post, until_closed, wait_for
from tests.support.drawings import file_of
from tests.support.services import Running, running_api
from tests.support.telemetry import metrics


@pytest.fixture(scope="module")
def narrow(few_models) -> Iterator[Running]:
    """An API with little room and little patience."""
    settings = {"API_HEAVY_QUEUE": "2", "API_UPLOAD_SECONDS": "0.5"}
    with running_api(MODELS_DIR=str(few_models), **settings) as api:
        yield api


def test_beyond_the_queue_the_answer_is_503_with_retry_after_and_drawings_are_still_read(
    narrow, drawing, png
):
    large = file_of(drawing.resize((5000, 5000), Image.Resampling.NEAREST))
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: post(narrow.url, large), range(8))
        assert post(narrow.url, png).status_code == 200
    statuses = {answer.status_code: answer for answer in answers}
    assert statuses.keys() == {200, 503}
    assert statuses[503].json()["code"] == "overloaded"
    assert statuses[503].headers["retry-after"] == "1"


def test_an_upload_that_never_ends_is_given_up(narrow, slow_upload):
    answer = until_closed(slow_upload(narrow).connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer and b"upload-too-slow" in answer


def test_slow_uploads_do_not_hold_up_others(api, predict, png, slow_upload):
    waiting = [slow_upload(api) for _ in range(100)]
    assert predict(png).status_code == 200
    for upload in waiting:
        assert upload.finish().startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_leaves_during_its_upload_is_no_error_of_the_service(api, slow_upload):
    key = ("digits_requests_total", "POST", "/api/v1/predict")
    before = metrics(api.url)
    slow_upload(api).connection.close()
    wait_for(lambda: metrics(api.url).get((*key, "408"), 0) > before.get((*key, "408"), 0), 10)
    assert metrics(api.url).get((*key, "500")) == before.get((*key, "500"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc: Linux alone")
def test_eight_pictures_of_38_megapixels_at_once_are_read_within_a_gigabyte(api, png, drawing):
    ink = drawing.resize((6200, 6200), Image.Resampling.NEAREST)
    faint = ink.point(lambda level: 255 - level // 4)
    large = file_of(Image.merge("RGBA", (ink, ink, ink, faint)))  # the costliest kind
    expected = post(api.url, png).json()["prediction"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(api.url, large), range(8)))
    assert {answer.json()["prediction"] for answer in answers if answer.ok} == {expected}
    assert {answer.status_code for answer in answers} <= {200, 503}
    status = Path(f"/proc/{api.process.pid}/status").read_text()
    peak_kilobytes = int(re.search(r"VmHWM:\s+(\d+)", status)[1])
    assert peak_kilobytes < 1024 * 1024  # the container's limit
