import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import CalledProcessError
from threading import Thread

import pytest
import requests
from tests.fuzz.__main__ import fuzz_by_images, fuzz_by_schema, main


@pytest.fixture
def failing(api_url) -> Iterator[str]:
    """The URL of a server that describes itself as the API does and answers 500."""
    description = requests.get(f"{api_url}/openapi.json", timeout=30).content

    class Failing(BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path == "/openapi.json"
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.send_response(200 if found else 500)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(description if found else b'{"status": 500}')

        def do_POST(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Failing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_server_error_is_found_by_either_half(failing):
    with pytest.raises(CalledProcessError):
        fuzz_by_schema(failing, 1, 0)
    with pytest.raises(AssertionError, match="500"):
        fuzz_by_images(failing, 20, 0)


def test_many_bad_requests_give_no_server_error(capsys):
    main(["--count", "200"])
    printed = capsys.readouterr().out
    assert int(re.search(r"(\d+) requests", printed)[1]) >= 200
    statuses = {int(status) for status in re.findall(r"(\d{3}): \d", printed)}
    assert {200, 404, 415, 422} <= statuses and max(statuses) < 500
