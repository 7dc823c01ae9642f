"""The bodies of the API's answers, as OpenAPI documents them."""

from typing import Annotated

from pydantic import BaseModel, Field

from app.api.problems import Problem
from model.classifier import REASONS
from model.numbers.read import REASONS as NUMBER_REASONS


def _explained(reasons: dict[str, str]) -> str:
    return "; ".join(f"`{reason}`: {meaning}" for reason, meaning in reasons.items())


Digit = Annotated[int, Field(ge=0, le=9, examples=[7])]
Probability = Annotated[float, Field(ge=0, le=1, examples=[0.998])]
DataUrl = Annotated[str, Field(examples=["data:image/png;base64,..."])]


class Answer(BaseModel):
    model: str = Field(examples=["cnn"])
    version: str = Field(examples=["0.0.1"])
    examples: int | None = Field(None, description="how many examples the model has learnt")
    milliseconds: float = Field(description="from the received picture to this answer")


class DigitProbability(BaseModel):
    digit: Digit
    probability: Probability


class PredictionResponse(Answer):
    prediction: Digit = Field(description="the likeliest digit, even if `is_digit` is false")
    confidence: Probability = Field(description="the calibrated probability of `prediction`")
    probabilities: list[Probability] = Field(description="of the digits 0 to 9")
    top_k: list[DigitProbability] = Field(description="the likeliest digits, best first")
    is_digit: bool = Field(description="false if the picture is not taken for a digit")
    reason: str | None = Field(description=f"null, or why it is no digit. {_explained(REASONS)}")
    image: DataUrl = Field(description="the 28x28 picture, a PNG, that the model read")
    permuted_image: DataUrl | None = Field(
        None, description="a permuted model's alone: `image` with its pixels permuted"
    )


class BatchResponse(BaseModel):
    results: list[PredictionResponse | Problem] = Field(
        description="for each file what `/api/v1/predict` would have answered for it alone"
    )
    milliseconds: float


class DigitOfNumber(BaseModel):
    prediction: Digit
    confidence: Probability = Field(description="of this digit by itself")
    is_digit: bool
    box: list[int] = Field(description="x, y, width, height in pixels of the upright picture")
    image: DataUrl


class TextLine(BaseModel):
    number: str | None = Field(description="as text: leading zeros count", examples=["07"])
    confidence: Probability = Field(description="the probability that the whole number is right")
    digits: list[DigitOfNumber] = Field(description="from left to right")
    is_number: bool
    reason: str | None = Field(
        description=f"null, or why it is no number. {_explained(NUMBER_REASONS)}"
    )


class NumberResponse(Answer, TextLine):
    lines: list[TextLine] = Field(description="from top to bottom; the first one counts")


class Attribution(BaseModel):
    target: Digit = Field(description="the digit that is explained")
    values: list[list[float]] = Field(description="28 x 28, from -1 (against) to 1 (for)")


class FeatureMaps(BaseModel):
    layer: str
    shape: list[int] = Field(description="channels, rows, columns", examples=[[32, 24, 24]])
    picture: DataUrl = Field(description="the maps side by side, each from black to white")


class ExplanationResponse(PredictionResponse):
    attribution: Attribution
    feature_maps: list[FeatureMaps] = Field(description="one a convolution; none for an MLP")


class ModelSummary(BaseModel):
    name: str
    available: bool
    reason: str | None = Field(None, description="why it could not be loaded")
    version: str | None = None
    parameters: int | None = Field(None, description="number of trained weights")
    permuted: bool | None = Field(None, description="whether it reads pictures with mixed pixels")
    test_accuracy: float | None = Field(None, description="on MNIST's test set, 0-1")


class LineSummary(BaseModel):
    """The network that reads lines of digits; it is no model that a request can name."""

    available: bool
    reason: str | None = Field(None, description="why it could not be loaded")
    version: str | None = None
    parameters: int | None = Field(None, description="number of trained weights")
    results: dict[str, float] | None = Field(
        None, description="shares, 0-1, of lines that were held back from training"
    )


class ModelList(BaseModel):
    default: str = Field(description="the model that answers when a request names none")
    models: list[ModelSummary]
    line: LineSummary
