"""Read the digit in a picture, or in each picture of a batch."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from app.api import problems
from app.api.forms import EXAMPLES, FORM_TYPE, read_body, read_fields
from app.api.problems import ProblemError
from app.api.reading import PredictOptions, answer_batch, answer_image
from app.api.schemas import BatchResponse, PredictionResponse
from app.api.service import service_of
from app.settings import MAX_BATCH_BYTES, MAX_BATCH_FILES, MAX_TOP_K
from model.examples import MAX_EXAMPLES, MAX_EXAMPLES_BYTES

router = APIRouter(prefix="/api/v1", tags=["predict"])

IMAGE_PROBLEMS = (
    "malformed-request", "unauthorized", "unknown-model", "upload-too-slow", "file-too-large",
    "too-many-pixels", "wrong-content-type", "not-a-picture", "damaged-picture", "no-file",
    "empty-file", "blank-picture", "invalid-parameter", "overloaded",
)  # fmt: skip
BATCH_PROBLEMS = (*IMAGE_PROBLEMS, "batch-too-large", "too-many-files")
_FILE = {"type": "string", "format": "binary", "description": "PNG, JPEG, WebP, BMP or GIF"}


def _body(**content: Any) -> dict[str, Any]:  # noqa: ANN401 - OpenAPI
    return {"requestBody": {"required": True, "content": content}}


_EXAMPLES = {
    "type": "string",
    "contentMediaType": "application/json",
    "description": "the person's own digits, which the model learns before it answers: a JSON "
    f"array of 1 to {MAX_EXAMPLES} labels and pictures, at most {MAX_EXAMPLES_BYTES // 1000} kB "
    "in all; a picture is any that can be read, most often the `image` of an answer",
    "example": '[{"label": 7, "image": "data:image/png;base64,..."}]',
}


def _form(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    properties = {name: schema, EXAMPLES: _EXAMPLES}
    return {"schema": {"type": "object", "required": [name], "properties": properties}}


IMAGE_BODY = _body(**{FORM_TYPE: _form("file", _FILE), "image/*": {"schema": _FILE}})
_FILES = {"type": "array", "items": _FILE, "description": "up to 64 pictures, 16 MB in all"}


class ModelQuery(BaseModel):
    """The parameter that all these requests have; others are refused by name."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(None, description="name of a model; the default one if absent")


class PredictQuery(ModelQuery):
    """The parameters of a prediction."""

    top_k: int = Field(3, ge=1, le=MAX_TOP_K, description="how many digits `top_k` lists")


def json_response(content: bytes) -> Response:
    """Return an answer that is JSON already."""
    return Response(content, media_type="application/json")


async def read_file(request: Request) -> tuple[bytes, str]:
    """Return the body of a request and its content type."""
    return await read_body(request), request.headers.get("content-type", "")


def one_file(body: bytes, content_type: str) -> tuple[bytes, bytes | None]:
    """Return the only picture that a request holds, and its examples if there are any.

    Raises:
        ProblemError: as ``read_fields`` says; "invalid-parameter" where there are several.
    """
    files, examples = read_fields(body, content_type, "file")
    if len(files) > 1:
        fault = {
            "in": "body",
            "name": "file",
            "detail": "Send one file; batches have their own path.",
        }
        raise ProblemError("invalid-parameter", errors=[fault])
    return files[0], examples


@router.post(
    "/predict",
    response_model=PredictionResponse,
    responses=problems.responses(*IMAGE_PROBLEMS),
    openapi_extra=IMAGE_BODY,
)
async def predict(request: Request, query: Annotated[PredictQuery, Query()]) -> Response:
    """Read the digit in a picture: light on dark or dark on light, anywhere, of any size.

    A picture of no digit is an answer too: `is_digit` is false and `reason` says why.
    """
    service = service_of(request)
    options = PredictOptions(service.classifier(query.model), query.top_k, time.perf_counter())
    body = await read_file(request)

    def work(heavy: bool) -> bytes:
        picture, examples = one_file(*body)
        return answer_image(service.adapted.learn(options, examples, heavy), picture, heavy)

    return json_response(await service.executor.run(request, work))


@router.post(
    "/predict/batch",
    response_model=BatchResponse,
    responses=problems.responses(*BATCH_PROBLEMS),
    openapi_extra=_body(**{FORM_TYPE: _form("files", _FILES)}),
)
async def predict_batch(request: Request, query: Annotated[PredictQuery, Query()]) -> Response:
    """Read up to 64 pictures; a bad one answers for itself alone."""
    service = service_of(request)
    options = PredictOptions(service.classifier(query.model), query.top_k, time.perf_counter())
    body = await read_file(request)
    path = request.url.path

    def work(heavy: bool) -> bytes:
        files, examples = read_fields(*body, "files")
        if len(files) > MAX_BATCH_FILES:
            raise ProblemError("too-many-files")
        if sum(map(len, files)) > MAX_BATCH_BYTES:  # the limit of the body has room for examples
            raise ProblemError("batch-too-large")
        return answer_batch(service.adapted.learn(options, examples, heavy), files, path)

    return json_response(await service.executor.run(request, work, heavy=True))
