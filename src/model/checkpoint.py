"""Save and load a trained network: plain weights (``.pt``) and the model card (``.json``) beside.

The weights are a plain ``state_dict``; all else, the permutation of the pixels included, stands
in the card. A card that does not fit its weights is refused. torch is imported only where weights
are saved or loaded: cards and paths are read without it.
"""

import hashlib
import json
import os
import pickle
import re
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import numpy as np

from errors import ModelFileError
from model.card import ModelCard
from model.config import IMAGE_SIZE, MODELS_DIR, RECIPES

if TYPE_CHECKING:
    from torch import Tensor, nn

DEFAULT_FILE = "cnn"  # the network whose file carries no name
_FILE_NAME = re.compile(r"mnist-(?:(?P<name>[a-z][a-z0-9-]*)-)?(?P<version>\d+\.\d+\.\d+)\.pt")


@dataclass(frozen=True)
class Checkpoint:
    """A loaded network in evaluation mode, its card, and its pixel permutation (784,) or None."""

    network: "nn.Module"
    card: ModelCard
    permutation: "Tensor | None"


def checkpoint_path(name: str, version: str, directory: Path) -> Path:
    """Return where the model called ``name`` lies; the cnn's file carries no name."""
    stem = f"mnist-{version}" if name == DEFAULT_FILE else f"mnist-{name}-{version}"
    return directory / f"{stem}.pt"


def find_checkpoints(directory: Path) -> dict[str, Path]:
    """Return the path of the highest version of each model in ``directory``, by name."""
    found: dict[str, tuple[tuple[int, ...], Path]] = {}
    for path in sorted(directory.glob("mnist-*.pt")):
        if match := _FILE_NAME.fullmatch(path.name):
            name = match["name"] or DEFAULT_FILE
            version = tuple(map(int, match["version"].split(".")))
            found[name] = max(found.get(name, (version, path)), (version, path))
    return {name: path for name, (_, path) in found.items()}


def save_checkpoint(network: "nn.Module", card: ModelCard, path: Path) -> None:
    """Write weights and card, each atomically; the card gains the weights' name and sha256."""
    import torch

    card = card.copy()
    weights = {
        name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()
    }
    write_atomically(path, lambda file: torch.save(weights, file))
    card["file"], card["sha256"] = path.name, _sha256(path)
    text = json.dumps(card, indent=1)
    # Long lists of numbers (permutation, history) on one line each keep the card readable.
    text = re.sub(r"\[[^\[\]{}\"]*\]", lambda part: re.sub(r"\s+", " ", part[0]), text) + "\n"
    write_atomically(path.with_suffix(".json"), lambda file: file.write(text.encode()))


def replace_model(path: Path, write: Callable[[Path], None]) -> Path | None:
    """Let ``write`` fill a temporary folder with a model's files; then move them to ``path``.

    All files move at once: whatever ends ``write``, and at whatever moment Ctrl-C comes, either
    the old model lies there whole or the new one.

    Args:
        path: of the weights; the card and the figures lie beside it.
        write: gets the temporary folder.

    Returns:
        The folder ``previous/<time>`` to which the replaced model moved, None if there was none.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.stem}-") as temporary:
        write(Path(temporary))
        with _interrupts_deferred():
            old = [file for file in path.parent.glob(f"{path.stem}[.-]*") if file.is_file()]
            previous = path.parent / "previous" / f"{datetime.now():%Y-%m-%dT%H-%M-%S.%f}"
            if old:
                previous.mkdir(parents=True)
            for file in old:
                file.replace(previous / file.name)
            for file in Path(temporary).iterdir():
                file.replace(path.parent / file.name)
    return previous if old else None


@contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Hold SIGINT (Ctrl-C) and SIGTERM back until the block is done."""
    deferred: list[int] = []
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(one, lambda number, _: deferred.append(number)) for one in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
        for caught in deferred:
            signal.raise_signal(caught)


