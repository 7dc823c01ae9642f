"""Read the digit in a picture, or in each picture of a batch."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import orjson
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.api import problems
from app.api.forms import EXAMPLES, FORM_TYPE, read_body, read_fields
from app.api.reading import Json, PredictOptions, describe, describe_batch, read_image
from app.api.schemas import BatchResponse, PredictionResponse
from app.api.service import service_of
from app.settings import MAX_TOP_K
from model.examples import MAX_EXAMPLES, MAX_EXAMPLES_BYTES

router = APIRouter(prefix="/api/v1", tags=["predict"])

IMAGE_PROBLEMS = (
    "malformed-request", "unauthorized", "unknown-model", "upload-too-slow", "file-too-large",
    "too-many-pixels", "wrong-content-type", "not-a-picture", "damaged-picture", "no-file",
    "empty-file", "blank-picture", "invalid-parameter", "overloaded",
)  # fmt: skip
BATCH_PROBLEMS = (*IMAGE_PROBLEMS, "batch-too-large", "too-many-files")
_FILE = {"type": "string", "format": "binary", "description": f"one of {problems.FORMATS}"}

_EXAMPLES = {
    "type": "string",
    "contentMediaType": "application/json",
    "description": "the person's own digits, which the model learns before it answers: a JSON "
    f"array of 1 to {MAX_EXAMPLES} labels and pictures, at most {MAX_EXAMPLES_BYTES // 1000} kB "
    "in all; a picture is any that can be read, most often the `image` of an answer",
    "example": '[{"label": 7, "image": "data:image/png;base64,..."}]',
}

_FILES = {"type": "array", "items": _FILE, "description": "up to 64 pictures, 16 MB in all"}
Answer = Callable[[PredictOptions, list[bytes], bool], Json]


class ModelQuery(BaseModel):
    """The parameter that all these requests have; others are refused by name."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(None, description="name of a model; the default one if absent")


class PredictQuery(ModelQuery):
    """The parameters of a prediction."""

    top_k: int = Field(3, ge=1, le=MAX_TOP_K, description="how many digits `top_k` lists")


Query = TypeVar("Query", bound=ModelQuery)


def describe_request(query: type[ModelQuery], field: str = "file") -> dict[str, Any]:
    """Return what OpenAPI says of a request: its parameters, and a form with pictures."""
    form = {field: _FILE if field == "file" else _FILES, EXAMPLES: _EXAMPLES}
    schema = {"type": "object", "required": [field], "properties": form}
    content: dict[str, Any] = {FORM_TYPE: {"schema": schema}}
    if field == "file":
        content["image/*"] = {"schema": _FILE}
    parameters = [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in query.model_json_schema()["properties"].items()
    ]
    return {"parameters": parameters, "requestBody": {"required": True, "content": content}}


def read_query(request: Request, kind: type[Query]) -> Query:
    """Return the parameters in the address; FastAPI takes four times as long for it.

    Raises:
        RequestValidationError: one is unknown or not allowed.
    """
    try:
        return kind.model_validate(dict(request.query_params))
    except ValidationError as error:
        faults = [{**fault, "loc": ("query", *fault["loc"])} for fault in error.errors()]
        raise RequestValidationError(faults) from error


async def answer_images(
    request: Request,
    query: ModelQuery,
    answer: Answer,
    *,
    top_k: int = 3,
    field: str = "file",
    heavy: bool = False,
) -> Response:
    """Answer a request with pictures; all that touches them is done in a thread.

    Args:
        request: whose body has the pictures, and perhaps examples.
        query: its parameters.
        answer: makes the answer of options, pictures, and whether this is the heavy queue.
        top_k: how many digits the answer lists.
        field: the name of the pictures' form field.
        heavy: whether the work is heavy whatever the pictures are.

    Raises:
        ProblemError: as ``read_body``, ``read_fields``, ``learn`` and ``answer`` say.
    """
    service = service_of(request)
    classifier = service.classifier(query.model)
    body = await read_body(request)
    options = PredictOptions(classifier, top_k, time.perf_counter())
    content_type = request.headers.get("content-type", "")

    def work(heavy: bool) -> bytes:
        files, examples = read_fields(body, content_type, field)
        adapted = service.adapted.learn(options, examples, heavy)
        return orjson.dumps(answer(adapted, files, heavy))

    content = await service.executor.run(request, work, heavy=heavy)
    return Response(content, media_type="application/json")


@router.post(
    "/predict",
    response_model=PredictionResponse,
    responses=problems.responses(*IMAGE_PROBLEMS),
    openapi_extra=describe_request(PredictQuery),
)
async def predict(request: Request) -> Response:
    """Read the digit in a picture: light on dark or dark on light, anywhere, of any size.

    A picture of no digit is an answer too: `is_digit` is false and `reason` says why.
    """

    def answer(options: PredictOptions, files: list[bytes], heavy: bool) -> Json:
        return describe(options, read_image(options.classifier, files[0], heavy))

    query = read_query(request, PredictQuery)
    return await answer_images(request, query, answer, top_k=query.top_k)


@router.post(
    "/predict/batch",
    response_model=BatchResponse,
    responses=problems.responses(*BATCH_PROBLEMS),
    openapi_extra=describe_request(PredictQuery, "files"),
)
async def predict_batch(request: Request) -> Response:
    """Read up to 64 pictures; a bad one answers for itself alone."""

    def answer(options: PredictOptions, files: list[bytes], heavy: bool) -> Json:
        root_path = request.scope.get("root_path", "")
        return describe_batch(options, files, request.url.path, root_path)

    query = read_query(request, PredictQuery)
    return await answer_images(request, query, answer, top_k=query.top_k, field="files", heavy=True)
