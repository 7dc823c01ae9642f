"""Where the model looked: an attribution over the image, and what its convolutions made of it."""

from enum import StrEnum

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field

from app.api import problems
from app.api.reading import Json, PredictOptions, data_url, describe, read_image
from app.api.routes.predict import (
    IMAGE_PROBLEMS,
    ModelQuery,
    answer_images,
    describe_request,
    read_query,
)
from app.api.schemas import ExplanationResponse
from app.api.service import service_of
from model.classifier import Classifier
from model.explanation import colour, feature_maps, occlusion, tile

router = APIRouter(prefix="/api/v1", tags=["explain"])


class Method(StrEnum):
    """How the attribution is computed."""

    OCCLUSION = "occlusion"


class ExplainQuery(ModelQuery):
    """The parameters of an explanation."""

    method: Method = Method.OCCLUSION
    target: int | None = Field(
        None, ge=0, le=9, description="the digit to explain; the prediction if absent"
    )


@router.post(
    "/explain",
    response_model=ExplanationResponse,
    responses=problems.responses(*IMAGE_PROBLEMS),
    openapi_extra=describe_request(ExplainQuery),
)
async def explain(request: Request) -> Response:
    """Say which pixels spoke for a digit and which against it."""
    query = read_query(request, ExplainQuery)
    base = service_of(request).classifier(query.model)

    def answer(options: PredictOptions, files: list[bytes], heavy: bool) -> Json:
        return _explain(options, base, files[0], query)

    return await answer_images(request, query, answer, heavy=True)


def _explain(options: PredictOptions, base: Classifier, data: bytes, query: ExplainQuery) -> Json:
    """The answer; ``base`` is the model itself: examples leave its convolutions alone."""
    classifier = options.classifier
    reading = read_image(classifier, data, heavy=True)
    digit = reading.prediction.digit if query.target is None else query.target
    values = occlusion(classifier, reading.image, digit)
    return {
        **describe(options, reading),
        "attribution": {
            "method": query.method.value,
            "target": digit,
            "values": _rounded(values, 5),
            "picture": data_url(colour(values)),
        },
        "feature_maps": [
            {
                "layer": name,
                "shape": list(maps.shape),
                "values": _rounded(maps, 3),
                "picture": data_url(tile(maps)),
            }
            for name, maps in feature_maps(base, reading.image)
        ],
        "milliseconds": options.milliseconds,  # with what came after the reading
    }


def _rounded(values: np.ndarray, decimals: int) -> list[object]:
    """Nested lists of numbers that are short as decimals, which a float32 is not."""
    return values.astype(np.float64).round(decimals).tolist()
