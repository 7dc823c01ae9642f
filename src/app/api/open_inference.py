"""The Open Inference Protocol (v2) over HTTP: KServe's and Triton's clients work unchanged.

https://github.com/kserve/open-inference-protocol and, for tensors as raw bytes after the JSON,
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

import asyncio
import math
import re
from typing import Annotated, Any, Literal

import numpy as np
import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.api.dependencies import ServiceDep, get_service
from app.api.problems import ProblemError
from app.settings import API_VERSION
from model.classifier import Classifier
from model.config import IMAGE_SIZE, NUM_CLASSES

MAX_IMAGES = 256  # in one request
# The JSON parser lets no other thread run: what has more values than a legal request is not parsed.
MAX_VALUES = MAX_IMAGES * IMAGE_SIZE**2 + 1000
LIGHT_BODY_BYTES = 64_000  # larger requests are heavy work
JSON_LENGTH = "Inference-Header-Content-Length"
BINARY_SIZE = "binary_data_size"
Json = dict[str, Any]

IMAGE: Json = {
    "name": "image",
    "datatype": "FP32",
    "shape": [-1, 1, IMAGE_SIZE, IMAGE_SIZE],
    "parameters": {
        "range": "0 (background) to 1 (ink)",
        "preprocessing": "MNIST's size and place; mean, deviation and permutation are inside",
    },
}
OUTPUTS: list[Json] = [
    {"name": "probabilities", "datatype": "FP32", "shape": [-1, NUM_CLASSES]},
    {"name": "is_digit", "datatype": "BOOL", "shape": [-1]},
]
DATATYPES = {output["name"]: output["datatype"] for output in OUTPUTS}
router = APIRouter(
    prefix="/v2", tags=["open inference protocol"], dependencies=[Depends(get_service)]
)


class InputTensor(BaseModel):
    """The pictures: numbers, flat or nested, or raw bytes after the JSON."""

    model_config = ConfigDict(strict=True)

    name: Literal["image"]
    datatype: Literal["FP32"]
    shape: Annotated[list[int], Field(min_length=4, max_length=4)]
    data: Any = None
    parameters: Json = {}


class OutputRequest(BaseModel):
    """An output that is asked for."""

    name: Literal["probabilities", "is_digit"]
    parameters: Json = {}


class InferenceRequest(BaseModel):
    """A request to infer."""

    id: str | None = None
    inputs: Annotated[list[InputTensor], Field(min_length=1, max_length=1)]
    outputs: list[OutputRequest] | None = None
    parameters: Json = {}


# FastAPI cannot describe a body that may have raw bytes after its JSON.
_EXAMPLE = {**IMAGE, "shape": [1, 1, IMAGE_SIZE, IMAGE_SIZE], "data": [0.0] * IMAGE_SIZE**2}
_TENSORS = {"type": "array", "items": {"type": "object"}, "example": [_EXAMPLE]}
_SCHEMA = {"type": "object", "required": ["inputs"], "properties": {"inputs": _TENSORS}}
INFER_DOCS = {"requestBody": {"content": {"application/json": {"schema": _SCHEMA}}}}


async def find_model(service: ServiceDep, name: str, version: str | None = None) -> Classifier:
    """The model of that name, which has one version at a time."""
    classifier = service.classifier(name)
    if version not in (None, classifier.version):
        raise ProblemError(
            "unknown-model", f"There is no version {version!r} of {name}; ask {classifier.version}."
        )
    return classifier


Model = Annotated[Classifier, Depends(find_model)]


@router.get("")
async def server_metadata() -> Json:
    """Say what this server is and which extensions of the protocol it has."""
    return {"name": "digits", "version": API_VERSION, "extensions": ["binary_tensor_data"]}


@router.get("/health/live")
async def server_live() -> Json:
    """Say that the process lives."""
    return {"live": True}


@router.get("/health/ready")
async def server_ready(service: ServiceDep) -> Json:
    """Say that all models can be asked and that no thread hangs."""
    if service.failures or service.hung:
        missing = ", ".join(service.failures) or "none"
        raise ProblemError("not-ready", f"Not loaded: {missing}. A thread hangs: {service.hung}.")
    return {"ready": True}


@router.get("/models/{name}/versions/{version}", name="model_metadata_of_version")
@router.get("/models/{name}")
async def model_metadata(model: Model) -> Json:
    """Say what a model takes and gives."""
    return {
        "name": model.name,
        "versions": [model.version],
        "platform": "onnxruntime_onnx",
        "inputs": [IMAGE],
        "outputs": OUTPUTS,
    }


@router.get("/models/{name}/versions/{version}/ready", name="model_ready_of_version")
@router.get("/models/{name}/ready")
async def model_ready(model: Model) -> Json:
    """Say that a model can be asked."""
    return {"name": model.name, "ready": True}


@router.post(
    "/models/{name}/versions/{version}/infer", name="infer_of_version", openapi_extra=INFER_DOCS
)
@router.post("/models/{name}/infer", openapi_extra=INFER_DOCS)
async def infer(request: Request, service: ServiceDep, model: Model) -> Response:
    """Read pictures that already are 28 x 28, of MNIST's size and place."""
    length = request.headers.get(JSON_LENGTH)
    try:
        async with asyncio.timeout(service.settings.upload_seconds):
            body = await request.body()
    except TimeoutError:
        raise ProblemError("upload-too-slow") from None

    def work(heavy: bool) -> Response:
        asked, x = parse(body, length)
        return encode(asked, model, x)

    lane = service.heavy if len(body) > LIGHT_BODY_BYTES else service.light
    return await lane.run(work)


