"""From an upload to an answer: what the routes that read pictures share."""

import base64
import time
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from fastapi import Depends, Query, Request, UploadFile

from app.api.metrics import count_prediction
from app.api.problems import ProblemError, megabytes, picture_problem
from app.api.schemas import DigitProbability, PredictionAnswer
from app.api.service import Service
from app.settings import LARGE_PICTURE_PIXELS, MAX_FILE_BYTES, MAX_TOP_K, MEGABYTE
from errors import PictureError
from model.picture import decode_picture, picture_header
from model.preprocess import encode_png, normalise
from model.reader import Prediction, Reader


async def get_service(request: Request) -> Service:
    """Return what the lifespan loaded."""
    return request.app.state.service


ServiceDep = Annotated[Service, Depends(get_service)]
ModelName = Annotated[
    str | None, Query(alias="model", description="name of a model; the default one if absent")
]
TopK = Annotated[int, Query(ge=1, le=MAX_TOP_K, description="how many digits `top_k` lists")]


class LargePictureError(Exception):
    """A picture that must wait for its turn in the heavy lane."""


@dataclass(frozen=True)
class Answering:
    """How a request wants its pictures read."""

    reader: Reader
    top_k: int


async def read_upload(file: UploadFile) -> bytes:
    """Return the bytes of an uploaded file.

    Raises:
        ProblemError: "empty-file" or "file-too-large".
    """
    if not file.size:
        raise ProblemError("empty-file")
    if file.size > MAX_FILE_BYTES:
        raise ProblemError(
            "file-too-large",
            f"The file has {megabytes(file.size)}; send at most {MAX_FILE_BYTES // MEGABYTE} MB.",
        )
    return await file.read()


def image_of(data: bytes, pixel_limit: int | None = LARGE_PICTURE_PIXELS) -> np.ndarray:
    """Return the (28, 28) uint8 that a model reads, from the bytes of a picture file.

    Raises:
        ProblemError: the picture cannot be read.
        LargePictureError: it has more than ``pixel_limit`` pixels; nothing was decoded.
    """
    try:
        header = picture_header(data)
        if pixel_limit is not None and header.width * header.height > pixel_limit:
            raise LargePictureError
        return normalise(decode_picture(header))
    except PictureError as error:
        raise picture_problem(error) from error


def milliseconds_since(started: float) -> float:
    """Return the milliseconds since ``time.perf_counter()`` was ``started``."""
    return round((time.perf_counter() - started) * 1000, 2)


def data_url(image: np.ndarray) -> str:
    """Return a (28, 28) uint8 picture as the data URL of a PNG."""
    return "data:image/png;base64," + base64.b64encode(encode_png(image)).decode()


def read_images(reader: Reader, images: np.ndarray) -> list[Prediction]:
    """Read (N, 28, 28) pictures and count what was read."""
    predictions = reader.read(images)
    for read in predictions:
        count_prediction(reader.name, read.digit, read.confidence, read.reason)
    return predictions


def prediction_answer(
    answering: Answering, image: np.ndarray, read: Prediction, started: float
) -> PredictionAnswer:
    """Put into words of the API what ``read`` says of ``image``; work began at ``started``."""
    reader = answering.reader
    best = sorted(range(len(read.probabilities)), key=lambda digit: -read.probabilities[digit])
    permuted = (
        {} if reader.permutation is None else {"permuted_image": data_url(reader.seen(image))}
    )
    return PredictionAnswer(
        prediction=read.digit,
        confidence=read.confidence,
        probabilities=read.probabilities,
        top_k=[
            DigitProbability(digit=digit, probability=read.probabilities[digit])
            for digit in best[: answering.top_k]
        ],
        is_digit=read.is_digit,
        reason=read.reason,
        model=reader.name,
        version=reader.version,
        image=data_url(image),
        milliseconds=milliseconds_since(started),
        **permuted,
    )
