"""Whether the process lives and whether it should get requests."""

from fastapi import APIRouter

from app import problems
from app.api.reading import ServiceDep
from app.api.schemas import Status
from app.problems import ProblemError

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
