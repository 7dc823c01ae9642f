"""Tensors of the Open Inference Protocol: from a request's bytes to pictures, and back.

https://github.com/kserve/open-inference-protocol and, for tensors as raw bytes after the JSON,
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from app.settings import MAX_INFERENCE_IMAGES
from errors import DigitsError
from model.config import IMAGE_SIZE

INPUT = "image"
OUTPUTS = ("probabilities", "is_digit")
DATATYPES = {"probabilities": "FP32", "is_digit": "BOOL"}
BINARY_SIZE = "binary_data_size"
_SIDES = ("N", 1, IMAGE_SIZE, IMAGE_SIZE)
# The parser lets no other thread run: what has more parts than any legal request is not parsed.
_MAX_VALUES = MAX_INFERENCE_IMAGES * IMAGE_SIZE**2 + 1000
_MAX_LISTS = MAX_INFERENCE_IMAGES * (IMAGE_SIZE + 2) + 1000
_SHAPE = f"[{', '.join(map(str, _SIDES))}]"


class InferenceRequestError(DigitsError):
    """A request of the protocol is not as the model's metadata say."""


@dataclass(frozen=True)
class InferenceRequest:
    """What a client asks.

    Attributes:
        id: echoed in the answer, or None.
        x: (N, 1, 28, 28) float32 in [0, 1], 0 background, 1 ink.
        outputs: the names of the outputs in the order asked for, and whether each is to be binary.
    """

    id: str | None
    x: np.ndarray
    outputs: dict[str, bool]


def parse_request(body: bytes, json_length: int | None) -> InferenceRequest:
    """Read the body of a request to infer.

    Args:
        body: JSON, followed by the tensors that are sent as raw bytes.
        json_length: the length of the JSON; None where the body is nothing else.

    Raises:
        InferenceRequestError: the body is malformed, or its tensor is not of the right kind.
    """
    if json_length is not None and not 0 <= json_length <= len(body):
        raise InferenceRequestError("Inference-Header-Content-Length exceeds the body's length.")
    head, raw = (body, b"") if json_length is None else (body[:json_length], body[json_length:])
    if head.count(b",") > _MAX_VALUES or head.count(b"[") + head.count(b"{") > _MAX_LISTS:
        raise InferenceRequestError(
            f"The request's JSON has more values than {MAX_INFERENCE_IMAGES} pictures."
        )
    try:
        request = orjson.loads(head)
    except orjson.JSONDecodeError as error:
        raise InferenceRequestError(f"The request is no valid JSON: {error}.") from error
    inputs = request.get("inputs") if isinstance(request, dict) else None
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise InferenceRequestError(f"Send exactly one input, named {INPUT!r}, in 'inputs'.")
    identifier = request.get("id")
    if identifier is not None and not isinstance(identifier, str):
        raise InferenceRequestError("The request's 'id' must be a string.")
    return InferenceRequest(identifier, _x(inputs[0], raw), _outputs(request))


def _x(tensor: dict[str, Any], raw: bytes) -> np.ndarray:
    """The input tensor, checked against the metadata."""
    if tensor.get("name") != INPUT:
        raise InferenceRequestError(f"There is no input {tensor.get('name')!r}; send {INPUT!r}.")
    if tensor.get("datatype") != "FP32":
        raise InferenceRequestError(
            f"The input {INPUT!r} has datatype FP32, not {tensor.get('datatype')!r}."
        )
    shape: Any = tensor.get("shape")
    is_shape = isinstance(shape, list) and all(type(side) is int for side in shape)
    if not is_shape or len(shape) != 4 or shape[1:] != [1, IMAGE_SIZE, IMAGE_SIZE]:
        raise InferenceRequestError(f"The input {INPUT!r} has shape {_SHAPE}, not {shape!r}.")
    if not 1 <= shape[0] <= MAX_INFERENCE_IMAGES:
        raise InferenceRequestError(
            f"Send 1 to {MAX_INFERENCE_IMAGES} pictures a request, not {shape[0]}."
        )
    values = _values(tensor, raw)
    if values.size != math.prod(shape):
        raise InferenceRequestError(
            f"The data of {INPUT!r} have {values.size} elements; shape {shape} has "
            f"{math.prod(shape)}."
        )
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
        raise InferenceRequestError(
            "The pixels must lie between 0 (background) and 1 (ink): divide grey levels by 255."
        )
    return values.reshape(shape)


def _values(tensor: dict[str, Any], raw: bytes) -> np.ndarray:
    """The tensor's numbers, from the raw bytes where the parameters say so, else from JSON."""
    parameters = tensor.get("parameters")
    size = parameters.get(BINARY_SIZE) if isinstance(parameters, dict) else None
    if size is None:
        # Before numpy sees them: texts among numbers become an array of the longest text's size.
        if not _only_numbers(tensor.get("data"), len(_SIDES)):
            raise InferenceRequestError(f"The data of {INPUT!r} are not numbers alone.")
        try:
            values = np.asarray(tensor.get("data"))
        except (ValueError, OverflowError) as error:
            raise InferenceRequestError(f"The data of {INPUT!r} are no tensor: {error}.") from error
        if values.dtype.kind not in "fiu":
            raise InferenceRequestError(f"The data of {INPUT!r} are not numbers alone.")
        with np.errstate(over="ignore"):  # what overflows becomes infinite and is refused as such
            return values.astype(np.float32)
    if size != len(raw) or len(raw) % 4:
        raise InferenceRequestError(
            f"{BINARY_SIZE} is {size!r}, but {len(raw)} bytes of FP32 follow the JSON."
        )
    return np.frombuffer(raw, dtype="<f4")


def _only_numbers(data: object, depth: int) -> bool:
    """Whether ``data`` is a list of numbers, or of such lists, ``depth`` deep at most."""
    if isinstance(data, list):
        return depth > 0 and all(_only_numbers(part, depth - 1) for part in data)
    return type(data) in (int, float)


def _outputs(request: dict[str, Any]) -> dict[str, bool]:
    """Which outputs are asked for, and whether as raw bytes."""
    parameters = request.get("parameters")
    all_binary = isinstance(parameters, dict) and parameters.get("binary_data_output") is True
    asked = request.get("outputs") or [{"name": name} for name in OUTPUTS]
    outputs: dict[str, bool] = {}
    for output in asked if isinstance(asked, list) else [asked]:
        name = output.get("name") if isinstance(output, dict) else None
        if name not in OUTPUTS:
            raise InferenceRequestError(
                f"There is no output {name!r}; there are: {', '.join(OUTPUTS)}."
            )
        own = output.get("parameters")
        binary = own.get("binary_data", all_binary) if isinstance(own, dict) else all_binary
        outputs[name] = binary is True
    return outputs


def encode_answer(
    answer: dict[str, Any], tensors: dict[str, np.ndarray], outputs: dict[str, bool]
) -> tuple[bytes, int | None]:
    """Write an answer with the tensors that were asked for.

    Returns:
        The body, and the length of its JSON where raw bytes follow it.
    """
    described: list[dict[str, object]] = []
    raw: list[bytes] = []
    for name, binary in outputs.items():
        values = tensors[name]
        entry: dict[str, object] = {
            "name": name,
            "datatype": DATATYPES[name],
            "shape": list(values.shape),
        }
        if binary:
            raw.append(values.tobytes())
            entry["parameters"] = {BINARY_SIZE: len(raw[-1])}
        else:
            entry["data"] = values.ravel().tolist()
        described.append(entry)
    head = orjson.dumps({**answer, "outputs": described})
    return (head + b"".join(raw), len(head)) if raw else (head, None)
