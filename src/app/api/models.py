"""The models in service, their cards and figures, and the study."""

import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from app.api.dependencies import ServiceDep
from app.api.problems import ProblemError
from app.api.schemas import ModelList, ModelSummary
from model.classifier import Classifier

router = APIRouter(prefix="/api/v1")
FIGURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {}}, "description": "the figure"}
}


@router.get("/models", tags=["models"])
async def models(service: ServiceDep) -> ModelList:
    """List the models, those that could not be loaded included."""
    loaded = [
        ModelSummary(
            name=name,
            available=True,
            reason=None,
            version=classifier.version,
            parameters=card_of(classifier).get("parameters"),
            permuted=classifier.permutation is not None,
            test_accuracy=card_of(classifier).get("results", {}).get("test_accuracy"),
        )
        for name, classifier in service.classifiers.items()
    ]
    failed = [
        ModelSummary(name=name, available=False, reason=reason)
        for name, reason in service.failures.items()
    ]
    return ModelList(default=service.settings.model, models=loaded + failed)


@router.get("/models/{name}", tags=["models"])
async def model_card(service: ServiceDep, name: str) -> dict[str, Any]:
    """Return a model's card: its architecture, data, training and results."""
    return card_of(service.classifier(name))


@router.get(
    "/models/{name}/figures/{figure}", tags=["models"], response_class=Response, responses=FIGURE
)
def model_figure(service: ServiceDep, name: str, figure: str) -> Response:
    """Return a figure of a model's card: confusion-matrix, learning-curves, reliability."""
    figures = card_of(service.classifier(name)).get("figures", {})
    # Only the name counts, so that no card leads to another folder.
    paths = {key: service.settings.models_dir / Path(file).name for key, file in figures.items()}
    return _figure(paths, figure)


@router.get("/study", tags=["study"])
def study(service: ServiceDep) -> dict[str, Any]:
    """Return the study's results as its file has them, and the names of its figures."""
    path = service.settings.models_dir / "comparison.json"
    if not path.is_file():
        raise ProblemError("not-found", "The study was not made yet; make it: bash run.sh compare")
    return {**json.loads(path.read_text()), "figures": sorted(_study_figures(service))}


@router.get("/study/{figure}", tags=["study"], response_class=Response, responses=FIGURE)
def study_figure(service: ServiceDep, figure: str) -> Response:
    """Return a figure of the study."""
    return _figure(_study_figures(service), figure)


def card_of(classifier: Classifier) -> dict[str, Any]:
    """The model card, as its file has it."""
    return dict(classifier.card)


def _study_figures(service: ServiceDep) -> dict[str, Path]:
    """The files of the study's figures by name."""
    return {path.stem: path for path in (service.settings.models_dir / "figures").glob("*.png")}


def _figure(paths: dict[str, Path], name: str) -> Response:
    """Answer with the PNG file of a figure."""
    if name not in paths or not paths[name].is_file():
        known = ", ".join(sorted(paths)) or "none yet: make the study with bash run.sh compare"
        raise ProblemError("not-found", f"There is no figure {name!r}; there are: {known}.")
    return Response(paths[name].read_bytes(), media_type="image/png")
