"""Model files: their names, how they are read and written, and the card that each holds.

The card says how a model was made and what it reaches. It is JSON inside the ``.onnx`` file. Its
names are public: the API serves it as it stands here.
"""

import glob
import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from errors import ModelFileError
from model.config import IMAGE_SIZE, MODELS_DIR, NUM_CLASSES

MAX_MODEL_BYTES = 100_000_000
_FILE_NAME = re.compile(r"mnist-(?:(?P<name>[a-z][a-z0-9-]*)-)?(?P<version>\d+\.\d+\.\d+)\.onnx")

Fraction = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    """Takes no value of another type, no other names, and no number that is not finite."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class Results(Strict):
    """Accuracies, the recall of each digit, and the fraction of test digits that is rejected."""

    validation_accuracy: Fraction
    synthetic_accuracy: Fraction
    test_accuracy: Fraction
    recall: Annotated[list[Fraction], Field(min_length=NUM_CLASSES, max_length=NUM_CLASSES)]
    test_rejected: Fraction


class CalibrationError(Strict):
    """Expected calibration error (0-1) and log loss (nats) on the test set."""

    error: Fraction
    log_loss: float


class Permutation(Strict):
    """A fixed permutation of the pixels: pixel i of the input is pixel ``indices[i]``."""

    seed: int
    indices: list[int]

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse indices that leave a pixel out."""
        if sorted(self.indices) != list(range(IMAGE_SIZE * IMAGE_SIZE)):
            raise ValueError("the indices are no permutation of the pixels")
        return self


class Card(Strict):
    """A model card.

    Attributes:
        name: of the model: the network's, for permuted pixels with ``-permuted``.
        network, config: the key in ``NETWORKS`` and the arguments that build it.
        parameters: the number of weights.
        training: the recipe and the circumstances, as ``main_pipeline`` writes them.
        temperature: divides the logits.
        threshold: a picture with a lower rejection score is rejected.
        calibration: before and after the logits are divided by the temperature.
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
    training: dict[str, JsonValue]
    results: Results
    temperature: Annotated[float, Field(gt=0)]
    threshold: Fraction
    calibration: dict[Literal["before", "after"], CalibrationError]
    versions: dict[str, str]
    figures: dict[str, str]
    permutation: Permutation | None


def model_path(name: str, version: str, folder: Path) -> Path:
    """Return the ``.onnx`` file of the model called ``name``; the cnn's file carries no name."""
    return folder / f"mnist-{'' if name == 'cnn' else name + '-'}{version}.onnx"


def find_models(folder: Path) -> dict[str, Path]:
    """Return the ``.onnx`` file of the highest version of each model in ``folder``, by name."""
    found: dict[str, tuple[tuple[int, ...], Path]] = {}
    for path in folder.glob("mnist-*.onnx"):
        if match := _FILE_NAME.fullmatch(path.name):
            name = match["name"] or "cnn"
            version = tuple(map(int, match["version"].split(".")))
            found[name] = max(found.get(name, (version, path)), (version, path))
    return {name: found[name][1] for name in sorted(found)}


def find_model(name: str) -> Path:
    """Return the ``.onnx`` file of the model called ``name``, or ``name`` if it is such a file.

    Raises:
        ModelFileError: there is no such model.
    """
    if name.endswith((".onnx", ".pt")):
        return Path(name).with_suffix(".onnx")
    models = find_models(MODELS_DIR)
    if name in models:
        return models[name]
    raise ModelFileError(
        f"There is no model {name!r} in {MODELS_DIR} (there: {', '.join(models) or 'none'}): "
        f"name one of them, or train it with: {training_command(name)}"
    )


def read_model(path: Path) -> bytes:
    """Return the bytes of an ``.onnx`` file that is whole: it ends with the sha256 of the rest."""
    data = read_file(path)
    if hashlib.sha256(data[:-64]).hexdigest().encode() != data[-64:]:
        raise ModelFileError("it is damaged (its sha256 differs), or no model of this version")
    return data


def read_file(path: Path) -> bytes:
    """Return the bytes of a regular file of at most ``MAX_MODEL_BYTES``."""
    try:
        if not path.exists():
            raise ModelFileError("there is no such file")
        if not path.is_file():
            raise ModelFileError("it is no regular file")
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise ModelFileError(f"it has more than {MAX_MODEL_BYTES / 1e6:.0f} MB")
        return path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"it cannot be read: {error.strerror}") from error


def write_atomically(files: Mapping[Path, bytes]) -> None:
    """Write files; when all are complete, each takes its place, in their order.

    What a killed process left of the same files goes first.
    """
    temporaries = {path.with_name(f".{path.name}.{os.getpid()}"): path for path in files}
    try:
        for temporary, path in temporaries.items():
            for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
                left.unlink()
            with temporary.open("wb") as file:
                file.write(files[path])
                file.flush()
                os.fsync(file.fileno())
        for temporary, path in temporaries.items():
            temporary.replace(path)
    finally:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)


def unusable(path: Path, fault: str) -> str:
    """Return the sentence about a model that cannot be used."""
    match = _FILE_NAME.fullmatch(path.name)
    command = training_command((match and match["name"]) or "cnn")
    return f"The model {path} cannot be used: {fault}; train it with: {command}"


def training_command(name: str) -> str:
    """Return the command that trains the model called ``name``."""
    network = name.removesuffix("-permuted")
    return f"bash run.sh {network}" + (" --permute 0" if network != name else "")
