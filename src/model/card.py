"""Model files: how they are found, read and written, and the card in each ``.onnx`` file.

The card says how a model was made and what it reaches. Its names are public: the API serves it.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from errors import ModelFileError
from model.config import IMAGE_SIZE, MODELS_DIR

LINE = "line"  # the network for lines is no classifier and is not found among them
_STEM = re.compile(r"mnist-(?:(?P<name>[a-z][a-z0-9-]*)-)?(?P<version>\d+\.\d+\.\d+)")

Fraction = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class Results(Strict):
    """Accuracies, the recall of each digit, and the fraction of test digits that is rejected."""

    validation_accuracy: Fraction
    synthetic_accuracy: Fraction
    test_accuracy: Fraction
    recall: list[Fraction]
    test_rejected: Fraction


class Permutation(Strict):
    """Pixel i of the network's input is pixel ``indices[i]`` of the image."""

    seed: int
    indices: list[int]

    @model_validator(mode="after")
    def check(self) -> Self:
        if sorted(self.indices) != list(range(IMAGE_SIZE * IMAGE_SIZE)):
            raise ValueError("the indices are no permutation of the pixels")
        return self


class Card(Strict):
    """A model card.

    Attributes:
        name: the network's, for permuted pixels with ``-permuted``.
        network, config: the key in ``NETWORKS`` and the arguments that build it.
        training: the recipe and the circumstances, as ``main_pipeline`` writes them.
        temperature: divides the logits.
        threshold: a picture with a lower rejection score is rejected.
        calibration: errors on the test set before and after the temperature divides the logits.
        figures: file names in the folder of the model, by the figure's name.
        permutation: None where the pixels stay in their order.
    """

    name: str
    version: str
    network: str
    config: dict[str, JsonValue]
    parameters: int
    data: dict[str, JsonValue]
    preprocessing: dict[str, JsonValue]
    training: dict[str, JsonValue]
    results: Results
    temperature: Annotated[float, Field(gt=0)]
    threshold: Fraction
    calibration: dict[str, JsonValue]
    versions: dict[str, JsonValue]
    figures: dict[str, str]
    permutation: Permutation | None


class LineCard(Strict):
    """The card of the network for lines of digits.

    Attributes:
        results: shares, 0-1, of lines held back from training.
        slope, intercept: from the logit of a number's share to that of its probability.
        threshold: a number with a lower probability is rejected.
    """

    name: str
    version: str
    parameters: int
    data: dict[str, JsonValue]
    training: dict[str, JsonValue]
    results: dict[str, Fraction]
    slope: float
    intercept: float
    threshold: Fraction
    versions: dict[str, JsonValue]


def model_path(name: str, version: str, folder: Path) -> Path:
    """Return the ``.onnx`` file of the model called ``name``; the cnn's file carries no name."""
    return folder / f"mnist-{'' if name == 'cnn' else name + '-'}{version}.onnx"


def find_models(folder: Path) -> dict[str, Path]:
    """Return the ``.onnx`` file of each classifier in a folder, the highest version, by name."""
    return {name: path for name, path in _find(folder).items() if name != LINE}


def find_line_model(folder: Path) -> Path:
    """Return the ``.onnx`` file of the network for lines; raise ``ModelFileError`` without one."""
    if LINE not in (found := _find(folder)):
        raise ModelFileError(f"There is no model {LINE!r} in {folder}: make it: bash run.sh line")
    return found[LINE]


def _find(folder: Path) -> dict[str, Path]:
    """Return the ``.onnx`` file of the highest version of each model in ``folder``, by name.

    Raises:
        ModelFileError: the folder is there, but this user may not list it.
    """
    try:
        files = list(folder.iterdir()) if folder.is_dir() else []
    except PermissionError as error:
        raise ModelFileError(_unreadable(folder, folder)) from error
    found = []
    for path in files:
        if path.suffix == ".onnx" and (match := _STEM.fullmatch(path.stem)):
            version = [int(number) for number in match["version"].split(".")]
            found.append((match["name"] or "cnn", version, path))
    return {name: path for name, _, path in sorted(found)}


def find_model(name: str) -> Path:
    """Return the ``.onnx`` file of the model called ``name``, or ``name`` if it is such a file.

    Raises:
        ModelFileError: there is no such model.
    """
    if name.endswith((".onnx", ".pt")):
        return Path(name).with_suffix(".onnx")
    models = find_models(MODELS_DIR)
    if name not in models:
        there = ", ".join(models) or "none; train one with: bash run.sh cnn"
        raise ModelFileError(f"There is no model {name!r} in {MODELS_DIR} (there: {there}).")
    return models[name]


def _unreadable(path: Path, folder: Path) -> str:
    return f"This user may not read {path}; as its owner, say: chmod -R a+rX '{folder}'"


def unusable(path: Path, fault: str) -> ModelFileError:
    """Return the error of a model file that cannot be used; it names the command that trains it."""
    match = _STEM.fullmatch(path.stem)
    name = (match and match["name"]) or "cnn"
    network = name.removesuffix("-permuted")
    command = f"bash run.sh {network}" + (" --permute 0" if name != network else "")
    return ModelFileError(f"The model {path} cannot be used: {fault}; train it with: {command}")


def read_file(path: Path) -> bytes:
    """Return the bytes of a model's file; raise ``ModelFileError`` if it cannot be read."""
    try:
        return path.read_bytes()
    except PermissionError as error:
        raise ModelFileError(_unreadable(path, path.parent)) from error
    except OSError as error:
        raise unusable(path, f"it cannot be read ({error.strerror})") from error


def write_atomically(files: Mapping[Path, bytes]) -> None:
    """Write files; when all are complete, each takes its place, in their order."""
    temporaries = {path.with_name(f".{path.name}.tmp"): path for path in files}
    try:
        for temporary, path in temporaries.items():
            with temporary.open("wb") as file:
                file.write(files[path])
                file.flush()
                os.fsync(file.fileno())
        for temporary, path in temporaries.items():
            temporary.replace(path)
    finally:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)
