"""The API: ``uvicorn app.main:create_app --factory``, or ``python -m app`` with every setting."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from app.api import docs, problems
from app.api.access_log import REQUEST_ID, AccessLog, configure_logging
from app.api.conformance import BearerToken, HeadAsGet, ProblemCors
from app.api.draining import drain_on_sigterm
from app.api.limits import BodyLimits
from app.api.routes import explain, models, number, open_inference, operations, predict, study
from app.api.service import ensure_service
from app.settings import API_VERSION, ApiSettings

COMPRESSED_BYTES = 2000  # shorter answers are sent as they are
DESCRIPTION = """Reads handwritten digits.

Every error is `application/problem+json` (RFC 9457); its `type` leads to an explanation, its `code`
is a stable name. Where the service has a token, `/api` and `/v2` ask for it: `Authorization: Bearer
TOKEN`. There are no rate limits and no TLS: put a proxy that has them in front of it.
"""


def create_app(settings: ApiSettings | None = None) -> FastAPI:
    """Make the app; models are loaded when it starts, or where that is not told at first use.

    Args:
        settings: from the environment if absent.
    """
    settings = settings or ApiSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service = ensure_service(app)
        drain_on_sigterm(service)
        yield
        service.executor.close()

    app = FastAPI(
        title="Digits",
        version=API_VERSION,
        description=DESCRIPTION,
        license_info={"name": "MIT"},
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Operations are called as their functions, which gives generated clients readable names.
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.settings = settings
    configure_logging()
    # The last one added is the outermost.
    app.add_middleware(BodyLimits, upload_seconds=settings.upload_seconds)
    if settings.token:
        app.add_middleware(BearerToken, token=settings.token.get_secret_value())
    app.add_middleware(GZipMiddleware, minimum_size=COMPRESSED_BYTES, compresslevel=3)
    app.add_middleware(HeadAsGet)
    app.add_middleware(AccessLog)
    if settings.cors_origins:
        app.add_middleware(
            ProblemCors,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["*"],
            expose_headers=[REQUEST_ID, "Retry-After"],
        )
    problems.install(app)
    docs.install(app)
    for routes in (predict, number, explain, models, study, operations, open_inference):
        app.include_router(routes.router)
    return app
