"""uvicorn's fast HTTP parser with the bounds that it lacks: header bytes, seconds, connections."""

import asyncio
import json
import logging
import uuid
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.limits import REFUSAL
from app.api.problems import MEDIA_TYPE, RETRY_AFTER, ProblemError, problem_body
from app.settings import EXCHANGE_SECONDS, HEADER_SECONDS

HEADER_BYTES = 64_000  # of request line, headers, trailers and the framing of chunks
FRAMING_PER_BODY_BYTE = 8  # chunks of a single byte take this much framing
logger = logging.getLogger("digits.requests")


class HardenedHttpProtocol(HttpToolsProtocol):
    """Lets go of clients that send or take too slowly, and of those that are too many."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's arguments
        super().__init__(*args, **kwargs)
        # uvicorn's own limit would answer in plain text.
        self._max_connections, self.limit_concurrency = self.limit_concurrency, None
        self._overhead = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock for the first request's headers."""
        super().connection_made(transport)
        self._set_deadline(HEADER_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and refuse a request that consists of anything but its body."""
        self._overhead += len(data)
        super().data_received(data)
        if self._overhead > HEADER_BYTES and not self.transport.is_closing():
            self.send_400_response("The request's headers are too large: send fewer and shorter.")

    def send_400_response(self, msg: str) -> None:
        """Answer and log as for every other error, though the app never saw this request."""
        request_id = uuid.uuid4().hex
        body = json.dumps(problem_body(ProblemError("malformed-request", msg), "")).encode()
        response = [b"HTTP/1.1 400 Bad Request"]
        response += [b"%b: %b" % header for header in self.server_state.default_headers]
        response += [b"content-type: " + MEDIA_TYPE.encode(), b"content-length: %d" % len(body)]
        response += [b"x-request-id: " + request_id.encode(), b"connection: close", b"", body]
        self.transport.write(b"\r\n".join(response))
        self.transport.close()
        client = self.client[0] if self.client else None
        fields = {"request_id": request_id, "status": 400, "client": client, "problem": msg}
        logger.info("no request", extra={"fields": fields})

    def on_message_begin(self) -> None:
        """Start the clock for a request's headers."""
        self._overhead = 0
        self._set_deadline(HEADER_SECONDS)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Give the app the request, with a refusal where it is not to be answered."""
        self._set_deadline(EXCHANGE_SECONDS)
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            message = "A request has exactly one Host header (RFC 9112, 3.2)."
            self._refuse(ProblemError("malformed-request", message, {"Connection": "close"}))
        elif self._max_connections and len(self.connections) > self._max_connections:
            self._refuse(ProblemError("overloaded", headers={**RETRY_AFTER, "Connection": "close"}))
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count the body, and its framing, as no overhead."""
        self._overhead = max(0, self._overhead - len(body) * (1 + FRAMING_PER_BODY_BYTE))
        super().on_body(body)

    def _refuse(self, problem: ProblemError) -> None:
        self.scope["state"][REFUSAL] = problem

    def _set_deadline(self, seconds: float) -> None:
        """Cut the connection off after ``seconds``, unless another deadline is set before."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)