def write_json(path: Path, content: object) -> None:
    """Write ``content`` as JSON, indented by one, atomically."""
    text = json.dumps(content, indent=1) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Call ``write`` with a binary file that takes the place of ``path`` only when complete."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)  # mkstemp's 0600 would lock out the API's user
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_card(path: Path) -> ModelCard:
    """Read the card beside the weights at ``path``.

    Raises:
        ModelFileError: there is none, or it is no JSON object.
    """
    card_path = path.with_suffix(".json")
    try:
        card = json.loads(card_path.read_text())
    except FileNotFoundError:
        raise ModelFileError(
            f"{path.name} has no model card {card_path.name} beside it; train it again."
        ) from None
    except (OSError, ValueError) as error:
        raise ModelFileError(
            f"The model card {card_path} cannot be read ({error}); train the model again."
        ) from error
    if not isinstance(card, dict):
        raise ModelFileError(
            f"The model card {card_path} is no JSON object; train the model again."
        )
    return cast("ModelCard", card)


def read_verified_card(path: Path) -> ModelCard:
    """Read the card of the weights at ``path`` and check that it describes this very file.

    Raises:
        ModelFileError: one of them is missing, unreadable or damaged, or the card is that of other
            weights.
    """
    try:
        sha256 = _sha256(path)
    except FileNotFoundError:
        raise ModelFileError(
            f"There is no model at {path}; train one with: bash run.sh cnn"
        ) from None
    except OSError as error:
        raise ModelFileError(
            f"The weights {path} cannot be read ({error.strerror}); let this user read the file, "
            "or train the model again."
        ) from error
    card = read_card(path)
    if card.get("sha256") != sha256:
        raise ModelFileError(
            f"{path.name} is not the file its card describes (sha256 differs); {_again(card)}"
        )
    return card


def load_checkpoint(path: Path) -> Checkpoint:
    """Load a network with its card and check that they belong together.

    Raises:
        ModelFileError: a file is missing or damaged, or the card does not fit the weights.
    """
    import torch

    from model.registry import NETWORKS

    card = read_verified_card(path)
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
        architecture = card["architecture"]
        network: nn.Module = NETWORKS[architecture["network"]](**architecture["settings"])
        network.load_state_dict(weights)
        permutation = read_permutation(card)
    except (pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise ModelFileError(
            f"The weights {path.name} are damaged or do not fit their card: {error}; {_again(card)}"
        ) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(
            f"The card of {path.name} lacks what describes the network ({error!r}); {_again(card)}"
        ) from error
    indices = None if permutation is None else torch.from_numpy(permutation)
    return Checkpoint(network.eval(), card, indices)


def _again(card: ModelCard) -> str:
    """What to do about a model that cannot be used."""
    return f"train it again with: {_command(str(card.get('name', DEFAULT_FILE)))}"


def _command(name: str) -> str:
    """The command that trains the model called ``name``."""
    network = name.removesuffix("-permuted")
    return f"bash run.sh {network}" + (" --permute 0" if network != name else "")


def read_permutation(card: ModelCard) -> np.ndarray | None:
    """Return the card's permutation of the pixels (784,) int64, or None where they are in order.

    Raises:
        ValueError: the card's indices are no permutation.
        KeyError, TypeError: the card has no such entry.
    """
    entry = card["permutation"]
    if entry is None:
        return None
    permutation = np.array(entry["indices"], dtype=np.int64)
    if not np.array_equal(np.sort(permutation), np.arange(IMAGE_SIZE * IMAGE_SIZE)):
        raise ValueError("the card's permutation is none of 784 pixels")
    return permutation


def _sha256(path: Path) -> str:
    """The hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_model(name: str) -> Path:
    """Return the weights of the model called ``name``, or ``name`` itself if it is a ``.pt`` file.

    Raises:
        ModelFileError: there is no such model.
    """
    if name.endswith(".pt"):
        return Path(name)
    models = find_checkpoints(MODELS_DIR)
    if name not in models:
        there = ", ".join(models) or "none"
        known = name.removesuffix("-permuted") in RECIPES
        how = f"train it with: {_command(name)}" if known else "give one of them"
        raise ModelFileError(f"There is no model {name!r} in {MODELS_DIR} (there: {there}); {how}")
    return models[name]
