"""Whether the process lives, whether it should get requests, and its counters."""

import os

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from app.api.problems import ProblemError
from app.api.service import Service

router = APIRouter(tags=["operations"])


@router.head("/health", include_in_schema=False)
@router.get("/health")
async def health() -> dict[str, str]:
    """Say that the process lives."""
    return {"status": "ok"}


@router.head("/ready", include_in_schema=False)
@router.get("/ready")
async def ready(request: Request) -> dict[str, str]:
    """Say that the default model is loaded, no thread hangs, and the process is not stopping."""
    service: Service = request.app.state.service
    if service.stopping or service.hung:
        told = "The service is stopping, or a picture keeps a thread busy: then restart it."
        raise ProblemError("not-ready", told)
    return {"status": "ready"}


@router.get("/metrics", response_class=PlainTextResponse)
def metrics() -> Response:
    """Return counters of requests, predictions and rejections in Prometheus' format."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # where several workers add up theirs
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
