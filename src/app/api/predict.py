"""Read the digit in a picture, or in each picture of a batch."""

import time
from typing import Annotated

from fastapi import APIRouter, File, UploadFile

from app import problems
from app.api.reading import (
    Answering,
    LargePictureError,
    ModelName,
    ServiceDep,
    TopK,
    image_of,
    prediction_answer,
    read_upload,
)
from app.api.schemas import PredictionAnswer
from app.metrics import count_predictions
from app.settings import LARGE_PICTURE_PIXELS

router = APIRouter(prefix="/api/v1", tags=["predict"])

PICTURE_PROBLEMS = (
    "malformed-request", "unknown-model", "upload-too-slow", "file-too-large", "too-many-pixels",
    "wrong-content-type", "not-a-picture", "damaged-picture", "no-file", "empty-file",
    "blank-picture", "invalid-parameter", "overloaded",
)  # fmt: skip
Picture = Annotated[UploadFile, File(description="PNG, JPEG, WebP, BMP or GIF, at most 5 MB")]


@router.post(
    "/predict",
    response_model_exclude_unset=True,
    responses=problems.responses(*PICTURE_PROBLEMS),
)
async def predict(
    service: ServiceDep, file: Picture, model: ModelName = None, top_k: TopK = 3
) -> PredictionAnswer:
    """Read the digit in a picture: light on dark or dark on light, anywhere, of any size."""
    answering = Answering(service.reader(model), top_k)
    data = await read_upload(file)
    started = time.perf_counter()
    try:
        return await service.quick.run(_answer, answering, data, started, LARGE_PICTURE_PIXELS)
    except LargePictureError:
        return await service.heavy.run(_answer, answering, data, started, None)


def _answer(
    answering: Answering, data: bytes, started: float, pixel_limit: int | None
) -> PredictionAnswer:
    image = image_of(data, pixel_limit)
    read = answering.reader.read(image[None])[0]
    count_predictions(answering.reader.name, [read])
    return prediction_answer(answering, image, read, (time.perf_counter() - started) * 1000)
