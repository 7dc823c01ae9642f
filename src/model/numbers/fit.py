"""Fit the weights that choose the digits of a number: ``python -m model.numbers.fit FOLDER``.

Numbers are rows of MNIST's training images and of synthetic digits, read by cnn and deep. FOLDER
has pictures without a number, as tests.support.out_of_distribution writes them: --numbers
--count 500 --seed 100. The likelihood of a number is that of all paths that spell it, however they
cut it; that of any other picture is that of all paths with an outlier.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from tqdm import tqdm

from model.card import find_model, write_atomically
from model.classifier import Classifier
from model.config import NUM_CLASSES
from model.data.mnist import Digits, load_mnist
from model.data.pictures import load_pictures
from model.data.strokes import StrokeSample
from model.data.synthetic.digits import write_digits
from model.numbers import choose
from model.numbers.choose import MIN_PROBABILITY, Weights
from model.numbers.cut import cut_line, stroke_width
from model.numbers.find import find_lines
from model.numbers.read import MIN_NUMBER, describe
from model.numbers.write import GAPS, Number, numbers_of_writers
from model.preprocessing.decode import luminance, open_image
from model.preprocessing.normalize import normalize

FITTED = ("digit", "outlier", "label", "probability")
L2 = 3e-4  # on all weights
STEPS = 80  # of L-BFGS
IMPOSSIBLE = -1e6  # log likelihood of what no path spells; minus infinity has no gradient
COUNT, SEED = 500, 100  # numbers of each kind, and of what is written


@dataclass(frozen=True)
class Example:
    """The lattice of a line, as `model.numbers.read` makes it, and its text, if any."""

    text: str | None
    segments: list[choose.Segment]
    features: tuple[np.ndarray, np.ndarray]
    probabilities: np.ndarray


def rows_of_mnist(digits: Digits, count: int, seed: int) -> list[Number]:
    """Return numbers of 2 to 6 images side by side; in every second one they stand closer."""
    rng = np.random.default_rng(seed)
    rows = []
    for index in range(count):
        chosen = torch.from_numpy(rng.integers(len(digits), size=rng.integers(2, 7)))
        parts = list(digits.images[chosen].numpy())
        if index % 2:
            parts = [part[:, part.any(axis=0)] for part in parts]
            parts = [np.pad(part, ((0, 0), (0, int(rng.integers(1, 9))))) for part in parts]
        factor = rng.choice([1, 1, 2, 3, 5])
        row = cv2.resize(np.hstack(parts), None, fx=factor, fy=factor)
        rows.append(Number("".join(map(str, digits.labels[chosen].tolist())), row))
    return rows


def synthetic_samples(count: int, seed: int) -> list[StrokeSample]:
    """Return synthetic digits as the samples of one writer, whose digits vary in size."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, NUM_CLASSES, (count,), generator=generator)
    curves, present = write_digits(labels, generator)
    curves = curves * torch.exp(0.15 * torch.randn(count, 1, 1, 1, generator=generator))
    samples = []
    for label, drawn, shown in zip(labels.tolist(), curves, present, strict=True):
        strokes = [[(x, y) for x, y in stroke] for stroke in drawn[shown].tolist()]
        samples.append(StrokeSample(label=label, writer="synthetic", strokes=strokes))
    return samples


def examples_of(classifier: Classifier, numbers: Sequence[Number]) -> list[Example]:
    """Return the lattices of pictures that are found to be one line."""
    examples = []
    for number in tqdm(numbers, classifier.name, disable=None):
        lines = find_lines(normalize(Image.fromarray(number.image)).foreground)
        if len(lines) != 1:
            continue
        height, stroke = lines[0].height, stroke_width(lines[0])
        pieces = cut_line(lines[0])
        segments = choose.segments_of(pieces, height)
        predictions = classifier.predict(np.stack([segment.image for segment in segments]))
        described = describe(segments, pieces, height, stroke, predictions)
        examples.append(Example(number.text, segments, *described))
    return examples


