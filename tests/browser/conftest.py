"""The real page and the real API, each in a process of its own, seen through Chromium."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from tests.support.browser import chromium as start_chromium
from tests.support.browser import running_page
from tests.support.services import running_api

WAIT = 60_000  # ms; a busy machine is slow, and no test measures time
ONLY_THIS_MACHINE = ("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",)
DESKTOP = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser(chromium):
    """One Chromium for a file's tests: while it runs, no other test here can have an event loop."""
    expect.set_options(timeout=WAIT)
    with start_chromium(chromium, *ONLY_THIS_MACHINE) as browser:
        yield browser


@pytest.fixture(scope="session")
def page_url(chromium) -> Iterator[str]:
    """The URL of a page whose API is up."""
    with running_api() as api, running_page(api.url) as url:
        yield url


@pytest.fixture
def open_page(browser):
    """Opens a URL in a window of its own; a request to any other host fails, and the test too."""
    contexts, strangers = [], []

    def note(asked: str, own: str) -> None:
        parts = urlsplit(asked)
        if parts.scheme not in ("data", "blob") and parts.netloc != own:
            strangers.append(asked)

    def open_(url: str, **options):
        context = browser.new_context(**{"viewport": DESKTOP, **options})
        contexts.append(context)
        context.set_default_timeout(WAIT)

        context.on("request", lambda sent: note(sent.url, urlsplit(url).netloc))
        page = context.new_page()
        page.goto(url)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert strangers == []
