"""The model card: what its JSON file holds. These names are public; clients depend on them."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict


class Architecture(TypedDict):
    """Which network, and the arguments that build it."""

    network: str
    settings: Mapping[str, object]


class RecipeRecord(TypedDict):
    """A `config.Recipe`; handwriting, non_digits and average are its names of earlier days."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    handwriting: float
    non_digits: float
    average: float


class EpochRecord(TypedDict):
    """A `train.Epoch`."""

    number: int
    training_loss: float
    validation_loss: float
    validation_accuracy: float
    seconds: float


class TrainingRecord(RecipeRecord):
    """The recipe and the circumstances; ``seconds`` are of training alone.

    ``strokes`` is the number of one's own drawings among the data (``--strokes``).
    """

    augmentation: str
    strokes: int
    seed: int
    seconds: float
    device: str
    precision: str
    processes: int
    history: list[EpochRecord]


class Results(TypedDict):
    """Accuracies, recall of each digit and rejected test digits, all 0-1."""

    validation_accuracy: float
    synthetic_accuracy: float
    test_accuracy: float
    recall: list[float]
    test_refused: float


class CalibrationError(TypedDict):
    """Expected calibration error (0-1) and log loss (nats)."""

    error: float
    log_loss: float


class CalibrationErrors(TypedDict):
    """On the test set, before and after the logits are divided by the temperature."""

    before: CalibrationError
    after: CalibrationError


class ClassifierSettings(TypedDict):
    """What the classifier needs beside the network."""

    temperature: float
    threshold: float
    calibration: CalibrationErrors


class Permutation(TypedDict):
    """The seed of a permutation of the pixels, and the 784 indices."""

    seed: int | None
    indices: list[int]


class ModelCard(TypedDict):
    """How a model was made and what it reached."""

    name: str
    version: str
    architecture: Architecture
    parameters: int
    data: dict[str, object]
    preprocessing: dict[str, object]
    training: TrainingRecord
    results: Results
    reader: ClassifierSettings
    versions: dict[str, str]
    figures: dict[str, str]
    permutation: Permutation | None
    file: NotRequired[str]
    sha256: NotRequired[str]
