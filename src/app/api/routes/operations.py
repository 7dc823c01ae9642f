"""Whether the process lives, whether it should get requests, and what its problems mean."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from app.api import metrics, problems
from app.api.problems import PROBLEMS, PROBLEMS_PATH, ProblemError, ProblemType
from app.api.schemas import Status
from app.api.service import service_of

router = APIRouter(tags=["operations"])


@router.get("/health")
async def health() -> Status:
    """Say that the process lives."""
    return Status(status="ok")


@router.get("/ready", responses=problems.responses("not-ready"))
async def ready(request: Request) -> Status:
    """Say that the default model passed its self-test and that requests are welcome."""
    refuse_while_draining(request)
    return Status(status="ready")


def refuse_while_draining(request: Request) -> None:
    """Raise "not-ready" from the signal to end on."""
    if service_of(request).draining:
        raise ProblemError("not-ready", "The service is shutting down: ask another instance.")


@router.get("/metrics", response_class=PlainTextResponse)
def prometheus_metrics() -> Response:
    """Return requests, latency, predictions by digit, confidence and rejections for Prometheus."""
    return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)


@router.get(PROBLEMS_PATH + "/{code}", responses=problems.responses("not-found"))
async def problem_type(code: str) -> ProblemType:
    """Explain a type of problem: what its `type` leads to."""
    if code not in PROBLEMS:
        raise ProblemError("not-found", f"There is no problem {code!r}; see /docs.")
    return PROBLEMS[code]
