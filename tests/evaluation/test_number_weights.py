"""The numbers here are few: how well numbers are read with the weights is tested where they are."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from evaluation import number_weights
from evaluation.__main__ import main
from evaluation.number_weights import (
    FITTED,
    calibrate,
    examples_of,
    fit,
    log_likelihood,
    rows_of_mnist,
    write_weights,
)
from evaluation.numbers import Number, numbers_of_writers, synthetic_samples, word
from model.checkpoint import find_model
from model.classifier import Classifier
from model.data.mnist import load_mnist
from model.numbers import choose
from model.numbers.choose import Weights, best_path


@pytest.fixture(scope="module")
def examples():
    rng = np.random.default_rng(0)
    numbers = numbers_of_writers(synthetic_samples(200, seed=1), 12, (0.0, 0.2), seed=2)
    numbers += [Number(None, word(rng)) for _ in range(4)]
    return examples_of(Classifier.load(find_model("cnn")), numbers)


def tensors(weights: Weights):
    return {name: torch.tensor(getattr(weights, name), dtype=torch.float32) for name in FITTED}


def test_the_likelihood_is_the_probability_that_the_best_path_states(examples):
    weights = replace(Weights.load(), calibration=(1.0, 0.0))
    compared = 0
    for example in examples:
        path = best_path(example.segments, example.features, example.probabilities, weights)
        text = "".join(map(str, path.labels))
        expected = [(None, 1 - path.number)]
        if -1 not in path.labels:
            expected.append((text, path.confidence))
        for text, probability in expected:
            found = math.exp(log_likelihood(replace(example, text=text), tensors(weights)))
            assert found == pytest.approx(probability, abs=1e-4)
            compared += 1
    assert compared > len(examples)


def test_a_fit_makes_what_it_has_seen_likelier(examples):
    before = Weights.load()
    after = fit(examples, before)
    seen = [e for e in examples if log_likelihood(e, tensors(before)) > -100]
    likelihood = [sum(log_likelihood(e, tensors(w)).item() for e in seen) for w in (before, after)]
    assert likelihood[1] > likelihood[0]
    assert after.calibration == before.calibration


def test_the_mean_confidence_is_the_share_of_numbers_that_are_right(examples):
    one_wrong = replace(examples[0], text="9" + examples[0].text)
    numbers = [one_wrong, *(e for e in examples[1:] if e.text is not None)]
    weights = calibrate(numbers, Weights.load())
    paths = [best_path(e.segments, e.features, e.probabilities, weights) for e in numbers]
    right = ["".join(map(str, p.labels)) == e.text for p, e in zip(paths, numbers, strict=True)]
    assert 0 < sum(right) < len(right)
    assert np.mean([path.confidence for path in paths]) == pytest.approx(np.mean(right), abs=0.01)


def test_a_row_shows_its_digits_from_left_to_right():
    digits = load_mnist("sample").training
    rows = rows_of_mnist(digits, 10, seed=0)
    for row in rows[::2]:  # those that do not stand closer
        factor = len(row.image) // 28
        assert row.image.shape == (28 * factor, 28 * factor * len(row.text))
    first = next(row for row in rows[::2] if len(row.image) == 28)
    for place, character in enumerate(first.text):
        image = first.image[:, 28 * place : 28 * (place + 1)]
        same = (digits.images.numpy() == image).all(axis=(1, 2))
        assert int(character) in digits.labels[same].tolist()


def test_the_command_writes_weights_that_can_be_read(tmp_path, monkeypatch):
    path, shipped = tmp_path / "weights.json", Weights.load()
    monkeypatch.setattr(number_weights, "load_mnist", lambda _: load_mnist("sample"))
    monkeypatch.setattr(number_weights, "STEPS", 2)
    assert main(["number-weights", "--count", "8", "--output", str(path)]) == 0
    monkeypatch.setattr(choose, "WEIGHTS_FILE", path)
    written = Weights.load()
    write_weights(written, tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text()) == json.loads(path.read_text())
    assert written.digit.shape == shipped.digit.shape
    assert (written.digit != shipped.digit).any()
