"""The Open Inference Protocol (v2) over HTTP: KServe's and Triton's clients work unchanged.

https://github.com/kserve/open-inference-protocol and, for tensors as raw bytes after the JSON,
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

import asyncio
import math
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import orjson
from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.api.dependencies import ServiceDep, get_service, read_body
from app.api.problems import ProblemError
from app.settings import API_VERSION
from model.classifier import Classifier
from model.config import IMAGE_SIZE, NUM_CLASSES

MAX_IMAGES = 256  # in one request
# The JSON parser lets no other thread run: what has more values than that is not parsed.
MAX_VALUES = MAX_IMAGES * IMAGE_SIZE**2 + 1000
LIGHT_BODY_BYTES = 64_000  # larger requests are heavy work
JSON_LENGTH = "Inference-Header-Content-Length"
BINARY_SIZE = "binary_data_size"
Json = dict[str, Any]
malformed = partial(ProblemError, "malformed-request")

IMAGE: Json = {
    "name": "image",
    "datatype": "FP32",
    "shape": [-1, 1, IMAGE_SIZE, IMAGE_SIZE],
    "parameters": {
        "range": "0 (background) to 1 (ink)",
        "preprocessing": "MNIST's size and place; mean, deviation and permutation are inside",
    },
}
OUTPUTS: dict[str, Json] = {
    "probabilities": {"name": "probabilities", "datatype": "FP32", "shape": [-1, NUM_CLASSES]},
    "is_digit": {"name": "is_digit", "datatype": "BOOL", "shape": [-1]},
}
# FastAPI cannot describe a body that may have raw bytes after its JSON.
EXAMPLE = {**IMAGE, "shape": [1, 1, IMAGE_SIZE, IMAGE_SIZE], "data": [0.0] * IMAGE_SIZE**2}
SCHEMA = {"type": "object", "example": {"inputs": [EXAMPLE]}}
INFER_DOCS = {"requestBody": {"content": {"application/json": {"schema": SCHEMA}}}}


class InputTensor(BaseModel):
    """The images: numbers, flat or nested, or raw bytes after the JSON."""

    model_config = ConfigDict(strict=True)

    name: Literal["image"]
    datatype: Literal["FP32"]
    shape: tuple[Annotated[int, Field(ge=1, le=MAX_IMAGES)], Literal[1], Literal[28], Literal[28]]
    data: Any = None
    parameters: Json = {}


class OutputRequest(BaseModel):
    name: Literal["probabilities", "is_digit"]
    parameters: Json = {}


class InferenceRequest(BaseModel):
    id: str | None = None
    inputs: Annotated[list[InputTensor], Field(min_length=1, max_length=1)]
    outputs: Annotated[list[OutputRequest], Field(max_length=len(OUTPUTS))] | None = None
    parameters: Json = {}


router = APIRouter(
    prefix="/v2", tags=["open inference protocol"], dependencies=[Depends(get_service)]
)
of_model = APIRouter()


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


@of_model.get("")
async def model_metadata(service: ServiceDep, name: str) -> Json:
    """Say what a model takes and gives."""
    return {
        "name": name,
        "versions": [service.classifier(name).version],
        "platform": "onnxruntime_onnx",
        "inputs": [IMAGE],
        "outputs": list(OUTPUTS.values()),
    }


@of_model.get("/ready")
async def model_ready(service: ServiceDep, name: str) -> Json:
    """Say that a model can be asked."""
    return {"name": service.classifier(name).name, "ready": True}


@of_model.post("/infer", openapi_extra=INFER_DOCS)
async def infer(
    request: Request,
    service: ServiceDep,
    name: str,
    json_length: Annotated[int | None, Header(alias=JSON_LENGTH, ge=0)] = None,
) -> Response:
    """Read images that already are 28 x 28, of MNIST's size and place."""
    model = service.classifier(name)
    async with asyncio.timeout(service.settings.upload_seconds):
        body = await read_body(request)

    def work(heavy: bool) -> Response:
        asked, x = parse(body, len(body) if json_length is None else json_length)
        return encode(asked, model, x)

    return await service.run(work, heavy=len(body) > LIGHT_BODY_BYTES)


async def check_version(service: ServiceDep, name: str, version: str) -> None:
    """Accept the version that the model has in service, and no other."""
    served = service.classifier(name).version
    if version != served:
        raise ProblemError("unknown-model", f"{name} has no version {version!r}; ask {served}.")


router.include_router(of_model, prefix="/models/{name}")
router.include_router(
    of_model,
    prefix="/models/{name}/versions/{version}",
    dependencies=[Depends(check_version)],
    generate_unique_id_function=lambda route: f"{route.name}_of_version",
)


def parse(body: bytes, json_length: int) -> tuple[InferenceRequest, np.ndarray]:
    """Read a body: JSON of that length, and then the tensor if it is sent as raw bytes.

    Returns:
        What is asked, and x (N, 1, 28, 28) float32 in [0, 1], 0 background, 1 ink.
    """
    header, raw = body[:json_length], body[json_length:]
    if max(map(header.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise malformed(f"The request's JSON has more values than {MAX_IMAGES} images.")
    try:
        asked = InferenceRequest.model_validate_json(header)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors()]
        raise malformed("; ".join(faults)) from error
    return asked, pixels(asked.inputs[0], raw)


def pixels(tensor: InputTensor, raw: bytes) -> np.ndarray:
    """The input tensor's numbers, checked against its shape."""
    if (size := tensor.parameters.get(BINARY_SIZE)) is not None:
        if size != len(raw) or size % 4:
            raise malformed(f"{BINARY_SIZE} is {size!r}, but {len(raw)} bytes follow the JSON.")
        values = np.frombuffer(raw, dtype="<f4")
    else:
        try:
            values = np.asarray(tensor.data, dtype=float)
        except (TypeError, ValueError, OverflowError) as error:
            raise malformed("The data are not numbers, or lists differ in length.") from error
    if values.size != math.prod(tensor.shape):
        raise malformed(f"The data have {values.size} elements, not those of {tensor.shape}.")
    if not (values.min() >= 0 and values.max() <= 1):  # NaN is neither
        raise malformed("Pixels lie between 0 (background) and 1 (ink): divide grey levels by 255.")
    return values.astype(np.float32).reshape(tensor.shape)


def encode(asked: InferenceRequest, model: Classifier, x: np.ndarray) -> Response:
    """Run the network, and answer with the tensors that were asked for, in that order."""
    logits, _ = model.forward_input(x)
    tensors = {
        "probabilities": model.probabilities(logits).astype(np.float32),
        "is_digit": model.rejection_scores(logits) >= model.threshold,
    }
    all_binary = asked.parameters.get("binary_data_output")
    wanted: dict[str, Json] = {o.name: o.parameters for o in asked.outputs or []}
    outputs = []
    raw = b""
    for name in wanted or tensors:
        values = tensors[name]
        output = {**OUTPUTS[name], "shape": list(values.shape)}
        if wanted.get(name, {}).get("binary_data", all_binary) is True:
            raw += values.tobytes()
            output["parameters"] = {BINARY_SIZE: values.nbytes}
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
    return Response(header + raw, headers=headers, media_type="application/octet-stream")
