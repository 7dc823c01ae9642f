"""Small networks with untrained weights, and their files."""

import json
from pathlib import Path

import torch

from model.checkpoint import checkpoint_path, save_checkpoint
from model.convnet import ConvNet
from model.registry import Network


def small_cnn(seed: int = 0) -> ConvNet:
    torch.manual_seed(seed)
    return ConvNet(channels=(2, 3), kernel=3)


def save(network: Network, folder: Path, permutation: torch.Tensor | None = None) -> Path:
    """Save a network with what loading needs of its card; return the path of the weights."""
    name = "cnn" if isinstance(network, ConvNet) else "mlp"
    path = checkpoint_path(name, "0.0.1", folder)
    card = {
        "name": name,
        "version": "0.0.1",
        "architecture": {"network": name, "settings": network.config},
        "permutation": None if permutation is None else {"indices": permutation.tolist()},
    }
    save_checkpoint(network, card, path)
    return path


def change_card(path: Path, **entries: object) -> None:
    """Change entries of the card beside the weights at ``path``."""
    file = path.with_suffix(".json")
    file.write_text(json.dumps(json.loads(file.read_text()) | entries))
