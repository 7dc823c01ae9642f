"""The Open Inference Protocol (v2) over HTTP: KServe's and Triton's clients work unchanged."""

from collections.abc import Callable
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api import problems
from app.api.forms import read_body
from app.api.inference_schemas import (
    METADATA,
    InferenceRequest,
    InferenceResponse,
    ModelMetadata,
    ModelReady,
    ServerHealth,
    ServerMetadata,
)
from app.api.metrics import count_prediction
from app.api.problems import ProblemError
from app.api.routes.operations import refuse_while_draining
from app.api.service import service_of
from app.api.tensors import encode_answer, parse_request
from app.settings import API_VERSION
from model.classifier import NOT_A_DIGIT, Classifier

LIGHT_BODY_BYTES = 64_000  # larger requests are heavy work
JSON_LENGTH = "Inference-Header-Content-Length"
router = APIRouter(prefix="/v2", tags=["open inference protocol"])


_UNKNOWN = problems.responses("unauthorized", "unknown-model")
_INFER_ERRORS = problems.responses(
    "malformed-request", "unauthorized", "unknown-model", "upload-too-slow", "file-too-large",
    "wrong-content-type", "overloaded",
)  # fmt: skip


@router.get("")
async def server_metadata() -> ServerMetadata:
    """Say what this server is and which extensions of the protocol it has."""
    return ServerMetadata(name="digits", version=API_VERSION, extensions=["binary_tensor_data"])


@router.get("/health/live", response_model_exclude_unset=True)
async def live() -> ServerHealth:
    """Say that the process lives."""
    return ServerHealth(live=True)


@router.get(
    "/health/ready", response_model_exclude_unset=True, responses=problems.responses("not-ready")
)
async def server_ready(request: Request) -> ServerHealth:
    """Say that all models can be asked and that requests are welcome."""
    refuse_while_draining(request)
    if failures := service_of(request).failures:
        raise ProblemError("not-ready", f"Not loaded: {', '.join(failures)}.")
    return ServerHealth(ready=True)


async def _any_version(request: Request, name: str) -> Classifier:
    return service_of(request).classifier(name)


async def _one_version(request: Request, name: str, version: str) -> Classifier:
    classifier = await _any_version(request, name)
    if classifier.version != version:
        raise ProblemError(
            "unknown-model", f"There is no version {version!r} of {name}; ask {classifier.version}."
        )
    return classifier


def _add_routes(path: str, get_classifier: Callable[..., object], suffix: str = "") -> None:
    """Add the routes of a model; the protocol has each with and without a version."""
    classifier_dep = Annotated[Classifier, Depends(get_classifier)]

    @router.get(path, responses=_UNKNOWN, operation_id=f"model_metadata{suffix}")
    async def model_metadata(classifier: classifier_dep) -> ModelMetadata:
        """Say what a model takes and gives."""
        return ModelMetadata(name=classifier.name, versions=[classifier.version], **METADATA)

    @router.get(f"{path}/ready", responses=_UNKNOWN, operation_id=f"model_ready{suffix}")
    async def model_ready(classifier: classifier_dep) -> ModelReady:
        """Say that a model can be asked."""
        return ModelReady(name=classifier.name, ready=True)

    @router.post(
        f"{path}/infer",
        operation_id=f"infer{suffix}",
        response_model=InferenceResponse,
        responses=_INFER_ERRORS,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": InferenceRequest.model_json_schema()}},
            }
        },
    )
    async def infer(request: Request, classifier: classifier_dep) -> Response:
        """Read pictures that already are 28 x 28, of MNIST's size and place."""
        return await _infer(request, classifier)


_add_routes("/models/{name}", _any_version)
_add_routes("/models/{name}/versions/{version}", _one_version, "_of_version")


async def _infer(request: Request, classifier: Classifier) -> Response:
    length = request.headers.get(JSON_LENGTH)
    if length is not None and not (length.isascii() and length.isdigit() and len(length) < 10):
        raise ProblemError("malformed-request", f"The header {JSON_LENGTH} must be a number.")
    body = await read_body(request)

    def work(heavy: bool) -> tuple[bytes, int | None]:
        return _answer(classifier, body, None if length is None else int(length))

    content, json_length = await service_of(request).executor.run(
        request, work, heavy=len(body) > LIGHT_BODY_BYTES
    )
    if json_length is None:
        return Response(content, media_type="application/json")
    headers = {JSON_LENGTH: str(json_length)}
    return Response(content, headers=headers, media_type="application/octet-stream")


def _answer(
    classifier: Classifier, body: bytes, json_length: int | None
) -> tuple[bytes, int | None]:
    request, x = parse_request(body, json_length)
    logits, _ = classifier.forward_input(x)
    probabilities = classifier.probabilities(logits)
    is_digit = classifier.rejection_scores(logits) >= classifier.threshold
    best = probabilities.argmax(axis=1)
    for digit, row, accepted in zip(best.tolist(), probabilities, is_digit.tolist(), strict=True):
        reason = None if accepted else NOT_A_DIGIT
        count_prediction(classifier.name, digit, float(row[digit]), reason)
    answer: dict[str, object] = {"model_name": classifier.name, "model_version": classifier.version}
    if request.id is not None:
        answer["id"] = request.id
    tensors = {"probabilities": probabilities.astype(np.float32), "is_digit": is_digit}
    return encode_answer(answer, tensors, request)
