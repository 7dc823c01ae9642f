"""Bounds on what a client may send: bytes and seconds a request, bytes and seconds a head."""

import asyncio
import json

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.problems import (
    MEDIA_TYPE,
    RETRY_AFTER,
    ProblemError,
    problem_body,
    problem_response,
)
from app.settings import FORM_OVERHEAD, MAX_BATCH_BYTES, MAX_FILE_BYTES, MAX_HELD_BYTES

BATCH_PATH = "/api/v1/predict/batch"
HEAD_BYTES = 64_000  # of request line, headers, trailers and the framing of chunks
HEAD_SECONDS = 10.0
FRAMING_PER_BODY_BYTE = 8  # chunks of a single byte take this much framing
TAIL_BYTES = 16  # of a body, in which its closing boundary ends


class UploadLimits:
    """Answers 413 to a body that is too large, at once where its length is announced, 408 to one
    that takes too long to arrive, and 503 when all that has arrived and waits is too much.
    """

    def __init__(self, app: ASGIApp, upload_seconds: float) -> None:
        self.app = app
        self.upload_seconds = upload_seconds
        self.held = 0  # bytes of the bodies of all requests that are not answered yet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, its body counted and timed while it arrives."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        batch = scope["path"] == BATCH_PATH
        limit = (MAX_BATCH_BYTES if batch else MAX_FILE_BYTES) + FORM_OVERHEAD
        too_large = ProblemError("batch-too-large" if batch else "file-too-large")
        for name, value in scope["headers"]:
            if name == b"content-length" and int(value) > limit:
                response = problem_response(Request(scope), too_large)
                return await response(scope, receive, send)

        deadline = asyncio.get_running_loop().time() + self.upload_seconds
        received, complete, tail = 0, False, b""

        async def limited_receive() -> Message:
            nonlocal received, complete, tail
            if complete:  # what is awaited now is the end of the connection
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise ProblemError("upload-too-slow", headers={"Connection": "close"}) from None
            chunk = message.get("body", b"")
            received += len(chunk)
            self.held += len(chunk)
            tail = (tail + chunk[-TAIL_BYTES:])[-TAIL_BYTES:]
            complete = not message.get("more_body", False)
            if received > limit:
                raise too_large
            if self.held > MAX_HELD_BYTES and received > FORM_OVERHEAD:  # drawings are smaller
                raise ProblemError("overloaded", headers={**RETRY_AFTER, "Connection": "close"})
            if complete:
                scope["state"]["closed_form"] = tail.rstrip().endswith(b"--")
            return message

        try:
            await self.app(scope, limited_receive, send)
        finally:
            self.held -= received


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's fast HTTP parser, which alone would wait for ever for headers of any size."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock for the first request."""
        super().connection_made(transport)
        self._overhead = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._head_complete()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and refuse a request that consists of anything but its body."""
        self._overhead += len(data)
        super().data_received(data)
        if self._overhead > HEAD_BYTES and not self.transport.is_closing():
            self._head_complete()
            self.send_400_response("The request's headers are too large: send fewer and shorter.")

    def send_400_response(self, msg: str) -> None:
        """Answer as every other error does, though the app never saw this request."""
        body = json.dumps(problem_body(ProblemError("malformed-request", msg), "")).encode()
        head = [b"HTTP/1.1 400 Bad Request"]
        head += [b"%b: %b" % header for header in self.server_state.default_headers]
        head += [b"content-type: " + MEDIA_TYPE.encode(), b"content-length: %d" % len(body)]
        head += [b"connection: close", b"", body]
        self.transport.write(b"\r\n".join(head))
        self.transport.close()

    def on_message_begin(self) -> None:
        """Start the clock for a request's headers."""
        self._overhead = 0
        self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop the clock: the body has its own."""
        self._head_complete()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count the body, and its framing, as no overhead."""
        self._overhead = max(0, self._overhead - len(body) * (1 + FRAMING_PER_BODY_BYTE))
        super().on_body(body)

    def _await_head(self) -> None:
        self._head_complete()
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _head_complete(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
