"""The bodies of the API's answers, as OpenAPI documents them."""

from typing import Annotated, Literal

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
    permuted_image: DataUrl | None = Field(None, description="`image`, as a permuted model sees it")


class BatchResponse(BaseModel):
    results: list[PredictionResponse | Problem] = Field(description="the answer to each file")
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


class ExplanationResponse(PredictionResponse):
    attribution: Attribution


class Unit(BaseModel):
    """A channel of a convolution, or a neuron of a linear layer."""

    channel: int = Field(description="its index in the layer")
    strength: float = Field(ge=0, le=1, description="its largest response; 1 is the layer's")
    picture: DataUrl | None = Field(
        description="where the channel responds more than to blank paper; null for a neuron"
    )
    kernel: DataUrl | None = Field(
        description="its weights: grey is 0, white positive. A channel shows its largest kernel, a "
        "neuron its weights of the 28 x 28 pixels"
    )


class LayerActivations(BaseModel):
    name: str = Field(examples=["features.0"])
    kind: Literal["convolution", "linear"]
    channels: int = Field(description="how many it has")
    size: list[int] = Field(description="rows and columns of a map", examples=[[24, 24]])
    receptive_field: int = Field(description="side of the square of pixels that a value sees")
    maps: list[Unit] = Field(description="the eight channels that respond most, strongest first")


class ActivationsResponse(PredictionResponse):
    layers: list[LayerActivations] = Field(description="all layers before the output layer")


class ModelSummary(BaseModel):
    name: str
    available: bool
    reason: str | None = Field(None, description="why it could not be loaded")
    version: str | None = None
    parameters: int | None = Field(None, description="number of trained weights")
    permuted: bool | None = Field(None, description="whether it reads pictures with mixed pixels")
    test_accuracy: float | None = Field(None, description="on MNIST's test set, 0-1")


class LineSummary(BaseModel):
    """The network that reads lines of digits. A request cannot name it as its model."""

    available: bool
    reason: str | None = Field(None, description="why it could not be loaded")
    version: str | None = None
    parameters: int | None = Field(None, description="number of trained weights")
    results: dict[str, float] | None = Field(None, description="shares, 0-1, of unseen lines")


class ModelList(BaseModel):
    default: str = Field(description="the model that answers when a request names none")
    models: list[ModelSummary]
    line: LineSummary
