"""The Open Inference Protocol (v2) over HTTP: KServe's and Triton's clients work unchanged."""

from collections.abc import Callable
from typing import Annotated, Any

import torch
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.dependencies import ServiceDep
from app.api.inference_schemas import (
    InferenceAnswer,
    InferenceError,
    InferenceQuery,
    ModelMetadata,
    ModelReady,
    ServerHealth,
    ServerMetadata,
    TensorMetadata,
)
from app.api.metrics import count_prediction
from app.api.problems import ProblemError
from app.api.service import Service
from app.api.tensors import (
    DATATYPES,
    INPUT,
    InferenceRequest,
    InferenceRequestError,
    encode_answer,
    parse_request,
)
from model.classifier import NOT_A_DIGIT, Classifier
from model.config import IMAGE_SIZE, NUM_CLASSES, VERSION

QUICK_BODY_BYTES = 64_000  # larger requests take the lane of the batches
JSON_LENGTH = "Inference-Header-Content-Length"
router = APIRouter(prefix="/v2", tags=["open inference protocol"])


def _errors(**causes: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of the protocol's errors: description by status, ``s404="..."``."""
    return {
        int(status[1:]): {
            "model": InferenceError,
            "description": description,
            "content": {"application/json": {"example": {"error": description}}},
        }
        for status, description in causes.items()
    }


_UNKNOWN = _errors(s404="There is no such model or version.")
_INFER_ERRORS = _errors(
    s400="The input 'image' has shape [N, 1, 28, 28], not [1, 784].",
    s404="There is no such model or version.",
    s408="The request did not arrive in time.",
    s413="The request is too large.",
    s503="The service has more work than it can take.",
)


@router.get("")
async def server_metadata() -> ServerMetadata:
    """Say what this server is and which extensions of the protocol it has."""
    return ServerMetadata(name="digits", version=VERSION, extensions=["binary_tensor_data"])


@router.get("/health/live", response_model_exclude_unset=True)
async def live() -> ServerHealth:
    """Say that the process lives."""
    return ServerHealth(live=True)


@router.get(
    "/health/ready",
    response_model_exclude_unset=True,
    responses=_errors(s503="The service is shutting down: ask another instance."),
)
async def ready(service: ServiceDep) -> ServerHealth:
    """Say that requests are welcome."""
    if service.draining:
        raise ProblemError("not-ready", "The service is shutting down: ask another instance.")
    return ServerHealth(ready=True)


async def _any_version(service: ServiceDep, name: str) -> Classifier:
    return service.reader(name)


async def _one_version(service: ServiceDep, name: str, version: str) -> Classifier:
    reader = service.reader(name)
    if reader.version != version:
        raise ProblemError(
            "unknown-model", f"There is no version {version!r} of {name}; ask {reader.version}."
        )
    return reader


def _add_routes(path: str, get_reader: Callable[..., object]) -> None:
    """Add the routes of a model; the protocol has each with and without a version."""
    reader_dep = Annotated[Classifier, Depends(get_reader)]

    @router.get(path, responses=_UNKNOWN)
    async def model_metadata(reader: reader_dep) -> ModelMetadata:
        """Say what a model takes and gives."""
        return _metadata(reader)

    @router.get(f"{path}/ready", responses=_UNKNOWN)
    async def model_ready(reader: reader_dep) -> ModelReady:
        """Say that a model can be asked."""
        return ModelReady(name=reader.name, ready=True)

    @router.post(
        f"{path}/infer",
        response_model=InferenceAnswer,
        responses=_INFER_ERRORS,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": InferenceQuery.model_json_schema()}},
            }
        },
    )
    async def infer(request: Request, service: ServiceDep, reader: reader_dep) -> Response:
        """Read pictures that already are 28 x 28, of MNIST's size and place."""
        return await _infer(request, service, reader)


_add_routes("/models/{name}", _any_version)
_add_routes("/models/{name}/versions/{version}", _one_version)


def _metadata(reader: Classifier) -> ModelMetadata:
    return ModelMetadata(
        name=reader.name,
        versions=[reader.version],
        platform="pytorch",
        inputs=[
            TensorMetadata(
                name=INPUT,
                datatype="FP32",
                shape=[-1, 1, IMAGE_SIZE, IMAGE_SIZE],
                parameters={
                    "range": "0 (background) to 1 (ink)",
                    "preprocessing": "MNIST's size and place; mean and standard deviation, and "
                    "the pixel permutation of a permuted model, are applied inside",
                },
            )
        ],
        outputs=[
            TensorMetadata(
                name="probabilities",
                datatype=DATATYPES["probabilities"],
                shape=[-1, NUM_CLASSES],
                parameters={"meaning": "calibrated probabilities of the digits 0 to 9"},
            ),
            TensorMetadata(
                name="is_digit",
                datatype=DATATYPES["is_digit"],
                shape=[-1],
                parameters={"meaning": "false where the picture is not taken for a digit"},
            ),
        ],
    )


async def _infer(request: Request, service: Service, reader: Classifier) -> Response:
    if request.headers.get("content-encoding", "identity") != "identity":
        raise ProblemError("malformed-request", "Compressed requests are not accepted.")
    length = request.headers.get(JSON_LENGTH)
    if length is not None and not (length.isascii() and length.isdigit() and len(length) < 10):
        raise ProblemError("malformed-request", f"The header {JSON_LENGTH} must be a number.")
    body = await request.body()
    lane = service.quick if len(body) <= QUICK_BODY_BYTES else service.heavy
    try:
        content, json_length = await lane.run(
            _answer, reader, body, None if length is None else int(length)
        )
    except InferenceRequestError as error:
        raise ProblemError("malformed-request", str(error)) from error
    if json_length is None:
        return Response(content, media_type="application/json")
    headers = {JSON_LENGTH: str(json_length)}
    return Response(content, headers=headers, media_type="application/octet-stream")


def _answer(reader: Classifier, body: bytes, json_length: int | None) -> tuple[bytes, int | None]:
    asked: InferenceRequest = parse_request(body, json_length)
    # Copied, since torch wants memory that may be written to.
    probabilities = reader.probabilities(torch.tensor(asked.pictures))
    is_digit = reader.is_digit(probabilities)
    best = probabilities.max(dim=1)
    for digit, confidence, accepted in zip(
        best.indices.tolist(), best.values.tolist(), is_digit.tolist(), strict=True
    ):
        count_prediction(reader.name, digit, confidence, None if accepted else NOT_A_DIGIT)
    answer = {"model_name": reader.name, "model_version": reader.version}
    if asked.id is not None:
        answer["id"] = asked.id
    tensors = {"probabilities": probabilities.numpy(), "is_digit": is_digit.numpy()}
    return encode_answer(answer, tensors, asked.outputs)
