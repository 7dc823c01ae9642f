"""The API: ``uvicorn app.main:create_app --factory``, or ``python -m app`` with every setting."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import RedirectResponse
from fastapi_offline import FastAPIOffline

from app.api import models, open_inference, operations, predict, problems
from app.api.service import Service
from app.api.telemetry import REQUEST_ID, Telemetry, configure_logging, flush_logs
from app.settings import API_VERSION, ApiSettings

STOP_PAUSE_SECONDS = 0.3  # from SIGTERM, when /ready becomes 503, until the socket closes
DESCRIPTION = """Reads handwritten digits. Every error is `application/problem+json` (RFC 9457), and
its `code` is a stable name. There are no rate limits and no TLS: put a proxy in front of it."""


def create_app() -> FastAPI:
    """Load the models and make the app, with the environment's settings.

    Raises:
        ModelFileError: the default model is missing or cannot be used.
    """
    settings = ApiSettings()
    configure_logging()

    app = FastAPIOffline(
        redoc_url=None,
        title="Digits",
        version=API_VERSION,
        description=DESCRIPTION,
        license_info={"name": "MIT"},
        lifespan=lifespan,
        redirect_slashes=False,
        responses=problems.RESPONSES,
        exception_handlers=dict.fromkeys(problems.HANDLED, problems.answer),
        # Operations are called as their functions, which gives generated clients readable names.
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.service = Service(settings)
    app.add_middleware(GZipMiddleware, minimum_size=2000, compresslevel=3)
    app.add_middleware(Telemetry)  # the last one added is the outermost
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=[origin.strip() for origin in settings.cors_origins.split(",")],
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["*"],
            expose_headers=[REQUEST_ID, "Retry-After"],
        )
    for module in (predict, models, open_inference, operations):
        app.include_router(module.router)

    @app.get("/", include_in_schema=False)
    async def start(request: Request) -> RedirectResponse:
        return RedirectResponse(f"{request.scope['root_path']}/docs")

    return app


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Let SIGTERM first turn `/ready` to 503, and write all log lines before the end.

    uvicorn closes its socket at once, and resets connections whose request it has not read yet. A
    gateway must not repeat such a request; a moment before, it can learn to send no new ones.
    """
    loop = asyncio.get_running_loop()
    stop = signal.getsignal(signal.SIGTERM)
    if callable(stop):  # uvicorn's handler

        def pause() -> None:
            app.state.service.stopping = True
            loop.call_later(STOP_PAUSE_SECONDS, stop, signal.SIGTERM, None)

        loop.add_signal_handler(signal.SIGTERM, pause)
    yield
    flush_logs()
