"""Read the number in a picture: a line of several digits, or a single one."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api import metrics, problems
from app.api.reading import Json, PredictOptions, data_url, prepare
from app.api.routes.predict import (
    IMAGE_PROBLEMS,
    ModelQuery,
    answer_images,
    describe_request,
    read_query,
)
from app.api.schemas import NumberResponse
from model.numbers.read import NO_DIGITS, Digit, NumberLine, read_numbers

router = APIRouter(prefix="/api/v1", tags=["predict"])
_NOTHING = NumberLine([], 0.0, NO_DIGITS, (0, 0, 0, 0))


@router.post(
    "/predict/number",
    response_model=NumberResponse,
    responses=problems.responses(*IMAGE_PROBLEMS),
    openapi_extra=describe_request(ModelQuery),
)
async def predict_number(request: Request) -> Response:
    """Read the digits of a line, apart or touching, upright within about 15 degrees.

    A single digit is a number too. A picture of no number is an answer: `is_number` is false and
    `reason` says why.
    """
    return await answer_images(request, read_query(request, ModelQuery), _answer)


def _answer(options: PredictOptions, files: list[bytes], heavy: bool) -> Json:
    """Answer one picture, and count what was read; raises as ``prepare``."""
    classifier = options.classifier
    preprocessed, scale = prepare(files[0], heavy)
    lines = read_numbers(classifier, preprocessed)
    first = lines[0] if lines else _NOTHING
    metrics.NUMBERS.labels(classifier.name, first.reason or "").inc()
    return {
        **_describe_line(first, scale),
        "lines": [_describe_line(line, scale) for line in lines],
        **options.signature(),
    }


def _describe_line(line: NumberLine, scale: float) -> Json:
    """``scale`` is how many pixels of the file one of the picture that was read stands for."""
    return {
        "number": line.number,
        "confidence": line.confidence,
        "digits": [_describe_digit(digit, scale) for digit in line.digits],
        "is_number": line.reason is None,
        "reason": line.reason,
    }


def _describe_digit(digit: Digit, scale: float) -> Json:
    x, y, width, height = digit.box
    left, top, right, bottom = (round(edge * scale) for edge in (x, y, x + width, y + height))
    return {
        "prediction": digit.digit,
        "confidence": digit.confidence,
        "is_digit": digit.is_digit,
        "box": [left, top, right - left, bottom - top],
        "image": data_url(digit.image),
    }
