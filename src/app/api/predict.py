"""Read the digit or the number in a picture, and explain how."""

import base64
import time
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from app.api import problems
from app.api.dependencies import Picture, Pictures, ServiceDep, Upload, describe_form
from app.api.problems import ProblemError
from app.api.schemas import (
    ActivationsResponse,
    BatchResponse,
    ExplanationResponse,
    NumberResponse,
    PredictionResponse,
)
from app.api.service import Service, TooHeavyError
from app.api.telemetry import CONFIDENCE, NUMBERS, PREDICTIONS, REJECTIONS
from app.settings import LARGE_IMAGE_PIXELS, MAX_FILE_BYTES, MAX_WORK_SECONDS
from errors import ImageError
from model.classifier import Classifier
from model.explanation import layer_activations, occlusion
from model.numbers.read import NumberLine, read_numbers
from model.preprocessing.decode import decode_image, read_header
from model.preprocessing.normalize import Preprocessed, encode_png, normalize
from model.reading import Reading, read_images

Json = dict[str, Any]
router = APIRouter(prefix="/api/v1", tags=["predict"])


class ModelQuery(BaseModel):
    """The parameter that all these requests have; others are errors, by name."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(None, description="name of a model; the default one if absent")


class PredictQuery(ModelQuery):
    top_k: int = Field(3, ge=1, le=10, description="how many digits `top_k` lists")


class ExplainQuery(ModelQuery):
    target: int | None = Field(
        None, ge=0, le=9, description="the digit to explain; the prediction if absent"
    )


async def respond(
    service: Service,
    query: ModelQuery,
    upload: Upload,
    work: Callable[[Classifier, bool], Json],
    heavy: bool = False,
) -> Response:
    """Answer with what ``work`` makes of the model, knowing whether it is in the heavy lane."""

    def job(in_heavy_lane: bool) -> bytes:
        classifier = service.classifier(query.model, upload.examples)
        return orjson.dumps(work(classifier, in_heavy_lane), default=data_url)

    body = await service.run(job, heavy or upload.examples is not None)
    # FastAPI's check of the answer against the model would cost 0.2 of 1.4 ms.
    return Response(body, media_type="application/json")


@router.post("/predict", response_model=PredictionResponse, openapi_extra=describe_form("file"))
async def predict(
    service: ServiceDep, query: Annotated[PredictQuery, Query()], upload: Picture
) -> Response:
    """Read the digit in an image: light on dark or dark on light, anywhere, of any size.

    An image of no digit is an answer too: `is_digit` is false and `reason` says why.
    """

    def work(classifier: Classifier, heavy: bool) -> Json:
        reading = read(service, classifier, upload.pictures[0], heavy)
        return describe(classifier, reading, upload, query.top_k)

    return await respond(service, query, upload, work)


@router.post("/predict/batch", response_model=BatchResponse, openapi_extra=describe_form("files"))
async def predict_batch(
    request: Request,
    service: ServiceDep,
    query: Annotated[PredictQuery, Query()],
    upload: Pictures,
) -> Response:
    """Read up to 64 images; a bad one fails only its own entry."""

    def work(classifier: Classifier, heavy: bool) -> Json:
        started = time.perf_counter()
        results: list[Json] = []
        for data in upload.pictures:
            # It must be told so before the lane gives it up as overloaded.
            if time.perf_counter() - started > 0.6 * MAX_WORK_SECONDS:
                told = "The images take too long to read: send fewer in a batch, or smaller ones."
                raise ProblemError("payload-too-large", told)
            try:
                reading = read(service, classifier, data, heavy)
                results.append(describe(classifier, reading, upload, query.top_k))
            except (ProblemError, ImageError) as error:
                problem = problems.as_problem(error)
                results.append(problems.describe(problem, request.url.path))
        return {"results": results, "milliseconds": upload.milliseconds}

    return await respond(service, query, upload, work, heavy=True)


@router.post("/predict/number", response_model=NumberResponse, openapi_extra=describe_form("file"))
async def predict_number(
    service: ServiceDep, query: Annotated[ModelQuery, Query()], upload: Picture
) -> Response:
    """Read up to eight lines of digits, apart or touching, turned by at most about 15 degrees.

    A single digit is a number too. An image of no number is an answer: `is_number` is false and
    `reason` says why.
    """

    def work(classifier: Classifier, heavy: bool) -> Json:
        if service.line is None:
            told = f"This service reads no numbers: {service.line_failure}"
            raise ProblemError("numbers-unavailable", told)
        preprocessed, scale = prepare(upload.pictures[0], heavy)
        lines = read_numbers(classifier, service.line, preprocessed)
        NUMBERS.labels(classifier.name, lines[0].reason or "").inc()
        described = [describe_line(line, scale) for line in lines]
        return {**described[0], "lines": described, **upload.describe(classifier)}

    return await respond(service, query, upload, work)


@router.post("/explain", response_model=ExplanationResponse, openapi_extra=describe_form("file"))
async def explain(
    service: ServiceDep, query: Annotated[ExplainQuery, Query()], upload: Picture
) -> Response:
    """Say which pixels spoke for a digit and which against it, by hiding each (occlusion)."""

    def work(classifier: Classifier, heavy: bool) -> Json:
        reading = read(service, classifier, upload.pictures[0], heavy)
        digit = reading.prediction.digit if query.target is None else query.target
        values = occlusion(classifier, reading.image, digit).astype(float).round(5).tolist()
        attribution = {"target": digit, "values": values}
        return {"attribution": attribution, **describe(classifier, reading, upload)}

    return await respond(service, query, upload, work, heavy=True)


@router.post(
    "/activations", response_model=ActivationsResponse, openapi_extra=describe_form("file")
)
async def activations(
    service: ServiceDep, query: Annotated[ModelQuery, Query()], upload: Picture
) -> Response:
    """Show the network at work: in each layer the eight channels that respond most to an image.

    The answer has at most 30 kB, so that a page can follow a pen. An MLP has neurons in place of
    maps: the weights of the first layer are shown, for each pixel of the image.
    """

    def work(classifier: Classifier, heavy: bool) -> Json:
        reading = read(service, classifier, upload.pictures[0], heavy)
        layers = layer_activations(classifier, reading.image)
        return {"layers": layers, **describe(classifier, reading, upload)}

    return await respond(service, query, upload, work)


def prepare(data: bytes, heavy: bool) -> tuple[Preprocessed, float]:
    """Decode and preprocess a file; raise ``TooHeavyError`` if that is for the heavy lane.

    Returns:
        The image, and how many pixels of the file one of its pixels stands for, 1 or more.
    """
    if not data:
        raise ProblemError("empty-file")
    if len(data) > MAX_FILE_BYTES:
        raise ProblemError("file-too-large")
    header = read_header(data)
    longest = max(header.size)
    if not heavy and header.width * header.height > LARGE_IMAGE_PIXELS:
        raise TooHeavyError
    preprocessed = normalize(decode_image(header))
    return preprocessed, longest / max(preprocessed.source.size)


def read(service: Service, classifier: Classifier, data: bytes, heavy: bool) -> Reading:
    """Read the digit in the bytes of a file, and count it."""
    [reading] = read_images(classifier, [prepare(data, heavy)[0]], service.line)
    prediction = reading.prediction
    CONFIDENCE.labels(classifier.name).observe(prediction.confidence)
    if prediction.reason is None:
        PREDICTIONS.labels(classifier.name, prediction.digit).inc()
    else:
        REJECTIONS.labels(classifier.name, prediction.reason).inc()
    return reading


def describe(classifier: Classifier, reading: Reading, upload: Upload, top_k: int = 3) -> Json:
    """What ``PredictionResponse`` documents."""
    prediction = reading.prediction
    likeliest = sorted(enumerate(prediction.probabilities), key=lambda entry: -entry[1])[:top_k]
    answer = {
        "prediction": prediction.digit,
        "confidence": prediction.confidence,
        "probabilities": prediction.probabilities,
        "top_k": [{"digit": digit, "probability": share} for digit, share in likeliest],
        "is_digit": prediction.is_digit,
        "reason": prediction.reason,
        "image": reading.image,
    }
    if classifier.permutation is not None:
        answer["permuted_image"] = classifier.model_input(reading.image)
    return {**answer, **upload.describe(classifier)}


def describe_line(line: NumberLine, scale: float) -> Json:
    """What ``TextLine`` documents; ``scale`` is as ``prepare`` returns it."""
    digits = []
    for digit in line.digits:
        x, y, width, height = digit.box
        left, top, right, bottom = (round(e * scale) for e in (x, y, x + width, y + height))
        digits.append(
            {
                "prediction": digit.digit,
                "confidence": digit.confidence,
                "is_digit": digit.is_digit,
                "box": [left, top, right - left, bottom - top],
                "image": digit.image,
            }
        )
    return {
        "number": line.number,
        "confidence": line.confidence,
        "digits": digits,
        "is_number": line.reason is None,
        "reason": line.reason,
    }


def data_url(image: np.ndarray) -> str:
    """A grey image (H, W), uint8, as the data URL of a PNG."""
    return "data:image/png;base64," + base64.b64encode(encode_png(image)).decode()
