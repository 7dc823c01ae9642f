"""Where the model looked: an attribution over the picture, and what its convolutions made of it."""

import time
from enum import StrEnum
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query

from app.api import problems
from app.api.dependencies import ModelName, ServiceDep, read_upload
from app.api.reading import (
    Answering,
    data_url,
    image_of,
    milliseconds_since,
    prediction_answer,
    read_images,
)
from app.api.routes.predict import PICTURE_PROBLEMS, Picture
from app.api.schemas import Attribution, ExplanationAnswer, FeatureMaps

router = APIRouter(prefix="/api/v1", tags=["explain"])


class Method(StrEnum):
    """How the attribution is computed."""

    INTEGRATED_GRADIENTS = "integrated_gradients"
    OCCLUSION = "occlusion"


Target = Annotated[
    int | None, Query(ge=0, le=9, description="the digit to explain; the prediction if absent")
]


@router.post(
    "/explain",
    response_model_exclude_unset=True,
    responses=problems.responses(*PICTURE_PROBLEMS),
)
async def explain(
    service: ServiceDep,
    file: Picture,
    model: ModelName = None,
    method: Method = Method.INTEGRATED_GRADIENTS,
    target: Target = None,
) -> ExplanationAnswer:
    """Say which pixels spoke for a digit and which against it."""
    answering = Answering(service.reader(model), top_k=3)
    data = await read_upload(file)
    return await service.heavy.run(_explain, answering, data, method, target)


def _explain(
    answering: Answering, data: bytes, method: Method, target: int | None
) -> ExplanationAnswer:
    # Imported on first use: Captum costs a second that a start should not pay.
    from app.api.explanation import attribute, colour, feature_maps, sheet

    started = time.perf_counter()
    reader = answering.reader
    image = image_of(data)
    read = read_images(reader, image[None])[0]
    digit = read.digit if target is None else target
    values = attribute(reader, image, digit, method.value)
    return ExplanationAnswer(
        **prediction_answer(answering, image, read, started).model_dump(exclude_unset=True),
        attribution=Attribution(
            method=method.value,
            target=digit,
            values=_rounded(values, 5),
            picture=data_url(colour(values)),
        ),
        feature_maps=[
            FeatureMaps(
                layer=name,
                shape=list(maps.shape),
                values=_rounded(maps, 3),
                picture=data_url(sheet(maps)),
            )
            for name, maps in feature_maps(reader, image)
        ],
    ).model_copy(update={"milliseconds": milliseconds_since(started)})


def _rounded(values: np.ndarray, decimals: int) -> Any:  # noqa: ANN401
    """Nested lists of numbers that are short as decimals, which a float32 is not."""
    return values.astype(np.float64).round(decimals).tolist()
