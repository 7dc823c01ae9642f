"""Small networks with untrained weights, and their files."""

import hashlib
import json
from pathlib import Path
from typing import Any

import onnx
import torch

from model.card import Card
from model.export import save_model
from model.networks import MLP, ConvNet


def small_cnn(seed: int = 0) -> ConvNet:
    torch.manual_seed(seed)
    return ConvNet(channels=(2, 3), kernel=3)


def small_mlp() -> MLP:
    torch.manual_seed(0)
    return MLP(hidden=(20, 10))


def card(name: str = "cnn", config: dict[str, Any] | None = None, **entries: Any) -> Card:
    """The card of an untrained network."""
    accuracies = dict.fromkeys(("validation_accuracy", "synthetic_accuracy", "test_accuracy"), 0.1)
    values = {
        "name": name,
        "version": "0.0.1",
        "network": name.removesuffix("-permuted"),
        "config": config or {},
        "parameters": 1,
        "data": {"source": "none", "training": 0},
        "preprocessing": {},
        "training": {},
        "results": {**accuracies, "recall": [0.1] * 10, "test_rejected": 0.0},
        "temperature": 1.0,
        "threshold": 0.2,
        "calibration": {key: {"error": 0.0, "log_loss": 2.3} for key in ("before", "after")},
        "versions": {},
        "figures": {},
        "permutation": None,
    }
    return Card.model_validate(values | entries)


def save_small_cnn(folder: Path, seed: int = 0) -> Path:
    """Save a small CNN; return the path of its ``.onnx`` file."""
    config = {"channels": [2, 3], "kernel": 3}
    return save_model(small_cnn(seed), card(config=config), folder, {})


def seal(data: bytes) -> bytes:
    """Let a file end with the sha256 of what comes before, as a model does."""
    return data[:-64] + hashlib.sha256(data[:-64]).hexdigest().encode()


def change_card(path: Path, text: str | None = None, **entries: object) -> None:
    """Change entries of the card in an ``.onnx`` file, or replace it by ``text``."""
    model = onnx.load_model(path)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    metadata["card"] = text or json.dumps(json.loads(metadata["card"]) | entries)
    onnx.helper.set_model_props(model, metadata)  # the sha256 stays the last of them
    path.write_bytes(seal(model.SerializeToString()))
