"""The model card: how a model was made and what it reaches, as JSON inside its ``.onnx`` file.

These names are public: the API serves the card as it stands here.
"""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from model.config import IMAGE_SIZE, NUM_CLASSES

Fraction = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class Epoch(_Part):
    """One pass over the training data, the first has number 1; losses in nats."""

    number: int
    training_loss: float
    validation_loss: float
    validation_accuracy: Fraction
    seconds: float


class Training(_Part):
    """The recipe (see ``config.Recipe``) and the circumstances of a training.

    ``strokes`` counts the drawings that ``--strokes`` added; ``seconds`` are of training alone;
    ``device`` says its kind and the precision, such as ``cpu (x86_64, bfloat16)``.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    synthetic_fraction: float
    outlier_ratio: float
    ema_decay: float
    augmentation: str
    strokes: int
    seed: int
    threads: int
    device: str
    seconds: float
    history: list[Epoch]


class Results(_Part):
    """Accuracies, the recall of each digit, and the fraction of test digits that is rejected."""

    validation_accuracy: Fraction
    synthetic_accuracy: Fraction
    test_accuracy: Fraction
    recall: Annotated[list[Fraction], Field(min_length=NUM_CLASSES, max_length=NUM_CLASSES)]
    test_rejected: Fraction


class CalibrationError(_Part):
    """Expected calibration error (0-1) and log loss (nats) on the test set."""

    error: Fraction
    log_loss: float


class Calibration(_Part):
    """What dividing the logits by the temperature changes."""

    before: CalibrationError
    after: CalibrationError


class Permutation(_Part):
    """A fixed permutation of the pixels: pixel i of the input is pixel ``indices[i]``."""

    seed: int
    indices: list[int]

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse indices that leave a pixel out."""
        if sorted(self.indices) != list(range(IMAGE_SIZE * IMAGE_SIZE)):
            raise ValueError("the indices are no permutation of the pixels")
        return self


class Card(_Part):
    """A model card.

    Attributes:
        name: of the model: the network's, for permuted pixels with ``-permuted``.
        network, config: the key in ``NETWORKS`` and the arguments that build it.
        parameters: the number of weights.
        temperature: divides the logits.
        threshold: a picture with a lower rejection score is rejected.
        versions: of Python and the libraries.
        figures: file names in the folder of the model, by the figure's name.
        permutation: None where the pixels stay in their order.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    network: str
    config: dict[str, JsonValue]
    parameters: int
    data: dict[str, JsonValue]
    preprocessing: dict[str, JsonValue]
    training: Training
    results: Results
    temperature: Annotated[float, Field(gt=0)]
    threshold: Annotated[float, Field(gt=0, le=1)]
    calibration: Calibration
    versions: dict[str, str]
    figures: dict[str, str]
    permutation: Permutation | None
