"""The results of the study and its figures."""

import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse

from app.api import problems
from app.api.dependencies import ServiceDep
from app.api.problems import ProblemError
from app.api.service import Service

RESULTS = "comparison.json"
FIGURES = "figures"
router = APIRouter(prefix="/api/v1/study", tags=["study"])


@router.get(
    "",
    responses={
        200: {"content": {"application/json": {"example": {"figures": ["accuracy"]}}}},
        **problems.responses("no-study"),
    },
)
def study(service: ServiceDep) -> dict[str, Any]:
    """Return the study's results as its file has them, and the names of its figures."""
    path = service.settings.models_dir / RESULTS
    if not path.is_file():
        raise ProblemError("no-study")
    return {**json.loads(path.read_text()), "figures": sorted(_figures(service))}


@router.get(
    "/{figure}",
    response_class=FileResponse,
    responses={
        200: {"content": {"image/png": {}}, "description": "the figure"},
        **problems.responses("no-study", "unknown-figure"),
    },
)
def study_figure(service: ServiceDep, figure: str) -> FileResponse:
    """Return a figure of the study."""
    figures = _figures(service)
    if not figures:
        raise ProblemError("no-study")
    if figure not in figures:
        known = ", ".join(sorted(figures))
        raise ProblemError("unknown-figure", f"There is no figure {figure!r}; there are: {known}.")
    return FileResponse(figures[figure], media_type="image/png")


def _figures(service: Service) -> dict[str, Path]:
    """The files of the figures by name."""
    return {path.stem: path for path in (service.settings.models_dir / FIGURES).glob("*.png")}
