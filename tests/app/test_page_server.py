"""The page's own server, started as run.sh starts it, and visitors who speak its protocol."""

import asyncio
import signal

import pytest
import requests
from tests.support.browser import page_service
from tests.support.services import resident_megabytes
from tests.support.visitor import visit

from model.config import REPOSITORY

SEVEN = (REPOSITORY / "data" / "digits" / "7.png").read_bytes()


@pytest.fixture(scope="module")
def page(api_url):
    """A page at a path of its host."""
    with page_service(api_url, base_path="/digits", API_LIVE_SECONDS="30") as service:
        yield service


def test_frames_are_answered_at_the_base_path_and_then_the_drawing(page):
    async def draw() -> None:
        async with visit(page.url) as visitor:
            assert await visitor.post_frames([SEVEN] * 3, every=0.1) == [200] * 3
            assert (await visitor.draw(SEVEN))["sign"] == "7"

    asyncio.run(draw())


def test_uploads_that_no_page_shows_do_not_fill_the_memory(page):
    before = resident_megabytes(page.process.pid)

    async def upload() -> None:
        async with visit(page.url) as visitor:
            for number in range(60):
                await asyncio.to_thread(visitor.upload, bytes([number]) * 4_900_000, number)

    asyncio.run(upload())
    assert resident_megabytes(page.process.pid) - before < 200


def test_a_body_of_more_than_an_upload_is_refused(page):
    url = f"{page.url}/_stcore/upload_file/a/b"
    assert requests.put(url, b"x" * 6_000_001, timeout=10).status_code == 413
    assert requests.put(url, iter([b"x" * 4_000_000] * 2), timeout=10).status_code in (403, 413)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_in_good_order_though_somebody_draws(api_url, end):
    with page_service(api_url) as service:

        async def stop() -> None:
            async with visit(service.url) as visitor:
                await visitor.draw(SEVEN)
                service.process.send_signal(end)
                await asyncio.to_thread(service.process.wait, 60)

        asyncio.run(stop())
        assert service.process.poll() is not None
        assert "Traceback" not in service.printed()
