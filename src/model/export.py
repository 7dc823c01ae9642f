"""Save a trained network, and write what the API serves: ``bash run.sh export [MODEL...]``.

A model has two files. ``<name>.pt`` is a plain ``state_dict``, to train on from. ``<name>.onnx``
is all that serving needs: the network in ONNX and the card. ``export`` writes it anew from the
weights; the card stays, with the results, temperature and threshold of the last training.
"""

import argparse
import copy
import hashlib
import io
import sys
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from onnx import ModelProto, StringStringEntryProto
from onnxscript.optimizer import fold_constants
from torch import Tensor, nn

from errors import DigitsError, ModelFileError
from model import classifier as names
from model.card import (
    Card,
    find_model,
    find_models,
    model_path,
    read_file,
    unusable,
    write_atomically,
)
from model.classifier import Classifier
from model.config import IMAGE_SIZE, MODELS_DIR
from model.data.mnist import standardize
from model.networks import NETWORKS
from model.readme import write_model_card


def save_model(network: nn.Module, card: Card, folder: Path, figures: Mapping[str, bytes]) -> Path:
    """Write the files of a trained network; return the path of the ``.onnx`` file.

    Args:
        network: one of ``NETWORKS``.
        card: describes it.
        folder: exists.
        figures: the PNG files by their names.

    Raises:
        ModelFileError: the folder cannot be written, or the network does not go into ONNX; its
            weights are then saved all the same.
    """
    buffer = io.BytesIO()
    torch.save({k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}, buffer)
    path = model_path(card.name, card.version, folder)
    weights = path.with_suffix(".pt")
    files = {weights.name: buffer.getvalue(), **figures}
    try:
        served = to_onnx(network, card)
    except Exception as error:  # a network of one's own may do what ONNX has no word for
        replace_model(path, files)
        raise ModelFileError(
            f"The network cannot be exported to ONNX ({error}); its weights are in {weights}: "
            "change the network, load them, and save it again."
        ) from error
    replace_model(path, {**files, path.name: served})
    return path


def replace_model(path: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of a model, in their order; the ``.onnx`` file at ``path`` comes last.

    The old model is served until that file is complete. It stays as ``<name>.previous.pt`` and
    ``<name>.previous.onnx``.

    Raises:
        ModelFileError: the folder cannot be written.
    """
    old = [file for file in (path.with_suffix(".pt"), path) if file.is_file()]
    try:
        previous = {f"{path.stem}.previous{file.suffix}": file.read_bytes() for file in old}
        write_atomically({path.with_name(k): v for k, v in {**previous, **files}.items()})
    except OSError as error:
        raise ModelFileError(
            f"The model cannot be saved in {path.parent} ({error.strerror}): what was there is "
            "unchanged; make room or choose another folder, and train again."
        ) from error


def load_network(path: Path) -> tuple[nn.Module, Card]:
    """Return a network with the weights of a ``.pt`` file, in evaluation mode, and its card.

    Args:
        path: of the ``.pt`` or of the ``.onnx`` file beside it, which holds the card.

    Raises:
        ModelFileError: a file is missing or damaged, or the weights are of another network.
    """
    card, path = Classifier.load(path.with_suffix(".onnx")).card, path.with_suffix(".pt")
    weights = io.BytesIO(read_file(path))
    try:
        network = NETWORKS[card.network](**card.config)
        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    except Exception as error:  # a damaged file raises whatever it likes
        raise unusable(path, f"its weights do not fit the card: {error}") from error
    return network.eval(), card


class Served(nn.Module):
    """A copy of a network, from pixels in [0, 1] to what serving needs of it."""

    def __init__(self, network: nn.Module, card: Card) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).cpu().eval()
        permuted = card.permutation
        self.permutation = torch.tensor(permuted.indices) if permuted else None
        layers = {
            name: module
            for name, module in self.network.named_modules()
            if isinstance(module, nn.Conv2d | nn.Linear)
        }
        _, self.output_layer = layers.popitem()
        self.output_layer.register_forward_pre_hook(lambda _, inputs: self.seen.extend(inputs))
        self.layers = layers
        for layer in layers.values():
            layer.register_forward_hook(lambda _, inputs, output: self.seen.append(output))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return logits (N, 10), features (N, d), the output layer's weights (10, d) and bias, then
        the outputs of the layers before it, (N, channels, h, w) or (N, units), and their weights.
        """
        self.seen: list[Tensor] = []
        logits = self.network(standardize(x, self.permutation))
        *outputs, features = self.seen
        weights = [layer.weight for layer in self.layers.values()]
        layer = self.output_layer
        return logits, features, layer.weight, layer.bias, *outputs, *weights


def to_onnx(network: nn.Module, card: Card) -> bytes:
    """Return the contents of an ``.onnx`` file; see ``package``.

    The input of the graph is ``x`` (N, 1, 28, 28) float32, 0 background, 1 ink. The graph itself
    standardizes and permutes the pixels.
    """
    # The outputs of the layers cost each prediction 3 to 4 % of the network's time, which one graph
    # instead of two is worth.
    served = Served(network, card)
    layers = [*served.layers, *(f"{name}{names.WEIGHT_SUFFIX}" for name in served.layers)]
    x, sizes = torch.zeros(2, 1, IMAGE_SIZE, IMAGE_SIZE), {0: torch.export.Dim("N")}
    program = trace(served.eval(), x, [*names.OUTPUTS, *layers], sizes)
    fold_constants(program.model)  # ONNX Runtime does the rest
    return package(program.model_proto, card.model_dump_json())


def trace(
    network: nn.Module, x: Tensor, outputs: list[str], sizes: dict[int, torch.export.Dim]
) -> torch.onnx.ONNXProgram:
    """Return the graph of a network whose input is like ``x``, but for the axes in ``sizes``."""
    program = torch.onnx.export(
        network,
        (x,),
        input_names=[names.X],
        output_names=outputs,
        dynamic_shapes=(sizes,),
        dynamo=True,
        external_data=False,
        optimize=False,
        verbose=False,
    )
    assert program is not None  # it is where dynamo is True
    return program


def package(model: ModelProto, card: str) -> bytes:
    """Return a graph and its card as an ``.onnx`` file. It ends with the sha256 of all before."""
    for part in (model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        part.ClearField("metadata_props")  # traces with this machine's paths
    onnx.helper.set_model_props(model, {names.CARD: card})
    # Protobuf merges messages that follow each other.
    end = ModelProto(metadata_props=[StringStringEntryProto(key=names.SHA256, value=64 * "0")])
    contents = (model.SerializeToString() + end.SerializeToString())[:-64]
    return contents + hashlib.sha256(contents).hexdigest().encode()


def main(arguments: list[str] | None = None) -> int:
    """Write the ``.onnx`` files of the named models, or of all, anew; return the exit status."""
    parser = argparse.ArgumentParser(prog="run.sh export", description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="name or file; all if absent")
    try:
        for name in parser.parse_args(arguments).models or find_models(MODELS_DIR) or ["cnn"]:
            path = find_model(name)
            write_atomically({path: to_onnx(*load_network(path))})
            write_model_card(path.parent)
            print(f"written: {path}")
    except (DigitsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. What has been written is kept.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
