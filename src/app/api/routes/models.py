"""The models in service, their cards and the pictures of the cards."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as PathParameter
from fastapi.responses import FileResponse

from app.api import problems
from app.api.dependencies import ServiceDep
from app.api.problems import ProblemError
from app.api.schemas import ModelCard, ModelList, ModelSummary
from model.classifier import Classifier

router = APIRouter(prefix="/api/v1/models", tags=["models"])
CARD = {
    "name": "cnn",
    "version": "0.0.1",
    "architecture": {"network": "cnn", "settings": {}},
    "parameters": 83562,
    "results": {"test_accuracy": 0.995},
    "figures": {"confusion-matrix": "mnist-0.0.1-confusion-matrix.png"},
}
Name = Annotated[str, PathParameter(examples=["cnn"])]


@router.get("")
async def models(service: ServiceDep) -> ModelList:
    """List the models, those that could not be loaded included."""
    return ModelList(
        default=service.settings.model,
        models=[
            *(_summary(reader) for reader in service.readers.values()),
            *(
                ModelSummary(name=name, available=False, reason=reason)
                for name, reason in service.failures.items()
            ),
        ],
    )


def _summary(reader: Classifier) -> ModelSummary:
    return ModelSummary(
        name=reader.name,
        available=True,
        reason=None,
        version=reader.version,
        parameters=reader.card.get("parameters"),
        permuted=reader.permutation is not None,
        test_accuracy=reader.card.get("results", {}).get("test_accuracy"),
    )


@router.get(
    "/{name}",
    responses={
        200: {"content": {"application/json": {"example": CARD}}},
        **problems.responses("unknown-model"),
    },
)
async def model_card(service: ServiceDep, name: Name) -> ModelCard:
    """Return a model's card: its architecture, data, training and results."""
    return service.reader(name).card


@router.get(
    "/{name}/figures/{figure}",
    response_class=FileResponse,
    responses={
        200: {"content": {"image/png": {}}, "description": "the figure"},
        **problems.responses("unknown-model", "unknown-figure"),
    },
)
async def model_figure(service: ServiceDep, name: Name, figure: str) -> FileResponse:
    """Return a picture of a model's card: confusion-matrix, learning-curves, reliability."""
    figures: dict[str, str] = service.reader(name).card.get("figures", {})
    # The card names files beside it; only the name counts, so that no card leads elsewhere.
    path = service.settings.models_dir / Path(figures.get(figure, "")).name
    if figure not in figures or not path.is_file():
        known = ", ".join(figures) or "none"
        raise ProblemError("unknown-figure", f"{name} has no figure {figure!r}; it has: {known}.")
    return FileResponse(path, media_type="image/png")
