"""The bodies of the Open Inference Protocol, as OpenAPI documents them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from model.config import IMAGE_SIZE, NUM_CLASSES

INFERENCE_EXAMPLE: dict[str, Any] = {
    "inputs": [
        {
            "name": "image",
            "datatype": "FP32",
            "shape": [1, 1, IMAGE_SIZE, IMAGE_SIZE],
            "data": [0.0] * 392 + [1.0] * 20 + [0.0] * 372,
        }
    ]
}


_IMAGE = {
    "name": "image",
    "datatype": "FP32",
    "shape": [-1, 1, IMAGE_SIZE, IMAGE_SIZE],
    "parameters": {
        "range": "0 (background) to 1 (ink)",
        "preprocessing": "MNIST's size and place; mean and standard deviation, and the pixel "
        "permutation of a permuted model, are applied inside",
    },
}
_PROBABILITIES = {
    "name": "probabilities",
    "datatype": "FP32",
    "shape": [-1, NUM_CLASSES],
    "parameters": {"meaning": "calibrated probabilities of the digits 0 to 9"},
}
_IS_DIGIT = {
    "name": "is_digit",
    "datatype": "BOOL",
    "shape": [-1],
    "parameters": {"meaning": "false where the picture is not taken for a digit"},
}
METADATA: dict[str, Any] = {  # the same of every model
    "platform": "onnxruntime_onnx",
    "inputs": [_IMAGE],
    "outputs": [_PROBABILITIES, _IS_DIGIT],
}


class ServerMetadata(BaseModel):
    """What this server is."""

    name: str = Field(examples=["digits"])
    version: str = Field(examples=["1.1.0"])
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

    name: str = Field(examples=["image"])
    datatype: str = Field(examples=["FP32"])
    shape: list[int] = Field(examples=[[-1, 1, IMAGE_SIZE, IMAGE_SIZE]])
    parameters: dict[str, Any] = Field(description="what the numbers mean")


class ModelMetadata(BaseModel):
    """What a model takes and gives."""

    name: str = Field(examples=["cnn"])
    versions: list[str] = Field(examples=[["0.0.1"]])
    platform: str = Field(examples=["onnxruntime_onnx"])
    inputs: list[TensorMetadata] = Field(examples=[[_IMAGE]])
    outputs: list[TensorMetadata] = Field(examples=[[_PROBABILITIES]])


class Tensor(BaseModel):
    """A tensor with its numbers, flat or nested."""

    name: str
    datatype: str
    shape: list[int]
    data: list[Any] | None = None
    parameters: dict[str, Any] | None = None


class InferenceRequest(BaseModel):
    """A request to infer."""

    model_config = ConfigDict(json_schema_extra={"example": INFERENCE_EXAMPLE})

    id: str | None = None
    inputs: list[Tensor] = Field(min_length=1, max_length=1)
    outputs: list[dict[str, Any]] | None = None
    parameters: dict[str, Any] | None = None


class InferenceResponse(BaseModel):
    """The answer: probabilities (N, 10) and is_digit (N)."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "model_name": "cnn",
                "model_version": "0.0.1",
                "outputs": [
                    {
                        "name": "probabilities",
                        "datatype": "FP32",
                        "shape": [1, 10],
                        "data": [0, 0, 0, 0, 0, 0, 0, 0.998, 0, 0.002],
                    },
                    {"name": "is_digit", "datatype": "BOOL", "shape": [1], "data": [True]},
                ],
            }
        }
    )

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[Tensor]
