"""The models in service, their cards and the pictures of the cards."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Path as PathParameter
from fastapi.responses import JSONResponse, Response

from app.api import problems
from app.api.conformance import file_response, revalidated
from app.api.problems import ProblemError
from app.api.schemas import ModelCard, ModelList, ModelSummary
from app.api.service import service_of
from model.classifier import Classifier

router = APIRouter(prefix="/api/v1/models", tags=["models"])
CARD = {
    "name": "cnn",
    "version": "0.0.1",
    "network": "cnn",
    "parameters": 83562,
    "results": {"test_accuracy": 0.995},
    "figures": {"confusion-matrix": "mnist-0.0.1-confusion-matrix.png"},
}
Name = Annotated[str, PathParameter(examples=["cnn"])]


@router.get("")
async def models(request: Request) -> ModelList:
    """List the models, those that could not be loaded included."""
    service = service_of(request)
    loaded = [_summary(classifier) for classifier in service.classifiers.values()]
    failed = [
        ModelSummary(name=name, available=False, reason=reason)
        for name, reason in service.failures.items()
    ]
    return ModelList(default=service.settings.model, models=loaded + failed)


def _summary(classifier: Classifier) -> ModelSummary:
    return ModelSummary(
        name=classifier.name,
        available=True,
        reason=None,
        version=classifier.version,
        parameters=classifier.card.parameters,
        permuted=classifier.permutation is not None,
        test_accuracy=classifier.card.results.test_accuracy,
    )


@router.get(
    "/{name}",
    response_model=ModelCard,
    responses={
        200: {"content": {"application/json": {"example": CARD}}},
        **problems.responses("unknown-model"),
    },
)
async def model_card(request: Request, name: Name) -> Response:
    """Return a model's card: its architecture, data, training and results."""
    return revalidated(
        request, JSONResponse(service_of(request).classifier(name).card.model_dump())
    )


@router.get(
    "/{name}/figures/{figure}",
    response_class=Response,
    responses={
        200: {"content": {"image/png": {}}, "description": "the figure"},
        **problems.responses("unknown-model", "unknown-figure"),
    },
)
async def model_figure(request: Request, name: Name, figure: str) -> Response:
    """Return a picture of a model's card: confusion-matrix, learning-curves, reliability."""
    service = service_of(request)
    figures = service.classifier(name).card.figures
    # The card names files beside it; only the name counts, so that no card leads elsewhere.
    path = service.settings.models_dir / Path(figures.get(figure, "")).name
    if figure not in figures or not path.is_file():
        names = ", ".join(figures) or "none"
        raise ProblemError("unknown-figure", f"{name} has no figure {figure!r}; it has: {names}.")
    return file_response(request, path)
