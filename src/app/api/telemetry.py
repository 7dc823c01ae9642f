"""What operators see: an id, a line of JSON and counters for every request; never the picture."""

import asyncio
import json
import logging
import queue
import random
import re
import sys
import time
from datetime import UTC, datetime
from functools import cache
from logging.handlers import QueueHandler, QueueListener

from fastapi import Request
from prometheus_client import Counter, Histogram, disable_created_metrics
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import answer

REQUEST_ID = "X-Request-ID"
disable_created_metrics()  # a second series for each of ours, which nobody reads

REQUESTS = Counter("digits_requests", "Requests answered.", ["method", "path", "status"])
SECONDS = Histogram("digits_request_seconds", "Seconds from request to answer.", ["path"])
PROBLEMS = Counter("digits_problems", "Requests answered with a problem.", ["code"])
DROPPED_LINES = Counter("digits_dropped_log_lines", "Lines that nobody took in time.")
PREDICTIONS = Counter("digits_predictions", "Pictures taken for a digit.", ["model", "digit"])
REJECTIONS = Counter("digits_rejections", "Pictures not taken for a digit.", ["model", "reason"])
CONFIDENCE = Histogram(
    "digits_confidence",
    "Calibrated probability of the likeliest digit.",
    ["model"],
    buckets=(0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1),
)
NUMBERS = Counter("digits_numbers", "Pictures asked for their number.", ["model", "reason"])
logger = logging.getLogger("digits")


class JsonLine(logging.Formatter):
    """A record as a line of JSON; an attribute ``fields`` adds its items."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)  # ASCII alone: a path may hold commands for a terminal


class BoundedQueueHandler(QueueHandler):
    """Drops and counts lines that nobody reads: a full pipe must not stop the event loop."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        DROPPED_LINES.inc()


class PatientListener(QueueListener):
    """Wakes for many lines at once: to wake for each costs a tenth of a request's time."""

    def dequeue(self, block: bool) -> logging.LogRecord:
        record = super().dequeue(block)
        if LINES.empty():
            time.sleep(0.05)
        return record


LINES: queue.Queue[logging.LogRecord] = queue.Queue(10_000)


@cache  # once in a process
def configure_logging() -> None:
    """Write what this project and its libraries log as JSON, from a thread of its own."""
    handler = BoundedQueueHandler(LINES)
    handler.setFormatter(JsonLine())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    PatientListener(LINES, logging.StreamHandler(sys.stdout)).start()


def flush_logs() -> None:
    """Write the lines that wait, but within a second: perhaps nobody reads them."""
    end = time.monotonic() + 1
    while LINES.unfinished_tasks and time.monotonic() < end:
        time.sleep(0.01)


class Telemetry:
    """Names, logs and counts each request; makes a problem of an error that nobody expected."""

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

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        failure: Exception | None = None
        try:
            await self.app(scope, receive, send_named)
        except (Exception, asyncio.CancelledError) as error:
            failure = error if isinstance(error, Exception) else None
            if status == 0:
                await (await answer(request, error))(scope, receive, send_named)
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
        level = logging.ERROR if failure else logging.INFO
        logger.log(level, "request", extra={"fields": fields}, exc_info=failure)
