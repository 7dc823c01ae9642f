"""A running page and a browser to look at it: for the measurement, the tests and the pictures."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.services import Running, free_port, running

from errors import BenchError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MAC_CHROME = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


@contextmanager
def page_service(api_url: str, base_path: str = "", **environment: str) -> Iterator[Running]:
    """The page's server in a process of its own; `base_path` is empty or begins with a slash."""
    port = free_port()
    address = ["--server.address", "127.0.0.1", "--server.port", str(port)]
    script = ["-m", "streamlit", "run", "src/app/page_server.py", *address]
    script += ["--server.baseUrlPath", base_path]
    url = f"http://127.0.0.1:{port}{base_path}"
    with running(script, url, "/_stcore/health", API_URL=api_url, **environment) as service:
        yield service


@contextmanager
def running_page(api_url: str, **environment: str) -> Iterator[str]:
    """The page in a process of its own; gives its URL."""
    with page_service(api_url, **environment) as service:
        yield service.url


def find_chromium() -> str | None:
    """The path of Chromium or Chrome, if one is installed."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome", MAC_CHROME)
    return next(filter(None, map(shutil.which, names)), None)


@contextmanager
def chromium(path: str | None = None, *options: str) -> Iterator["Browser"]:
    """A Chromium without window.

    Args:
        path: of the program; looked for if absent.
        options: of its command line.

    Raises:
        BenchError: there is none.
    """
    from playwright.sync_api import sync_playwright

    path = path or find_chromium()
    if path is None:
        raise BenchError("No Chromium found: install it (Debian: apt-get install chromium).")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *options])
        yield browser
        browser.close()
