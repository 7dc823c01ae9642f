"""Bounds on the body of a request: its bytes, its seconds, and what all of them hold in memory."""

import asyncio
from contextlib import suppress

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import RETRY_AFTER, ProblemError, is_under, problem_response
from app.settings import (
    FORM_OVERHEAD,
    LINGER_BYTES,
    LINGER_SECONDS,
    MAX_BATCH_BYTES,
    MAX_BUFFERED_BYTES,
    MAX_FILE_BYTES,
)
from model.examples import MAX_EXAMPLES_BYTES

BATCH_PATH = "/api/v1/predict/batch"
REFUSAL = "refusal"  # in the state of a request that is refused before the app sees it


class BodyLimits:
    """Refuses a body that is too large (413), takes too long (408), or is one too many (503).

    What is answered before its body has arrived ends the connection: the rest of the body is
    taken in for a short while, so that the client sees the answer, and then let go.
    """

    def __init__(self, app: ASGIApp, upload_seconds: float) -> None:
        self.app = app
        self.upload_seconds = upload_seconds
        self.buffered = 0  # bytes of the bodies of all requests that are not answered yet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, its body counted and timed while it arrives."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        body = _Body(self, scope, receive, send)
        try:
            if refusal := scope.setdefault("state", {}).get(REFUSAL):
                raise refusal
            if body.announced > body.limit:  # before any of it is read
                raise ProblemError(body.too_large)
            await self.app(scope, body.receive, body.send)
        except ProblemError as problem:
            await problem_response(Request(scope), problem)(scope, receive, body.send)
        finally:
            self.buffered -= body.received


class _Body:
    """The body of one request, and the answer that may come before it has arrived."""

    def __init__(self, limits: BodyLimits, scope: Scope, receive: Receive, send: Send) -> None:
        self._limits = limits
        self._receive, self._send = receive, send
        batch = is_under(scope, BATCH_PATH)
        self.limit = (MAX_BATCH_BYTES if batch else MAX_FILE_BYTES) + FORM_OVERHEAD
        self.limit += MAX_EXAMPLES_BYTES
        self.too_large = "batch-too-large" if batch else "file-too-large"
        headers = dict(scope["headers"])
        self.announced = int(headers.get(b"content-length", 0))
        self._complete = not self.announced and b"transfer-encoding" not in headers
        self._deadline = asyncio.get_running_loop().time() + limits.upload_seconds
        self._answered_early = False
        self.received = 0

    async def receive(self) -> Message:
        """Receive the next part of the body, or the end of the connection after the last one."""
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise ProblemError("upload-too-slow") from None
        length = len(message.get("body", b""))
        self.received += length
        self._limits.buffered += length
        self._complete = not message.get("more_body", False)
        if self.received > self.limit:
            raise ProblemError(self.too_large)
        too_much = self._limits.buffered > MAX_BUFFERED_BYTES
        if too_much and self.received > FORM_OVERHEAD:  # drawings are smaller
            raise ProblemError("overloaded", headers=RETRY_AFTER)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start" and not self._complete:
            self._answered_early = True
            message["headers"] = [*message.get("headers", []), (b"connection", b"close")]
        ends = message["type"] == "http.response.body" and not message.get("more_body", False)
        if self._answered_early and ends:
            await self._send({**message, "more_body": True})
            await self._linger()
            message = {"type": "http.response.body"}
        await self._send(message)

    async def _linger(self) -> None:
        """Take in what the client still sends: a connection closed meanwhile loses the answer."""
        taken = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while not self._complete and taken < LINGER_BYTES:
                    message = await self._receive()
                    taken += len(message.get("body", b""))
                    self._complete = not message.get("more_body", False)
