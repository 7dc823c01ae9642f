"""The real page and the real API, each in a process of its own, seen through Chromium."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from tests.support.browser import chromium as start_chromium
from tests.support.browser import page_service
from tests.support.pen import WAIT
from tests.support.services import running_api

ONLY_THIS_MACHINE = ("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",)
DESKTOP = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser(chromium):
    """One Chromium for a file's tests: while it runs, no other test here can have an event loop."""
    expect.set_options(timeout=WAIT)
    with start_chromium(chromium, *ONLY_THIS_MACHINE) as browser:
        yield browser


@pytest.fixture(scope="session")
def page_url(chromium):
    """The URL of a page whose API is up."""
    with running_api() as api, page_service(api.url) as page:
        yield page.url


@pytest.fixture
def open_page(browser):
    """Opens a URL in a window of its own; a request to any other host fails, and the test too."""
    contexts, asked = [], []

    def open_(url: str, **options):
        context = browser.new_context(**{"viewport": DESKTOP, **options})
        contexts.append(context)
        context.set_default_timeout(WAIT)
        context.on("request", lambda sent: asked.append((urlsplit(sent.url), urlsplit(url))))
        page = context.new_page()
        page.goto(url)
        return page

    yield open_
    for context in contexts:
        context.close()
    own = [
        one for one, page in asked if one.scheme in ("data", "blob") or one.netloc == page.netloc
    ]
    assert own == [one for one, _ in asked]
