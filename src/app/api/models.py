"""The models in service, their cards and figures, and the study."""

import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from app.api.dependencies import ServiceDep
from app.api.problems import ProblemError
from app.api.schemas import LineSummary, ModelList, ModelSummary
from app.api.service import Service
from model.card import Card

router = APIRouter(prefix="/api/v1", tags=["models"])


class PngResponse(Response):
    media_type = "image/png"


@router.get("/models")
async def models(service: ServiceDep) -> ModelList:
    """List the models, those that could not be loaded included, and the network for lines."""
    listed = [
        ModelSummary(
            name=name,
            available=True,
            version=classifier.version,
            parameters=classifier.card.parameters,
            permuted=classifier.permutation is not None,
            test_accuracy=classifier.card.results.test_accuracy,
        )
        for name, classifier in service.classifiers.items()
    ]
    for name, reason in service.failures.items():
        listed.append(ModelSummary(name=name, available=False, reason=reason))
    line = service.line
    about = {} if line is None else line.card.model_dump(include=set(LineSummary.model_fields))
    summary = LineSummary(available=line is not None, reason=service.line_failure, **about)
    return ModelList(default=service.settings.model, models=listed, line=summary)


@router.get("/models/{name}")
async def model_card(service: ServiceDep, name: str) -> Card:
    """Return a model's card: its architecture, data, training and results."""
    return service.classifier(name).card


@router.get("/models/{name}/figures/{figure}", response_class=PngResponse)
def model_figure(service: ServiceDep, name: str, figure: str) -> PngResponse:
    """Return a figure of a model's card: confusion-matrix, learning-curves, reliability."""
    figures = service.classifier(name).card.figures
    # Only the file's name counts, so that no card leads to another folder.
    folder = service.settings.models_dir
    return read_figure({key: folder / Path(file).name for key, file in figures.items()}, figure)


@router.get("/study")
def study(service: ServiceDep) -> dict[str, Any]:
    """Return the study's results as its file has them, and the names of its figures."""
    path = service.settings.models_dir / "comparison.json"
    if not path.is_file():
        raise ProblemError("not-found", "The study was not made yet; make it: bash run.sh compare")
    return {**json.loads(path.read_text()), "figures": sorted(study_figures(service))}


@router.get("/study/{figure}", response_class=PngResponse)
def study_figure(service: ServiceDep, figure: str) -> PngResponse:
    """Return a figure of the study."""
    return read_figure(study_figures(service), figure)


def study_figures(service: Service) -> dict[str, Path]:
    return {path.stem: path for path in (service.settings.models_dir / "figures").glob("*.png")}


def read_figure(paths: dict[str, Path], name: str) -> PngResponse:
    if name not in paths or not paths[name].is_file():
        known = ", ".join(sorted(paths)) or "none yet (make the study: bash run.sh compare)"
        raise ProblemError("not-found", f"There is no figure {name!r}; there are: {known}.")
    return PngResponse(paths[name].read_bytes())
