"""One JSON line, one request id and one set of metrics a request; never the picture."""

import asyncio
import json
import logging
import random
import re
import sys
import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import metrics
from app.api.problems import ProblemError, problem_response
from app.api.service import ensure_service
from errors import DigitsError

REQUEST_ID = "X-Request-ID"
_ACCEPTED_ID = re.compile(rb"[!-~]{1,128}")
_lines: list[str] = []  # of requests, that are to be written


def _json_line(level: str, message: str, fields: Mapping[str, object]) -> str:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    # ASCII alone: a path may hold what commands a terminal.
    return json.dumps({"time": now, "level": level, "message": message, **fields})


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON; a ``fields`` attribute adds its items."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields: dict[str, object] = dict(getattr(record, "fields", {}))
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return _json_line(record.levelname.lower(), record.getMessage(), fields)


def configure_logging() -> None:
    """Let the loggers of this project write JSON lines to standard output, once."""
    digits = logging.getLogger("digits")
    if not digits.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(JsonFormatter())
        digits.addHandler(handler)
        digits.setLevel(logging.INFO)


class AccessLog:
    """Gives every request its id, logs and counts it, and answers 500 where the app fails."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and record how it was answered."""
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, _with_short_failure(send))
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = time.perf_counter()
        request_id = _request_id(scope)
        scope.setdefault("state", {})
        service = ensure_service(scope["app"])
        status = 0

        async def recording_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                if service.draining:
                    headers["Connection"] = "close"
            await send(message)

        metrics.IN_FLIGHT.inc()
        error: BaseException | None = None
        try:
            await self.app(scope, receive, recording_send)
        except Exception as failure:
            error = failure
            if status == 0:
                response = problem_response(Request(scope), ProblemError("internal-error"))
                await response(scope, receive, recording_send)
        finally:
            metrics.IN_FLIGHT.dec()
            seconds = time.perf_counter() - started
            _record(scope, request_id, status, seconds, error)


def _record(
    scope: Scope, request_id: str, status: int, seconds: float, error: BaseException | None
) -> None:
    """Write the line and count the request."""
    # A path that no route has would let clients make as many time series as they like.
    path = getattr(scope.get("route"), "path", "unmatched")
    metrics.REQUESTS.labels(scope["method"], path, status).inc()
    metrics.SECONDS.labels(path).observe(seconds)
    problem = scope["state"].get("problem")
    if problem:
        metrics.PROBLEMS.labels(problem).inc()
    fields: dict[str, object] = {
        "request_id": request_id,
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "milliseconds": round(seconds * 1000, 2),
        "client": client[0] if (client := scope.get("client")) else None,
    }
    if problem:
        fields["problem"] = problem
    if error is None:
        line = _json_line("info", "request", fields)
    else:
        fields["traceback"] = "".join(traceback.format_exception(error))
        line = _json_line("error", "request failed", fields)
    _lines.append(line + "\n")
    if len(_lines) == 1:  # with those of the requests that end in the same turn of the loop
        asyncio.get_running_loop().call_soon(_write_lines)


def _write_lines() -> None:
    text = "".join(_lines)
    _lines.clear()
    sys.stdout.write(text)
    sys.stdout.flush()


def _request_id(scope: Scope) -> str:
    """Take the client's request id where it is printable ASCII of sane length, else make one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ACCEPTED_ID.fullmatch(value):
            return value.decode()
    return f"{random.getrandbits(128):032x}"


def _with_short_failure(send: Send) -> Send:
    """Reduce the traceback of a start that fails on purpose to its message."""

    async def short_send(message: Message) -> None:
        if message["type"] == "lifespan.startup.failed":
            error = sys.exc_info()[1]
            if isinstance(error, DigitsError):
                message = {**message, "message": str(error)}
        await send(message)

    return short_send
