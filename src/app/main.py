"""The API: ``uvicorn app.main:create_app --factory``, or ``python -m app`` with every setting."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from app.api import docs, problems
from app.api.access_log import REQUEST_ID, RequestLog, configure_logging
from app.api.limits import UploadLimits
from app.api.routes import explain, models, open_inference, operations, predict, study
from app.settings import ApiSettings
from model.config import VERSION

DESCRIPTION = """Reads handwritten digits.

Every error is `application/problem+json` (RFC 9457); its `type` is a stable name.
The service has no authentication and no rate limits: put a proxy that has them in front of it.
"""


def create_app(settings: ApiSettings | None = None) -> FastAPI:
    """Make the app; models are loaded when it starts.

    Args:
        settings: from the environment if absent.
    """
    settings = settings or ApiSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Imported here, so that the process that only supervises workers never loads torch.
        from app.api.draining import drain_on_sigterm
        from app.api.service import load_service

        app.state.service = load_service(settings)
        drain_on_sigterm(app.state.service)
        yield
        app.state.service.close()

    app = FastAPI(
        title="Digits",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    configure_logging()
    # The last one added is the outermost.
    app.add_middleware(UploadLimits, upload_seconds=settings.upload_seconds)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=[REQUEST_ID, "Retry-After"],
        )
    app.add_middleware(RequestLog)
    problems.install(app)
    docs.install(app)
    for routes in (predict, explain, models, study, operations, open_inference):
        app.include_router(routes.router)
    return app
