"""A running page and a browser to look at it."""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from tests.support.services import Running, free_port, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MAC_CHROME = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


def page_service(
    api_url: str, base_path: str = "", **environment: str
) -> AbstractContextManager[Running]:
    """The page's server in a process of its own; `base_path` is empty or begins with a slash."""
    port = free_port()
    address = ["--server.address", "127.0.0.1", "--server.port", str(port)]
    script = ["-m", "streamlit", "run", "src/app/page_server.py", *address]
    script += ["--server.baseUrlPath", base_path]
    url = f"http://127.0.0.1:{port}{base_path}"
    return running(script, url, "/_stcore/health", API_URL=api_url, **environment)


def find_chromium() -> str | None:
    """The path of Chromium or Chrome, if one is installed."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome", MAC_CHROME)
    return next(filter(None, map(shutil.which, names)), None)


@contextmanager
def chromium(path: str | None, *options: str) -> Iterator["Browser"]:
    """The Chromium at a path, without a window, with options of its command line."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *options])
        yield browser
        browser.close()
