"""The page's own server: `streamlit run src/app/page_server.py` finds `server` and serves it.

The page is streamlit_app.py. Beside it there is the route that reads while somebody draws.
"""

from collections import deque

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.runtime import get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from app.front.live import live_route
from app.front.settings import MAX_FILE_BYTES, PageSettings

MAX_BODY_BYTES = MAX_FILE_BYTES + 1_000_000  # an upload and the form around it
MAX_UPLOADS = 20  # of all visitors, 100 MB at most; a page takes its own over at once


class UploadLimit:
    """Removes the oldest upload where there are too many: Streamlit keeps all of a session's."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._uploads: deque[tuple[str, str]] = deque()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
        if scope["type"] != "http" or scope["method"] != "PUT":
            return
        session, _, file = scope["path"].partition("/upload_file/")[2].partition("/")
        manager = get_instance().uploaded_file_mgr
        assert isinstance(manager, MemoryUploadedFileManager)
        if manager.get_files(session, [file]):
            self._uploads.append((session, file))
        if len(self._uploads) > MAX_UPLOADS:
            manager.remove_file(*self._uploads.popleft())


server = st.App(
    "streamlit_app.py",
    routes=[live_route(PageSettings())],
    middleware=[
        Middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY_BYTES),
        Middleware(UploadLimit),
    ],
)
