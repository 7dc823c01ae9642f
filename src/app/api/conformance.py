"""What HTTP wants of every service: HEAD, 304, CORS, and a token where one is asked for."""

import hashlib
import hmac
import mimetypes
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path

from fastapi import Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import (
    MEDIA_TYPE,
    OPEN_INFERENCE_PREFIX,
    ProblemError,
    is_under,
    problem_body,
    problem_response,
)

_KEPT_ON_304 = ("cache-control", "etag", "last-modified", "vary")


class HeadAsGet:
    """Answers HEAD as GET, without the body (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await self.app(scope, receive, send)

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        get = {**scope, "method": "GET"}
        await self.app(get, receive, send_without_body)
        scope["route"] = get.get("route")  # for the log


class BearerToken:
    """Answers 401 to requests under /api and /v2 that do not send the token (RFC 6750)."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and is_under(scope, "/api", OPEN_INFERENCE_PREFIX):
            given = dict(scope["headers"]).get(b"authorization", b"")
            scheme, _, token = given.partition(b" ")
            given = scheme.capitalize() + b" " + token.strip()
            if not hmac.compare_digest(given, self._expected):
                headers = {"WWW-Authenticate": 'Bearer realm="digits"'}
                problem = ProblemError("unauthorized", headers=headers)
                return await problem_response(Request(scope), problem)(scope, receive, send)
        await self.app(scope, receive, send)


class ProblemCors(CORSMiddleware):
    """Starlette's CORS, whose refusals are problems too."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a preflight."""
        response = super().preflight_response(request_headers)
        if response.status_code != 400:
            return response
        problem = ProblemError("origin-not-allowed", f"{bytes(response.body).decode()}.")
        kept = {
            name: value
            for name, value in response.headers.items()
            if name in ("access-control-allow-origin", "vary")
        }
        return JSONResponse(problem_body(problem, ""), response.status_code, kept, MEDIA_TYPE)


def revalidated(request: Request, response: Response) -> Response:
    """Return ``response`` with what lets a client keep it, or 304 where the client has it.

    Conditions are evaluated as RFC 9110, 13.2.2 says.
    """
    digest = hashlib.sha256(response.body).hexdigest()[:32]
    response.headers["ETag"] = f'W/"{digest}"'  # weak: it may be sent compressed
    response.headers["Cache-Control"] = "no-cache"  # keep it, but ask whether it is still so
    if not _is_fresh(request.headers, response.headers):
        return response
    kept = {name: value for name, value in response.headers.items() if name in _KEPT_ON_304}
    return Response(status_code=304, headers=kept)


def file_response(request: Request, path: Path) -> Response:
    """Return a file whole, or 304; of a range no more is asked than to be ignored."""
    media_type = mimetypes.guess_type(path.name)[0]
    modified = formatdate(path.stat().st_mtime, usegmt=True)
    response = Response(path.read_bytes(), media_type=media_type)
    response.headers["Last-Modified"] = modified
    return revalidated(request, response)


def _is_fresh(request: Headers, response: Headers) -> bool:
    """Whether what the client keeps is what it would be sent."""
    if (tags := request.get("if-none-match")) is not None:
        current = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return "*" in current or response["etag"].removeprefix("W/") in current
    try:
        since = parsedate_to_datetime(request["if-modified-since"])
        return parsedate_to_datetime(response["last-modified"]) <= since
    except (KeyError, TypeError, ValueError):  # not asked, of no date, or no date
        return False
