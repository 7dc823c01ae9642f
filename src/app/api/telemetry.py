"""What operators see: an id, a line of JSON and counters for every request; never the picture."""

import json
import logging
import queue
import random
import re
import sys
import threading
import time
from datetime import UTC, datetime

from fastapi import Request
from prometheus_client import Counter, Histogram, disable_created_metrics
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import MEDIA_TYPE, answer

REQUEST_ID = "X-Request-ID"
MAX_WAITING_LINES = 10_000
PAUSE_SECONDS = 0.05  # between two writes: the thread wakes for many lines, not for each
FLUSH_SECONDS = 1.0
disable_created_metrics()  # a second series for each of ours, which nobody reads

REQUESTS = Counter("digits_requests", "Requests answered.", ["method", "path", "status"])
SECONDS = Histogram(
    "digits_request_seconds",
    "Seconds from the request's head to the end of the answer.",
    ["path"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
PROBLEMS = Counter("digits_problems", "Requests answered with a problem.", ["type"])
DROPPED_LINES = Counter("digits_dropped_log_lines", "Lines that nobody took in time.")
PREDICTIONS = Counter("digits_predictions", "Pictures taken for a digit.", ["model", "digit"])
REFUSALS = Counter("digits_refusals", "Pictures not taken for a digit.", ["model", "reason"])
CONFIDENCE = Histogram(
    "digits_confidence",
    "Calibrated probability of the likeliest digit.",
    ["model"],
    buckets=(0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1),
)
NUMBERS = Counter(
    "digits_numbers",
    "Pictures asked for their number; reason: why it is none.",
    ["model", "reason"],
)
logger = logging.getLogger("digits")


class JsonLines(logging.Handler):
    """Writes each record as a line of JSON to standard output, from a thread of its own.

    An output that nobody reads must not stop the event loop: when too many lines wait, new ones
    are dropped and counted.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: queue.Queue[str] = queue.Queue(MAX_WAITING_LINES)
        threading.Thread(target=self._write, daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Hand the record's line to the thread; an attribute ``fields`` adds its items."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = logging.Formatter().formatException(record.exc_info)
        try:
            self._lines.put_nowait(json.dumps(line) + "\n")  # ASCII: a path may hold commands
        except queue.Full:
            DROPPED_LINES.inc()

    def flush(self) -> None:
        """Wait until all lines are written, but not for long: perhaps nobody reads them."""
        end = time.monotonic() + FLUSH_SECONDS
        while self._lines.unfinished_tasks and time.monotonic() < end:
            time.sleep(0.01)

    def _write(self) -> None:
        while True:
            lines = [self._lines.get()]
            time.sleep(PAUSE_SECONDS)
            while not self._lines.empty():
                lines.append(self._lines.get())
            sys.stdout.write("".join(lines))
            sys.stdout.flush()
            for _ in lines:
                self._lines.task_done()


def configure_logging() -> None:
    """Write what this project and its libraries log as lines of JSON."""
    root = logging.getLogger()
    if not any(isinstance(handler, JsonLines) for handler in root.handlers):
        root.addHandler(JsonLines())
        root.setLevel(logging.INFO)


def flush_logs() -> None:
    """Write what still waits: a signal ends the process without any other clean-up."""
    for handler in logging.getLogger().handlers:
        handler.flush()


class Telemetry:
    """The middleware that names, logs and counts each request.

    It also answers 500 where the app fails, and turns Starlette's errors in plain text into
    problems.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = time.perf_counter()
        request = Request(scope)
        given = request.headers.get(REQUEST_ID, "")
        harmless = re.fullmatch("[!-~]{1,128}", given)
        request_id = given if harmless else f"{random.getrandbits(128):032x}"
        status = 0
        replaced: bytes | None = None  # the body instead of one in plain text

        async def send_recorded(message: Message) -> None:
            nonlocal status, replaced
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                if status >= 400 and headers.get("content-type", "").startswith("text/plain"):
                    replaced = bytes((await answer(request, HTTPException(status))).body)
                    headers["content-type"] = MEDIA_TYPE
                    headers["content-length"] = str(len(replaced))
            elif replaced is not None:
                message = {**message, "body": replaced}
            await send(message)

        failure: Exception | None = None
        try:
            await self.app(scope, receive, send_recorded)
        except Exception as error:
            failure = error
            if status == 0:
                await (await answer(request, error))(scope, receive, send_recorded)
        finally:
            seconds = time.perf_counter() - started
            # A path that no route has would let clients make as many time series as they like.
            path = getattr(scope.get("route"), "path", "unmatched")
            REQUESTS.labels(scope["method"], path, status).inc()
            SECONDS.labels(path).observe(seconds)
            fields = {
                "request_id": request_id,
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "milliseconds": round(seconds * 1000, 2),
                "client": scope["client"][0] if scope.get("client") else None,
            }
            if problem := getattr(request.state, "problem", None):
                PROBLEMS.labels(problem).inc()
                fields["problem"] = problem
            message = "request failed" if failure else "request"
            level = logging.ERROR if failure else logging.INFO
            logger.log(level, message, extra={"fields": fields}, exc_info=failure)