def log_likelihood(example: Example, weights: dict[str, Tensor]) -> Tensor:
    """Return the logarithm of the probability that the lattice spells the example's text.

    See `model.numbers.choose.best_path`, which does the same without gradients.
    """
    common, by_label = (torch.from_numpy(f).float() for f in example.features)
    known = torch.from_numpy(np.maximum(example.probabilities, MIN_PROBABILITY)).float().log()
    digit = (common @ weights["digit"])[:, None] + by_label @ weights["label"].T
    digit = digit + weights["probability"] * known
    of_digits = digit.logsumexp(dim=1)
    every = torch.logaddexp(of_digits, common @ weights["outlier"])
    labels = [int(character) for character in example.text or ""]
    scores = torch.column_stack([every, of_digits, digit[:, labels]])  # (S, 2 + L)
    ending: dict[int, list[int]] = {}
    for index, segment in enumerate(example.segments):
        ending.setdefault(segment.stop, []).append(index)
    # columns: all paths, those of digits alone, those that spell the text's first 0, 1, ... digits
    nothing = torch.full((1,), IMPOSSIBLE)
    sums = {0: torch.cat([torch.zeros(3), nothing.expand(len(labels))])}
    for node in sorted(ending):
        before = torch.stack([sums[example.segments[index].first] for index in ending[node]])
        total = (torch.hstack([before[:, :2], before[:, 2:-1]]) + scores[ending[node]]).logsumexp(0)
        sums[node] = torch.cat([total[:2], nothing, total[2:]])
    total, number, *_, spelled = sums[max(ending)]
    if example.text is not None:
        return spelled - total
    return torch.log(-torch.expm1((number - total).clamp(max=-1e-6)))


def fit(examples: Sequence[Example], start: Weights) -> Weights:
    """Return the likeliest weights, found by L-BFGS from `start`; its calibration stays."""
    fitted = {
        name: torch.tensor(getattr(start, name), dtype=torch.float32, requires_grad=True)
        for name in FITTED
    }
    with torch.no_grad():  # a number whose digits are not cut apart teaches nothing
        possible = [e for e in examples if log_likelihood(e, fitted) > IMPOSSIBLE / 2]
    optimizer = torch.optim.LBFGS(fitted.values(), max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimizer.zero_grad()
        penalty = L2 * torch.stack([w.square().sum() for w in fitted.values()]).sum()
        penalty.backward()
        value = penalty.item()
        for example in possible:
            part = -log_likelihood(example, fitted) / len(possible)
            part.backward()
            value += part.item()
        return value

    optimizer.step(loss)
    digit, outlier, label, probability = (fitted[name].detach().double().numpy() for name in FITTED)
    return Weights(digit, outlier, label, float(probability), start.calibration)


def calibrate(examples: Sequence[Example], weights: Weights) -> Weights:
    """Return the weights with a confidence that says how often what is called a number is right."""
    plain = replace(weights, calibration=(1.0, 0.0))
    odds, right = [], []
    for example in examples:
        path = choose.best_path(example.segments, example.features, example.probabilities, plain)
        if example.text is not None and -1 not in path.labels and path.number >= MIN_NUMBER:
            odds.append([logit(path.confidence)])
            right.append("".join(map(str, path.labels)) == example.text)
    line = LogisticRegression(C=np.inf).fit(odds, right)
    return replace(weights, calibration=(float(line.coef_[0, 0]), float(line.intercept_[0])))


def main() -> None:
    samples = synthetic_samples(2000, SEED)
    numbers = rows_of_mnist(load_mnist("mnist").training, 2 * COUNT, SEED)
    for gaps in GAPS.values():
        numbers += numbers_of_writers(samples, COUNT // 2, gaps, SEED)
    for path in load_pictures(Path(sys.argv[1]))["data"]:
        numbers.append(Number(None, luminance(open_image(path.read_bytes()))))
    checked = [n for gaps in GAPS.values() for n in numbers_of_writers(samples, COUNT, gaps, SEED)]
    classifiers = [Classifier.load(find_model(name)) for name in ("cnn", "deep")]
    weights = fit([e for c in classifiers for e in examples_of(c, numbers)], Weights.load())
    weights = calibrate([e for c in classifiers for e in examples_of(c, checked)], weights)
    rounded = {name: np.round(getattr(weights, name), 3).tolist() for name in FITTED}
    rounded["calibration"] = np.round(weights.calibration, 2).tolist()
    write_atomically({choose.WEIGHTS_FILE: json.dumps(rounded).encode()})


if __name__ == "__main__":
    main()
