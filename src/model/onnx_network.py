"""A trained network as ONNX Runtime runs it; neither torch nor training code.

The ONNX form lies beside the weights and records their sha256. Where it is missing or belongs to
other weights, a child process that has torch makes it anew.
"""

import importlib.util
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort

from errors import ModelFileError
from model.card import ModelCard
from model.checkpoint import read_verified_card, write_atomically

# The names of the form's inputs and outputs, and of its metadata
X = "x"
LOGITS = "logits"
FEATURES = "features"  # (N, d), what the output layer sees
WEIGHTS, BIAS = "weights", "bias"  # of the output layer
WITH_MAPS = "with_maps"  # an optional input, false: whether to compute the outputs `map_name`
SHA256 = "sha256"  # of the weights
LAYERS = "layers"  # the names of the convolutions, a JSON list
EXPORT_SECONDS = 120
logger = logging.getLogger("digits")


def map_name(layer: str) -> str:
    """Return the name of the output with the feature maps of a convolution."""
    return f"map:{layer}"


def onnx_path(path: Path) -> Path:
    """Return where the ONNX form of the weights at ``path`` lies."""
    return path.with_suffix(".onnx")


class OnnxNetwork:
    """A network that computes logits and features with one thread; safe to call from many.

    Attributes:
        sha256: of the weights that the form was made from.
        output_layer: the last linear layer: weights (10, d) and bias (10,), float32.
    """

    def __init__(self, form: bytes) -> None:
        """Load the bytes of a form.

        Raises:
            ModelFileError: they are damaged, or no form of this project.
        """
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors alone; it warns of inputs with a default
        options.enable_cpu_mem_arena = False  # it would keep what the largest batch needed
        try:
            self._session = ort.InferenceSession(form, options, providers=["CPUExecutionProvider"])
            metadata = self._session.get_modelmeta().custom_metadata_map
            self.sha256: str = metadata[SHA256]
            self._layers: list[str] = json.loads(metadata[LAYERS])
            blank = np.zeros((1, 1, 28, 28), np.float32)
            weights, bias = self._session.run([WEIGHTS, BIAS], {X: blank})
        except Exception as error:  # onnxruntime's errors share no base class but this
            raise ModelFileError(
                f"The ONNX form cannot be used ({error}); write it again with: bash run.sh export"
            ) from error
        self.output_layer: tuple[np.ndarray, np.ndarray] = weights, bias

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return logits (N, 10) and features (N, d) of x (N, 1, 28, 28), all float32."""
        logits, features = self._session.run([LOGITS, FEATURES], {X: x})
        return logits, features

    def feature_maps(self, x: np.ndarray) -> list[tuple[str, np.ndarray]]:
        """Return name and output (N, channels, h, w) of each convolution; none for an MLP."""
        if not self._layers:
            return []
        names = [map_name(layer) for layer in self._layers]
        maps = self._session.run(names, {X: x, WITH_MAPS: np.array(True)})
        return list(zip(self._layers, maps, strict=True))


def load_network(path: Path) -> tuple[OnnxNetwork, ModelCard]:
    """Return the network whose weights lie at ``path``, in its ONNX form, and its card.

    Raises:
        ModelFileError: the weights are missing, unreadable or not those of the card; or the form is
            missing, unreadable or stale and cannot be made here.
    """
    card = read_verified_card(path)
    try:
        network = OnnxNetwork(onnx_path(path).read_bytes())
        if network.sha256 == card.get("sha256"):
            return network, card
        fault = "belongs to other weights"
    except FileNotFoundError:
        fault = "is missing"
    except OSError as error:
        fault = f"cannot be read ({error.strerror})"
    except ModelFileError:
        fault = "is damaged"
    return OnnxNetwork(_export_in_child(path, fault)), card


def _export_in_child(path: Path, fault: str) -> bytes:
    """Make the form of ``path`` in a process that imports torch, keep it if that is allowed."""
    name = onnx_path(path).name
    if importlib.util.find_spec("torch") is None:
        raise ModelFileError(
            f"{name} {fault}, and torch is not installed to write it; run: bash run.sh export "
            f"(or: docker compose run --rm train export)"
        )
    logger.warning("%s %s: it is written now, which takes some seconds", name, fault)
    remedy = f"write it with: bash run.sh export {path}"
    command = [sys.executable, "-m", "model.training.export", "--stdout", str(path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    try:
        child = subprocess.run(
            command, env=environment, capture_output=True, timeout=EXPORT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ModelFileError(
            f"{name} could not be written in {EXPORT_SECONDS} s; {remedy}"
        ) from error
    if child.returncode != 0:
        said = child.stderr.decode(errors="replace")
        raise ModelFileError(
            said.rpartition("error: ")[2].strip() or f"{name} could not be written; {remedy}"
        )
    try:
        write_atomically(onnx_path(path), lambda file: file.write(child.stdout))
    except OSError as error:
        logger.warning("%s is kept in memory alone: %s", name, error)
    return child.stdout