def parse(body: bytes, length: str | None) -> tuple[InferenceRequest, np.ndarray]:
    """Read a body: JSON of that length, if it is not all of it, and then tensors as raw bytes.

    Returns:
        What is asked, and x (N, 1, 28, 28) float32 in [0, 1], 0 background, 1 ink.
    """
    header, raw = body, b""
    if length is not None:
        if not re.fullmatch("[0-9]{1,9}", length) or int(length) > len(body):
            raise malformed(f"{JSON_LENGTH} must be the number of the body's bytes that are JSON.")
        header, raw = body[: int(length)], body[int(length) :]
    if max(map(header.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise malformed(f"The request's JSON has more values than {MAX_IMAGES} pictures.")
    try:
        asked = InferenceRequest.model_validate(orjson.loads(header))
    except orjson.JSONDecodeError as error:
        raise malformed(f"The request is no valid JSON: {error}.") from error
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        places = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults]
        raise malformed("; ".join(places)) from error
    return asked, pixels(asked.inputs[0], raw)


def pixels(tensor: InputTensor, raw: bytes) -> np.ndarray:
    """The input tensor's numbers, checked against the metadata."""
    count, *sides = tensor.shape
    if sides != [1, IMAGE_SIZE, IMAGE_SIZE] or not 1 <= count <= MAX_IMAGES:
        raise malformed(
            f"The shape is [N, 1, {IMAGE_SIZE}, {IMAGE_SIZE}] with N from 1 to {MAX_IMAGES}, "
            f"not {tensor.shape}."
        )
    if (size := tensor.parameters.get(BINARY_SIZE)) is not None:
        if size != len(raw) or size % 4:
            raise malformed(f"{BINARY_SIZE} is {size!r}, but {len(raw)} bytes follow the JSON.")
        values = np.frombuffer(raw, dtype="<f4")
    elif only_numbers(tensor.data, len(tensor.shape)):
        try:
            with np.errstate(over="ignore"):  # what overflows becomes infinite: refused below
                values = np.asarray(tensor.data, np.float32)
        except (ValueError, OverflowError) as error:
            raise malformed(f"The data are no tensor: {error}.") from error
    else:
        raise malformed("The data are not numbers alone.")
    if values.size != math.prod(tensor.shape):
        raise malformed(f"The data have {values.size} elements, not those of {tensor.shape}.")
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
        raise malformed(
            "The pixels must lie between 0 (background) and 1 (ink): divide grey levels by 255."
        )
    return values.reshape(tensor.shape)


def only_numbers(data: object, depth: int) -> bool:
    """Whether ``data`` is a list of numbers, or of such lists, ``depth`` deep at most."""
    if isinstance(data, list):
        return depth > 0 and all(only_numbers(part, depth - 1) for part in data)
    return type(data) in (int, float)


def malformed(detail: str) -> ProblemError:
    return ProblemError("malformed-request", detail)


def encode(asked: InferenceRequest, model: Classifier, x: np.ndarray) -> Response:
    """Run the network, and answer with the tensors that were asked for, in that order."""
    logits, _ = model.forward_input(x)
    is_digit = model.rejection_scores(logits) >= model.threshold
    probabilities = model.probabilities(logits).astype(np.float32)
    tensors = {"probabilities": probabilities, "is_digit": is_digit}
    all_binary = asked.parameters.get("binary_data_output") is True
    wanted: dict[str, Json] = {output.name: output.parameters for output in asked.outputs or []}
    outputs: list[Json] = []
    raw: list[bytes] = []
    for name, parameters in (wanted or {name: {} for name in tensors}).items():
        values = tensors[name]
        output: Json = {"name": name, "datatype": DATATYPES[name], "shape": list(values.shape)}
        if parameters.get("binary_data", all_binary) is True:
            raw.append(values.tobytes())
            output["parameters"] = {BINARY_SIZE: len(raw[-1])}
        else:
            output["data"] = values.ravel().tolist()
        outputs.append(output)
    answer: Json = {"model_name": model.name, "model_version": model.version, "outputs": outputs}
    if asked.id is not None:
        answer["id"] = asked.id
    header = orjson.dumps(answer)
    if not raw:
        return Response(header, media_type="application/json")
    headers = {JSON_LENGTH: str(len(header))}
    return Response(header + b"".join(raw), headers=headers, media_type="application/octet-stream")
