"""The bodies of the API's answers, as OpenAPI documents them."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.api.problems import ProblemDetails, ProblemError, problem_body
from model.classifier import REASONS
from model.numbers.read import REASONS as NUMBER_REASONS

Probability = Annotated[float, Field(ge=0, le=1)]
DataUrl = Annotated[str, Field(pattern="^data:image/png;base64,", examples=["data:image/png;..."])]
Learnt = Annotated[
    int | None,
    Field(description="of a request with `examples` alone: how many the model has learnt"),
]


def _explained(reasons: dict[str, str]) -> str:
    return "; ".join(f"`{reason}`: {meaning}" for reason, meaning in reasons.items())


PREDICTION: dict[str, Any] = {
    "prediction": 7,
    "confidence": 0.998,
    "probabilities": [0, 0, 0, 0, 0, 0, 0, 0.998, 0, 0.002],
    "top_k": [
        {"digit": 7, "probability": 0.998},
        {"digit": 9, "probability": 0.002},
        {"digit": 0, "probability": 0},
    ],
    "is_digit": True,
    "reason": None,
    "model": "cnn",
    "version": "0.0.1",
    "image": "data:image/png;base64,...",
    "milliseconds": 1.9,
}
_LINE: dict[str, Any] = {
    "number": "07",
    "confidence": 0.97,
    "digits": [
        {
            "prediction": digit,
            "confidence": 0.99,
            "box": [left, 30, 22, 40],
            "image": "data:image/png;base64,...",
        }
        for digit, left in ((0, 20), (7, 50))
    ],
    "is_number": True,
    "reason": None,
}
_BLANK = problem_body(ProblemError("blank-picture"), "/api/v1/predict/batch")
_SUMMARY: dict[str, Any] = {
    "name": "cnn",
    "version": "0.0.1",
    "available": True,
    "reason": None,
    "parameters": 124010,
    "permuted": False,
    "test_accuracy": 0.995,
}


class DigitProbability(BaseModel):
    """A digit and how likely it is."""

    digit: int = Field(ge=0, le=9)
    probability: Probability


class PredictionResponse(BaseModel):
    """What the model read."""

    model_config = ConfigDict(json_schema_extra={"example": PREDICTION})

    prediction: int = Field(ge=0, le=9, description="the likeliest digit, even where it is none")
    confidence: Probability = Field(description="the calibrated probability of `prediction`")
    probabilities: list[Probability] = Field(min_length=10, max_length=10)
    top_k: list[DigitProbability] = Field(description="the likeliest digits, best first")
    is_digit: bool = Field(description="false where the picture is not taken for a digit")
    reason: str | None = Field(description=f"null, or why it is no digit. {_explained(REASONS)}")
    model: str
    version: str
    image: DataUrl = Field(description="the 28x28 picture, a PNG, that the model read")
    permuted_image: DataUrl | None = Field(
        None, description="of a permuted model alone: the same with its pixels permuted"
    )
    examples: Learnt = None
    milliseconds: float = Field(ge=0, description="from the received picture to this answer")


class BatchResponse(BaseModel):
    """One answer a file, in the order of the files."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"results": [PREDICTION, _BLANK], "milliseconds": 3.4}}
    )

    results: list[PredictionResponse | ProblemDetails] = Field(
        description="for each file what `/api/v1/predict` would have answered for it alone"
    )
    milliseconds: float = Field(ge=0)


class DigitOfNumber(BaseModel):
    """A digit of a number."""

    prediction: int = Field(ge=0, le=9)
    confidence: Probability = Field(description="of this digit by itself")
    box: list[int] = Field(
        description="x, y, width, height in pixels of the upright picture",
        min_length=4,
        max_length=4,
    )
    image: DataUrl = Field(description="the 28x28 picture, a PNG, that the model read")


class LineOfWriting(BaseModel):
    """A line of writing, and the number that it is."""

    number: str | None = Field(description="as text: leading zeros count; null where it is none")
    confidence: Probability = Field(description="the probability that the whole number is right")
    digits: list[DigitOfNumber] = Field(description="from left to right, even where it is none")
    is_number: bool
    reason: str | None = Field(
        description=f"null, or why it is no number. {_explained(NUMBER_REASONS)}"
    )


class NumberResponse(LineOfWriting):
    """The number in a picture: the first line's where there are several."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **_LINE,
                "lines": [_LINE],
                "model": "cnn",
                "version": "0.0.1",
                "milliseconds": 9.1,
            }
        }
    )

    lines: list[LineOfWriting] = Field(description="all lines, from top to bottom")
    model: str
    version: str
    examples: Learnt = None
    milliseconds: float = Field(ge=0, description="from the received picture to this answer")


class ModelSummary(BaseModel):
    """A model in service, or one that could not be loaded and why."""

    model_config = ConfigDict(json_schema_extra={"example": _SUMMARY})

    name: str
    available: bool = Field(description="false where the model could not be loaded")
    reason: str | None = Field(description="why it could not be loaded")
    version: str | None = None
    parameters: int | None = Field(None, description="number of trained weights")
    permuted: bool | None = Field(None, description="whether it reads pictures with mixed pixels")
    test_accuracy: float | None = Field(None, description="on MNIST's test set, 0-1")


class ModelList(BaseModel):
    """The models of this service."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"default": "cnn", "models": [_SUMMARY]}}
    )

    default: str = Field(description="the model that answers when a request names none")
    models: list[ModelSummary]


class Status(BaseModel):
    """A health check passed."""

    status: str = Field(examples=["ok"])


class ProblemExplanation(BaseModel):
    """What a type of problem means."""

    code: str = Field(examples=["blank-picture"])
    status: int = Field(examples=[422])
    title: str = Field(examples=["The picture is blank."])
    advice: str = Field(examples=["Draw or photograph one digit, large and with contrast."])


ModelCard = dict[str, Any]


class Attribution(BaseModel):
    """How much each pixel speaks for a digit."""

    method: str = Field(examples=["occlusion"])
    target: int = Field(ge=0, le=9, description="the digit that is explained")
    values: list[list[float]] = Field(
        description="28 rows of 28 numbers from -1 (against) to 1 (for)",
        min_length=28,
        max_length=28,
    )
    picture: DataUrl = Field(description="the same, 28x28: red for, blue against, white neither")


class FeatureMaps(BaseModel):
    """What one convolution made of the picture."""

    layer: str = Field(examples=["features.0"])
    shape: list[int] = Field(description="channels, rows, columns", min_length=3, max_length=3)
    values: list[list[list[float]]]
    picture: DataUrl = Field(description="the maps side by side, each from black to white")


class ExplanationResponse(PredictionResponse):
    """A prediction and where the model looked."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **PREDICTION,
                "attribution": {
                    "method": "occlusion",
                    "target": 7,
                    "values": [[0, 0.1, -0.2], "..."],
                    "picture": "data:image/png;base64,...",
                },
                "feature_maps": [
                    {
                        "layer": "features.0",
                        "shape": [32, 24, 24],
                        "values": [[[0, 0.1], "..."], "..."],
                        "picture": "data:image/png;base64,...",
                    }
                ],
            }
        }
    )

    attribution: Attribution
    feature_maps: list[FeatureMaps] = Field(description="one a convolution; none for an MLP")
