"""Tensors of the Open Inference Protocol: from a request's bytes to pictures, and back.

https://github.com/kserve/open-inference-protocol and, for tensors as raw bytes after the JSON,
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

import math

import numpy as np
import orjson
from pydantic import ValidationError

from app.api.inference_schemas import INPUT, OUTPUTS, InferenceRequest, InputTensor
from app.api.problems import ProblemError
from app.settings import MAX_INFERENCE_IMAGES
from model.config import IMAGE_SIZE

BINARY_SIZE = "binary_data_size"
# The parser lets no other thread run: what has more parts than any legal request is not parsed.
_MAX_VALUES = MAX_INFERENCE_IMAGES * IMAGE_SIZE**2 + 1000
_MAX_LISTS = MAX_INFERENCE_IMAGES * (IMAGE_SIZE + 2) + 1000


def parse_request(body: bytes, json_length: int | None) -> tuple[InferenceRequest, np.ndarray]:
    """Read the body of a request to infer.

    Args:
        body: JSON, followed by the tensors that are sent as raw bytes.
        json_length: the length of the JSON; None where the body is nothing else.

    Returns:
        What is asked, and x (N, 1, 28, 28) float32 in [0, 1], 0 background, 1 ink.

    Raises:
        ProblemError: "malformed-request": the body or its tensor is not as the metadata say.
    """
    if json_length is not None and not 0 <= json_length <= len(body):
        raise _malformed("Inference-Header-Content-Length exceeds the body's length.")
    header, raw = (body, b"") if json_length is None else (body[:json_length], body[json_length:])
    if header.count(b",") > _MAX_VALUES or header.count(b"[") + header.count(b"{") > _MAX_LISTS:
        raise _malformed(
            f"The request's JSON has more values than {MAX_INFERENCE_IMAGES} pictures."
        )
    try:
        request = InferenceRequest.model_validate(orjson.loads(header))
    except orjson.JSONDecodeError as error:
        raise _malformed(f"The request is no valid JSON: {error}.") from error
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise _malformed(
            "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        ) from error
    return request, _pixels(request.inputs[0], raw)


def _pixels(tensor: InputTensor, raw: bytes) -> np.ndarray:
    """The input tensor's numbers, checked against the metadata."""
    count, *sides = tensor.shape
    if sides != [1, IMAGE_SIZE, IMAGE_SIZE] or not 1 <= count <= MAX_INFERENCE_IMAGES:
        raise _malformed(
            f"The input {INPUT!r} has shape [N, 1, {IMAGE_SIZE}, {IMAGE_SIZE}] with N from 1 to "
            f"{MAX_INFERENCE_IMAGES}, not {tensor.shape}."
        )
    values = _values(tensor, raw)
    if values.size != math.prod(tensor.shape):
        raise _malformed(
            f"The data of {INPUT!r} have {values.size} elements; shape {tensor.shape} has "
            f"{math.prod(tensor.shape)}."
        )
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
        raise _malformed(
            "The pixels must lie between 0 (background) and 1 (ink): divide grey levels by 255."
        )
    return values.reshape(tensor.shape)


def _values(tensor: InputTensor, raw: bytes) -> np.ndarray:
    """The numbers as float32, from raw bytes where the parameters say so, else from JSON."""
    size = tensor.parameters.get(BINARY_SIZE)
    if size is not None:
        if size != len(raw) or len(raw) % 4:
            raise _malformed(
                f"{BINARY_SIZE} is {size!r}, but {len(raw)} bytes of FP32 follow the JSON."
            )
        return np.frombuffer(raw, dtype="<f4")
    # Before numpy sees them: texts among numbers become an array of the longest text's size.
    if not _only_numbers(tensor.data, len(tensor.shape)):
        raise _malformed(f"The data of {INPUT!r} are not numbers alone.")
    try:
        with np.errstate(over="ignore"):  # what overflows becomes infinite and is refused as such
            return np.asarray(tensor.data).astype(np.float32)
    except (ValueError, OverflowError) as error:
        raise _malformed(f"The data of {INPUT!r} are no tensor: {error}.") from error


def _only_numbers(data: object, depth: int) -> bool:
    """Whether ``data`` is a list of numbers, or of such lists, ``depth`` deep at most."""
    if isinstance(data, list):
        return depth > 0 and all(_only_numbers(part, depth - 1) for part in data)
    return type(data) in (int, float)


def _malformed(detail: str) -> ProblemError:
    return ProblemError("malformed-request", detail)


def encode_answer(
    answer: dict[str, object], tensors: dict[str, np.ndarray], request: InferenceRequest
) -> tuple[bytes, int | None]:
    """Write an answer with the tensors that were asked for, in that order.

    Returns:
        The body, and the length of its JSON where raw bytes follow it.
    """
    all_binary = request.parameters.get("binary_data_output") is True
    asked: dict[str, dict[str, object]] = {o.name: o.parameters for o in request.outputs or []}
    asked = asked or {name: {} for name in OUTPUTS}
    described: list[dict[str, object]] = []
    raw: list[bytes] = []
    for name, parameters in asked.items():
        values = tensors[name]
        entry: dict[str, object] = {"datatype": OUTPUTS[name], "shape": list(values.shape)}
        if parameters.get("binary_data", all_binary) is True:
            raw.append(values.tobytes())
            entry["parameters"] = {BINARY_SIZE: len(raw[-1])}
        else:
            entry["data"] = values.ravel().tolist()
        described.append({"name": name, **entry})
    header = orjson.dumps({**answer, "outputs": described})
    return (header + b"".join(raw), len(header)) if raw else (header, None)
