"""Read while somebody draws: a route of the page's server that passes frames on to the API.

The browser knows the page alone, and the page knows the API by HTTP alone. A frame is the PNG of a
drawing that is not finished yet; it is neither stored nor logged.
"""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import streamlit as st
import urllib3
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from app.front.session import SESSIONS, Session
from app.front.settings import PageSettings

MAX_FRAME_BYTES = 100_000  # a drawing has 3 to 11 kB
MAX_FRAMES = 2  # on their way to the API at a time, of all visitors; beyond it a frame is dropped
SEVERAL_DIGITS = b'"reason":"several_digits"'


def live_path() -> str:
    """The route's path; Streamlit puts its base path before its own routes alone."""
    return f"/{st.get_option('server.baseUrlPath').strip('/')}/live".replace("//", "/")


def live_url(key: str) -> str:
    """Where the script of the session with that key posts its frames."""
    return f"{live_path()}?{urlencode({'key': key})}"


def live_route(settings: PageSettings) -> Route:
    """The route, which asks the API of these settings."""
    limit = Middleware(RequestBodyLimitMiddleware, max_body_size=MAX_FRAME_BYTES)
    return Route(live_path(), Live(settings).answer, methods=["POST"], middleware=[limit])


class Live:
    """Answers frames."""

    def __init__(self, settings: PageSettings) -> None:
        """Connect to nothing yet."""
        self._seconds = settings.api_live_seconds
        # urllib3 takes 0.7 ms of processor time a frame, requests 1.2; it uses no proxy by itself
        self._api = urllib3.PoolManager(maxsize=MAX_FRAMES, retries=False, timeout=self._seconds)
        self._base = f"{settings.api_url.rstrip('/')}/api/v1"
        token = settings.api_token.get_secret_value()
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._lane = asyncio.Semaphore(MAX_FRAMES)

    async def answer(self, request: Request) -> Response:
        """Answer a frame with what the API says of it, for the session's model and examples.

        The ordinary cases have no status from 400 on, which browsers write into the console in
        red: 204 where there is nothing to read yet, with Retry-After where too many people draw.
        """
        session = SESSIONS.get(request.query_params.get("key", ""))
        # Another site's page must ask before it sends this type, and is refused.
        if session is None or request.headers.get("content-type") != "image/png":
            return Response(status_code=403)
        try:
            async with asyncio.timeout(self._seconds):
                frame = await request.body()
        except (ClientDisconnect, TimeoutError):
            return Response(status_code=408)
        if self._lane.locked():  # drop it: the script's next frame is newer than this one
            return Response(status_code=204, headers={"Retry-After": "1"})
        view = "activations" if request.query_params.get("view") == "network" else "predict"
        async with self._lane:
            status, answer = await asyncio.to_thread(self._ask, view, frame, session)
        if status == 200:
            return Response(answer, media_type="application/json")
        if status == 503:
            return Response(status_code=204, headers={"Retry-After": "1"})
        # 422: nothing is drawn yet. The final answer says what else is wrong.
        return Response(status_code=204 if status == 422 else 502)

    def _ask(self, view: str, frame: bytes, session: Session) -> tuple[int, bytes]:
        """The API's status and answer, 502 if there is none in time; several digits as a number."""
        query = f"?{urlencode({'model': session.model})}" if session.model else ""
        fields: dict[str, Any] = {"file": ("frame", frame)}
        if examples := session.examples:
            fields["examples"] = json.dumps(examples)
        url = f"{self._base}/{view}{query}"
        try:
            answer = self._api.request("POST", url, headers=self._headers, fields=fields)
        except urllib3.exceptions.HTTPError:
            return 502, b""
        if view == "predict" and SEVERAL_DIGITS in answer.data:
            return self._ask("predict/number", frame, session)
        return answer.status, answer.data
