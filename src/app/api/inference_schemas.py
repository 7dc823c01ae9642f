"""The bodies of the Open Inference Protocol: requests are checked by them, OpenAPI shows them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.settings import API_VERSION
from model.config import IMAGE_SIZE, NUM_CLASSES

INPUT = "image"
OUTPUTS = {"probabilities": "FP32", "is_digit": "BOOL"}  # their datatypes


def _tensor(name: str, datatype: str, shape: list[int], **parameters: str) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "parameters": parameters}


_IMAGE = _tensor(
    INPUT,
    "FP32",
    [-1, 1, IMAGE_SIZE, IMAGE_SIZE],
    range="0 (background) to 1 (ink)",
    preprocessing="MNIST's size and place; mean and standard deviation, and the pixel "
    "permutation of a permuted model, are applied inside",
)
_MEANING = "calibrated probabilities of the digits 0 to 9"
_PROBABILITIES = _tensor("probabilities", "FP32", [-1, NUM_CLASSES], meaning=_MEANING)
_IS_DIGIT = _tensor(
    "is_digit", "BOOL", [-1], meaning="false where the picture is not taken for a digit"
)
METADATA: dict[str, Any] = {  # the same of every model
    "platform": "onnxruntime_onnx",
    "inputs": [_IMAGE],
    "outputs": [_PROBABILITIES, _IS_DIGIT],
}
_PIXELS = {**_IMAGE, "shape": [1, 1, IMAGE_SIZE, IMAGE_SIZE], "data": [0.0] * IMAGE_SIZE**2}
_READ = {"name": "is_digit", "datatype": "BOOL", "shape": [1], "data": [True]}
Parameters = dict[str, Any]


class ServerMetadata(BaseModel):
    """What this server is."""

    name: str = Field(examples=["digits"])
    version: str = Field(examples=[API_VERSION])
    extensions: list[str] = Field(examples=[["binary_tensor_data"]])


class ServerHealth(BaseModel):
    """Whether the server lives, or is ready."""

    live: bool | None = Field(None, examples=[True])
    ready: bool | None = Field(None, examples=[True])


class ModelReady(BaseModel):
    """Whether a model can be asked."""

    name: str = Field(examples=["cnn"])
    ready: bool = Field(examples=[True])


class TensorMetadata(BaseModel):
    """Name, type and shape of a tensor; -1 stands for the number of pictures."""

    name: str
    datatype: str
    shape: list[int]
    parameters: Parameters = Field(description="what the numbers mean")


class ModelMetadata(BaseModel):
    """What a model takes and gives."""

    name: str = Field(examples=["cnn"])
    versions: list[str] = Field(examples=[["0.0.1"]])
    platform: str = Field(examples=["onnxruntime_onnx"])
    inputs: list[TensorMetadata] = Field(examples=[[_IMAGE]])
    outputs: list[TensorMetadata] = Field(examples=[[_PROBABILITIES]])


class InputTensor(BaseModel):
    """The pictures: numbers, flat or nested, or raw bytes after the JSON."""

    model_config = ConfigDict(strict=True)

    name: Literal["image"]
    datatype: Literal["FP32"]
    shape: Annotated[list[int], Field(min_length=4, max_length=4)]
    data: Any = None
    parameters: Parameters = {}


class OutputRequest(BaseModel):
    """An output that is asked for."""

    name: Literal["probabilities", "is_digit"]
    parameters: Parameters = {}


class InferenceRequest(BaseModel):
    """A request to infer."""

    model_config = ConfigDict(json_schema_extra={"example": {"inputs": [_PIXELS]}})

    id: str | None = None
    inputs: Annotated[list[InputTensor], Field(min_length=1, max_length=1)]
    outputs: list[OutputRequest] | None = None
    parameters: Parameters = {}


class OutputTensor(BaseModel):
    """A tensor of an answer; without `data` where its bytes follow the JSON."""

    name: str
    datatype: str
    shape: list[int]
    data: list[Any] | None = None
    parameters: Parameters | None = None


class InferenceResponse(BaseModel):
    """The answer: probabilities (N, 10) and is_digit (N)."""

    model_name: str = Field(examples=["cnn"])
    model_version: str = Field(examples=["0.0.1"])
    id: str | None = Field(None, examples=["7"])
    outputs: list[OutputTensor] = Field(examples=[[_READ]])
