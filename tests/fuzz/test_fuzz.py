import json
import re
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import requests
from schemathesis.core.failures import FailureGroup
from tests.fuzz.__main__ import fuzz, main

from model.config import REPOSITORY


def test_a_server_error_is_found(api_url):
    description = requests.get(f"{api_url}/openapi.json", timeout=30).json()

    class Failing(BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path == "/openapi.json"
            self.send_response(200 if found else 500)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(description if found else {}).encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Failing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(FailureGroup, match="found"):
            fuzz(f"http://127.0.0.1:{server.server_address[1]}", 20)
        server.shutdown()


def test_many_bad_requests_give_no_server_error(capsys):
    main(["--count", "120"])
    printed = capsys.readouterr().out
    assert int(re.search(r"(\d+) requests in \d+ s, no server error", printed)[1]) >= 120
    statuses = {int(status) for status in re.findall(r"(\d{3}): \d", printed)}
    assert {200, 404, 415, 422} <= statuses and max(statuses) < 500
    assert re.search(r"memory: \d+ MB before, \d+ MB after", printed)


def test_run_sh_starts_the_command():
    command = ["bash", REPOSITORY / "run.sh", "fuzz", "--help"]
    answer = subprocess.run(command, capture_output=True, text=True)
    assert (answer.returncode, "--count" in answer.stdout) == (0, True), answer.stderr
