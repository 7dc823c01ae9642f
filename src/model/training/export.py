"""Write a trained network in the form that is served (ONNX): ``bash run.sh export [MODEL...]``."""

import argparse
import contextlib
import json
import sys
from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper
from onnxscript.optimizer import fold_constants, remove_unused_nodes
from torch import Tensor, nn

from errors import DigitsError, ModelFileError, OptionError
from model.checkpoint import (
    Checkpoint,
    find_checkpoints,
    find_model,
    load_checkpoint,
    write_atomically,
)
from model.config import IMAGE_SIZE, MODELS_DIR
from model.onnx_network import (
    BIAS,
    FEATURES,
    LAYERS,
    LOGITS,
    SHA256,
    WEIGHTS,
    WITH_MAPS,
    X,
    map_name,
    onnx_path,
)
from model.registry import standardize


class Served(nn.Module):
    """A network from pixels in [0, 1] to what serving needs of it."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.network = checkpoint.network
        self.permutation = checkpoint.permutation
        self.output_layer = [m for m in self.network.modules() if isinstance(m, nn.Linear)][-1]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return logits (N, 10), features (N, d), the output layer's weights (10, d) and bias."""
        features: list[Tensor] = []
        hook = self.output_layer.register_forward_pre_hook(
            lambda _, inputs: features.extend(inputs)
        )
        logits = self.network(standardize(x, self.permutation))
        hook.remove()
        return logits, features[0], self.output_layer.weight, self.output_layer.bias


class FeatureMaps(Served):
    """The same network to what its convolutions give."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        named = self.network.named_modules()
        self.convolutions = {name: m for name, m in named if isinstance(m, nn.Conv2d)}

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the output (N, channels, h, w) of each convolution."""
        maps: list[Tensor] = []
        hooks = [
            convolution.register_forward_hook(lambda _, inputs, output: maps.append(output))
            for convolution in self.convolutions.values()
        ]
        self.network(standardize(x, self.permutation))
        for hook in hooks:
            hook.remove()
        return tuple(maps)


def to_onnx(path: Path) -> bytes:
    """Return the ONNX form of the model whose weights lie at ``path``.

    Its input is ``x`` (N, 1, 28, 28) float32, 0 background, 1 ink: standardization and the
    permutation of the pixels are inside. Its outputs are described in ``model.onnx_network``.

    Raises:
        ModelFileError: the weights or their card are missing, damaged, or do not fit each other.
    """
    checkpoint = load_checkpoint(path)
    model = _export(Served(checkpoint), [LOGITS, FEATURES, WEIGHTS, BIAS])
    maps = FeatureMaps(checkpoint)
    layers = list(maps.convolutions)
    if layers:
        _add_on_demand(model.graph, _export(maps, [map_name(layer) for layer in layers]).graph)
    entries = {SHA256: checkpoint.card["sha256"], LAYERS: json.dumps(layers)}
    helper.set_model_props(model, entries)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _export(module: nn.Module, outputs: list[str]) -> onnx.ModelProto:
    """Trace a module."""
    example = torch.zeros(2, 1, IMAGE_SIZE, IMAGE_SIZE)
    program = torch.onnx.export(
        module.eval(),
        (example,),
        input_names=[X],
        output_names=outputs,
        dynamic_shapes=({0: torch.export.Dim("N")},),
        dynamo=True,
        external_data=False,
        optimize=False,
        verbose=False,
    )
    if program is None:
        raise ModelFileError("torch has exported nothing; report it with the version of torch.")
    # Everything else is left to the runtime: joined layers would share no weights with the maps.
    fold_constants(program.model)
    remove_unused_nodes(program.model)
    model = program.model_proto
    for part in (model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        part.ClearField("metadata_props")  # traces with this machine's paths
    return model


def _add_on_demand(graph: onnx.GraphProto, requested: onnx.GraphProto) -> None:
    """Add the outputs of ``requested`` to ``graph``, computed only where ``WITH_MAPS`` is true.

    They stand in the branch of an ``If``: as plain outputs they would keep the runtime from
    joining each convolution with what follows it, up to a tenth of the time of every prediction.
    """
    prefix = "maps/"
    outer = {X, *(initializer.name for initializer in graph.initializer)}
    outputs = [output.name for output in requested.output]

    def renamed(names: list[str]) -> list[str]:
        kept = {"", *outer, *outputs}
        return [name if name in kept else prefix + name for name in names]

    for node in requested.node:
        node.input[:] = renamed(list(node.input))
        node.output[:] = renamed(list(node.output))
        node.name = prefix + node.name
    for initializer in requested.initializer:  # weights that both have are shared
        if initializer.name not in outer:
            initializer.name = prefix + initializer.name
            graph.initializer.append(initializer)
    then = helper.make_graph(list(requested.node), "maps", [], requested.output)
    otherwise = helper.make_graph(
        [helper.make_node("Constant", [], [o.name], value=_empty(o)) for o in requested.output],
        "no_maps",
        [],
        requested.output,
    )
    graph.node.append(
        helper.make_node("If", [WITH_MAPS], outputs, then_branch=then, else_branch=otherwise)
    )
    # An input with a value need not be given.
    graph.input.append(helper.make_tensor_value_info(WITH_MAPS, TensorProto.BOOL, []))
    graph.initializer.append(helper.make_tensor(WITH_MAPS, TensorProto.BOOL, [], [False]))
    graph.output.extend(requested.output)


def _empty(output: onnx.ValueInfoProto) -> onnx.TensorProto:
    """The output for no images."""
    dims = [dim.dim_value for dim in output.type.tensor_type.shape.dim]  # 0 where it is N
    return helper.make_tensor(output.name, TensorProto.FLOAT, dims, [])


def export(path: Path) -> Path:
    """Write the ONNX form beside the weights at ``path``, atomically; return where it is."""
    form = to_onnx(path)
    write_atomically(onnx_path(path), lambda file: file.write(form))
    return onnx_path(path)


def main(arguments: list[str] | None = None) -> int:
    """Export the models that were named, or all of them; return the exit status."""
    parser = argparse.ArgumentParser(prog="run.sh export", description=__doc__)
    parser.add_argument(
        "models", nargs="*", metavar="MODEL", help="name or .pt file; every model if absent"
    )
    parser.add_argument(
        "--stdout", action="store_true", help="write the bytes of one model to standard output"
    )
    options = parser.parse_args(arguments)
    try:
        if options.stdout:
            write_to_stdout(options.models)
            return 0
        names = options.models or list(find_checkpoints(MODELS_DIR))
        if not names:
            raise ModelFileError(
                f"There are no models in {MODELS_DIR}; train one with: bash run.sh cnn"
            )
        for path in map(find_model, names):
            print(f"written: {export(path)}")
    except (DigitsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. What has been written is kept.", file=sys.stderr)
        return 130
    return 0


def write_to_stdout(names: list[str]) -> None:
    """Write the bytes of the ONNX form of the one model named to standard output.

    Raises:
        OptionError: several models are named, or none.
        ModelFileError: as for `to_onnx`.
    """
    if len(names) != 1:
        raise OptionError(f"--stdout writes one model, {len(names)} are named: name exactly one.")
    with contextlib.redirect_stdout(sys.stderr):  # torch may say something
        form = to_onnx(find_model(names[0]))
    sys.stdout.buffer.write(form)


if __name__ == "__main__":
    sys.exit(main())
