"""Classify images with a trained network: calibrated probabilities, and whether each is a digit.

The API, the command line and the measurements share this. A model is one ``.onnx`` file that holds
the network and its card. ONNX Runtime runs it, without torch.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnxruntime as ort
from pydantic import BaseModel, ValidationError

from errors import ModelFileError
from model.card import Card, find_models, read_file, unusable
from model.config import IMAGE_SIZE, NUM_CLASSES, REJECTION_TEMPERATURE

NOT_A_DIGIT = "not_a_digit"
SEVERAL_DIGITS = "several_digits"
AMBIGUOUS = "ambiguous"
REASONS = {
    NOT_A_DIGIT: "The picture resembles no digit.",
    SEVERAL_DIGITS: (
        "The picture holds more than one digit: read it as a number, "
        "by predict --number or /api/v1/predict/number."
    ),
    AMBIGUOUS: "The picture could be either of two digits.",
}
# Ambiguous: two digits share this much probability, and the second one has so much.
_AMBIGUOUS_SHARE, _AMBIGUOUS_SECOND = 0.9, 0.2
_BATCH_SIZE = 16  # images in one pass, which bounds its memory

# Inputs and outputs of the graph. Then follow the outputs of the layers before the output layer,
# each with its layer's name, and the weights of these layers.
X = "x"
LOGITS, FEATURES = "logits", "features"  # (N, 10) and (N, d), what the output layer sees
WEIGHTS, BIAS = "weights", "bias"  # of the output layer, (10, d) and (10,)
OUTPUTS = [LOGITS, FEATURES, WEIGHTS, BIAS]
WEIGHT_SUFFIX = ".weight"
# The keys of the file's metadata
CARD, SHA256 = "card", "sha256"
C = TypeVar("C", bound=BaseModel)


@dataclass(frozen=True)
class Prediction:
    """What the network reads in one image.

    Attributes:
        digit: the likeliest digit, even if the image is rejected.
        confidence: its calibrated probability, 0-1.
        probabilities: of the ten digits, summing to 1.
        rejection_score: 0.1-1; below the model's threshold the image is rejected.
        is_digit: whether the image is accepted.
        reason: None, or one of ``REASONS``.
    """

    digit: int
    confidence: float
    probabilities: list[float]
    rejection_score: float
    is_digit: bool
    reason: str | None


class Classifier:
    """A trained network, ready to classify images of 28 x 28 pixels; safe to call from threads.

    Attributes:
        session: runs the network, which standardizes and permutes the pixels itself.
        card: the model card, with name, version, temperature and threshold.
        output_layer: weights (10, d) and bias (10,) that replace the trained ones, or None.
        examples: how many of a person's examples it has learnt.
        permutation: (784,) of the pixels, or None.
        layers: names of the layers before the output layer. The graph has an output of this name,
            and one with ``WEIGHT_SUFFIX`` for the layer's weights.
    """

    def __init__(
        self,
        session: ort.InferenceSession,
        card: Card,
        output_layer: tuple[np.ndarray, np.ndarray] | None = None,
        examples: int = 0,
    ) -> None:
        self.session, self.card, self.output_layer = session, card, output_layer
        self.examples = examples
        self.name, self.version = card.name, card.version
        self.temperature, self.threshold = card.temperature, card.threshold
        permutation = card.permutation
        self.permutation = None if permutation is None else np.array(permutation.indices)
        names = [output.name for output in session.get_outputs()][len(OUTPUTS) :]
        self.layers = [name for name in names if name + WEIGHT_SUFFIX in names]

    @classmethod
    def load(cls, path: Path) -> "Classifier":
        """Load the model in the ``.onnx`` file at ``path``.

        Raises:
            ModelFileError: the file is missing, damaged, or holds no model of this project.
        """
        session, card = load_session(path, Card)
        classifier = cls(session, card)
        try:
            logits, features = classifier.forward(np.zeros((1, IMAGE_SIZE, IMAGE_SIZE), np.uint8))
            weights, _ = classifier.trained_output_layer()
        except Exception as error:  # onnxruntime's errors share no base class but this
            fault = " ".join(str(error).split())
            raise unusable(path, f"it does not classify ({fault})") from error
        if logits.shape != (1, NUM_CLASSES) or weights.shape != (NUM_CLASSES, features.shape[1]):
            raise unusable(path, f"it does not give the logits of {NUM_CLASSES} digits")
        return classifier

    def trained_output_layer(self) -> tuple[np.ndarray, np.ndarray]:
        """Return weights (10, d) and bias (10,) of the last linear layer, float32."""
        blank = np.zeros((1, 1, IMAGE_SIZE, IMAGE_SIZE), np.float32)
        weights, bias = self.session.run([WEIGHTS, BIAS], {X: blank})
        return weights, bias

    def forward(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return logits (N, 10) and features (N, d), float32, of images (N, 28, 28) uint8."""
        return self.forward_input(to_input(images))

    def forward_input(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the same of x (N, 1, 28, 28) float32, 0 background, 1 ink."""
        parts = [
            self.session.run([LOGITS, FEATURES], {X: x[i : i + _BATCH_SIZE]})
            for i in range(0, len(x), _BATCH_SIZE)
        ]
        logits, features = map(np.concatenate, zip(*parts, strict=True))
        if self.output_layer is not None:
            weights, bias = self.output_layer
            logits = features @ weights.T + bias
        return logits, features

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities (N, 10) of logits (N, 10)."""
        return softmax(logits / self.temperature)

    def rejection_scores(self, logits: np.ndarray) -> np.ndarray:
        """Return the rejection scores (N,) of logits (N, 10); see ``rejection_score``."""
        return rejection_score(logits / self.temperature)

    def predict(self, images: np.ndarray) -> list[Prediction]:
        """Classify images (N, 28, 28) uint8, 0 background, 255 ink."""
        logits, _ = self.forward(images)
        probabilities, scores = self.probabilities(logits), self.rejection_scores(logits)
        return list(map(self._prediction, probabilities.tolist(), scores.tolist()))

    def _prediction(self, row: list[float], score: float) -> Prediction:
        first, second = sorted(row, reverse=True)[:2]
        is_digit = score >= self.threshold
        ambiguous = first + second >= _AMBIGUOUS_SHARE and second >= _AMBIGUOUS_SECOND
        reason = None if is_digit else AMBIGUOUS if ambiguous else NOT_A_DIGIT
        return Prediction(row.index(first), first, row, score, is_digit, reason)

    def model_input(self, image: np.ndarray) -> np.ndarray:
        """Return the image (28, 28) as the network sees it, with its pixels permuted or not."""
        if self.permutation is None:
            return image
        return image.reshape(-1)[self.permutation].reshape(IMAGE_SIZE, IMAGE_SIZE)


def load_session(path: Path, card: type[C]) -> tuple[ort.InferenceSession, C]:
    """Load the network and the card of this type from the ``.onnx`` file at ``path``.

    Raises:
        ModelFileError: the file is missing, damaged, or holds no such model.
    """
    model = read_file(path)
    if hashlib.sha256(model[:-64]).hexdigest().encode() != model[-64:]:
        raise unusable(path, "it is damaged (its sha256 differs), or no model of this version")
    try:
        session = start(model)
        text = session.get_modelmeta().custom_metadata_map.get(CARD, "")
        # Not validate_json, which lets NaN pass inside a JsonValue
        return session, card.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise unusable(path, f"its card is wrong: {place} {first['msg']}") from error
    except Exception as error:  # onnxruntime's errors share no base class but this
        raise unusable(path, f"it holds no model ({' '.join(str(error).split())})") from error


def start(model: bytes) -> ort.InferenceSession:
    """Start ONNX Runtime on a model, with one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors are raised
    options.enable_cpu_mem_arena = False  # an arena keeps the memory of the largest batch
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the softmax of each row of (N, 10), in the precision of ``logits``."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def rejection_score(logits: np.ndarray) -> np.ndarray:
    """Return the score for rejection (N,), 0.1-1, of calibrated logits (N, 10).

    It is the likeliest digit's probability at a high temperature. Then all ten digits count, and
    outliers lie farther from digits (S. Liang, Y. Li and R. Srikant, "Enhancing the reliability of
    out-of-distribution image detection in neural networks", ICLR 2018).
    """
    return softmax(logits / REJECTION_TEMPERATURE).max(axis=1)


def to_input(images: np.ndarray) -> np.ndarray:
    """Turn images (N, 28, 28) uint8 into x (N, 1, 28, 28) float32 in [0, 1]."""
    return images[:, None].astype(np.float32) / np.float32(255)


def load_classifiers(folder: Path) -> tuple[dict[str, Classifier], dict[str, str]]:
    """Load every model of a folder.

    Returns:
        The classifiers by name, and by name why the others cannot be used.
    """
    classifiers: dict[str, Classifier] = {}
    failures: dict[str, str] = {}
    for name, path in find_models(folder).items():
        try:
            classifier = Classifier.load(path)
            if classifier.name != name:
                raise unusable(path, f"it holds the model {classifier.name!r}")
            classifiers[name] = classifier
        except ModelFileError as error:
            failures[name] = str(error)
    return classifiers, failures
