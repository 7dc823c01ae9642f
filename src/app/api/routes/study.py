"""The results of the study and its figures."""

import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from app.api import problems
from app.api.conformance import file_response, revalidated
from app.api.problems import ProblemError
from app.api.service import Service, service_of

RESULTS = "comparison.json"
FIGURES = "figures"
router = APIRouter(prefix="/api/v1/study", tags=["study"])


@router.get(
    "",
    response_model=dict[str, Any],
    responses={
        200: {"content": {"application/json": {"example": {"figures": ["accuracy"]}}}},
        **problems.responses("no-study"),
    },
)
def study(request: Request) -> Response:
    """Return the study's results as its file has them, and the names of its figures."""
    service = service_of(request)
    path = service.settings.models_dir / RESULTS
    if not path.is_file():
        raise ProblemError("no-study")
    results = {**json.loads(path.read_text()), "figures": sorted(_figures(service))}
    return revalidated(request, JSONResponse(results))


@router.get(
    "/{figure}",
    response_class=Response,
    responses={
        200: {"content": {"image/png": {}}, "description": "the figure"},
        **problems.responses("no-study", "unknown-figure"),
    },
)
def study_figure(request: Request, figure: str) -> Response:
    """Return a figure of the study."""
    figures = _figures(service_of(request))
    if not figures:
        raise ProblemError("no-study")
    if figure not in figures:
        names = ", ".join(sorted(figures))
        raise ProblemError("unknown-figure", f"There is no figure {figure!r}; there are: {names}.")
    return file_response(request, figures[figure])


def _figures(service: Service) -> dict[str, Path]:
    """The files of the figures by name."""
    return {path.stem: path for path in (service.settings.models_dir / FIGURES).glob("*.png")}
