"""Whether the process lives and whether it should get requests."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from app.api import metrics, problems
from app.api.dependencies import ServiceDep
from app.api.problems import ProblemError
from app.api.schemas import Status

router = APIRouter(tags=["operations"])


@router.get("/health")
async def health() -> Status:
    """Say that the process lives."""
    return Status(status="ok")


@router.get("/ready", responses=problems.responses("not-ready"))
async def ready(service: ServiceDep) -> Status:
    """Say that the default model passed its self-test and that requests are welcome."""
    if service.draining:
        raise ProblemError("not-ready", "The service is shutting down: ask another instance.")
    return Status(status="ready")


@router.get("/metrics", response_class=PlainTextResponse)
def prometheus_metrics() -> Response:
    """Return requests, latency, predictions by digit, confidence and refusals for Prometheus."""
    return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)
