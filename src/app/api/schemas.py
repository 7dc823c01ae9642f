"""The bodies of the API's answers, as OpenAPI documents them."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from app.api.problems import ProblemDetails
from model.classifier import REASONS
from model.numbers.read import REASONS as NUMBER_REASONS


def _explained(reasons: dict[str, str]) -> str:
    return "; ".join(f"`{reason}`: {meaning}" for reason, meaning in reasons.items())


Digit = Annotated[int, Field(ge=0, le=9, examples=[7])]
Probability = Annotated[float, Field(ge=0, le=1, examples=[0.998])]
DataUrl = Annotated[str, Field(pattern="^data:image/png;base64,", examples=["data:image/png;..."])]
ModelName = Annotated[str, Field(examples=["cnn"])]
Version = Annotated[str, Field(examples=["0.0.1"])]
ModelCard = dict[str, Any]


class Answer(BaseModel):
    """What all answers to a picture have."""

    model: ModelName
    version: Version
    examples: int | None = Field(
        None,
        description="of a request with `examples` alone: how many the model has learnt",
        examples=[12],
    )
    milliseconds: float = Field(
        ge=0, description="from the received picture to this answer", examples=[1.9]
    )


class DigitProbability(BaseModel):
    """A digit and how likely it is."""

    digit: Digit
    probability: Probability


class PredictionResponse(Answer):
    """What the model read."""

    prediction: Digit = Field(description="the likeliest digit, even where it is none")
    confidence: Probability = Field(description="the calibrated probability of `prediction`")
    probabilities: list[Probability] = Field(
        min_length=10, max_length=10, examples=[[0, 0, 0, 0, 0, 0, 0, 0.998, 0, 0.002]]
    )
    top_k: list[DigitProbability] = Field(
        description="the likeliest digits, best first",
        examples=[[{"digit": 7, "probability": 0.998}, {"digit": 9, "probability": 0.002}]],
    )
    is_digit: bool = Field(
        description="false where the picture is not taken for a digit", examples=[True]
    )
    reason: str | None = Field(
        description=f"null, or why it is no digit. {_explained(REASONS)}", examples=[None]
    )
    image: DataUrl = Field(description="the 28x28 picture, a PNG, that the model read")
    permuted_image: DataUrl | None = Field(
        None,
        description="of a permuted model alone: the same with its pixels permuted",
        examples=["data:image/png;..."],
    )


class BatchResponse(BaseModel):
    """One answer a file, in the order of the files."""

    results: list[PredictionResponse | ProblemDetails] = Field(
        description="for each file what `/api/v1/predict` would have answered for it alone",
        examples=[[{"prediction": 7, "confidence": 0.998}, {"code": "blank-picture"}]],
    )
    milliseconds: float = Field(ge=0, examples=[3.4])


class DigitOfNumber(BaseModel):
    """A digit of a number, or what was found in a digit's place."""

    prediction: Digit = Field(description="the likeliest digit, even where it is none")
    confidence: Probability = Field(description="of this digit by itself")
    is_digit: bool = Field(
        description="false where it is not taken for a digit; the line is no number then",
        examples=[True],
    )
    box: list[int] = Field(
        description="x, y, width, height in pixels of the upright picture",
        min_length=4,
        max_length=4,
        examples=[[20, 30, 22, 40]],
    )
    image: DataUrl = Field(description="the 28x28 picture, a PNG, that the model read")


class LineOfWriting(BaseModel):
    """A line of writing, and the number that it is."""

    number: str | None = Field(
        description="as text: leading zeros count; null where it is none", examples=["07"]
    )
    confidence: Probability = Field(description="the probability that the whole number is right")
    digits: list[DigitOfNumber] = Field(
        description="from left to right, even where it is none",
        examples=[[{"prediction": 0, "confidence": 0.99, "box": [20, 30, 22, 40]}]],
    )
    is_number: bool = Field(examples=[True])
    reason: str | None = Field(
        description=f"null, or why it is no number. {_explained(NUMBER_REASONS)}", examples=[None]
    )


class NumberResponse(Answer, LineOfWriting):
    """The number in a picture: the first line's where there are several."""

    lines: list[LineOfWriting] = Field(
        description="all lines, from top to bottom", examples=[[{"number": "07"}]]
    )


class ModelSummary(BaseModel):
    """A model in service, or one that could not be loaded and why."""

    name: ModelName
    available: bool = Field(description="false where the model could not be loaded")
    reason: str | None = Field(description="why it could not be loaded")
    version: Version | None = None
    parameters: int | None = Field(None, description="number of trained weights")
    permuted: bool | None = Field(None, description="whether it reads pictures with mixed pixels")
    test_accuracy: float | None = Field(None, description="on MNIST's test set, 0-1")


class ModelList(BaseModel):
    """The models of this service."""

    default: ModelName = Field(description="the model that answers when a request names none")
    models: list[ModelSummary] = Field(
        examples=[[{"name": "cnn", "available": True, "version": "0.0.1", "test_accuracy": 0.995}]]
    )


class Status(BaseModel):
    """A health check passed."""

    status: str = Field(examples=["ok"])


class Attribution(BaseModel):
    """How much each pixel speaks for a digit."""

    method: str
    target: Digit = Field(description="the digit that is explained")
    values: list[list[float]] = Field(
        description="28 rows of 28 numbers from -1 (against) to 1 (for)",
        min_length=28,
        max_length=28,
    )
    picture: DataUrl = Field(description="the same, 28x28: red for, blue against, white neither")


class FeatureMaps(BaseModel):
    """What one convolution made of the picture."""

    layer: str
    shape: list[int] = Field(description="channels, rows, columns", min_length=3, max_length=3)
    values: list[list[list[float]]]
    picture: DataUrl = Field(description="the maps side by side, each from black to white")


class ExplanationResponse(PredictionResponse):
    """A prediction and where the model looked."""

    attribution: Attribution = Field(
        examples=[{"method": "occlusion", "target": 7, "values": [[0, 0.1, -0.2], "..."]}]
    )
    feature_maps: list[FeatureMaps] = Field(
        description="one a convolution; none for an MLP",
        examples=[[{"layer": "features.0", "shape": [32, 24, 24], "values": [[[0, 0.1]]]}]],
    )
