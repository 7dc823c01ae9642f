"""The numbers here are few: how well numbers are read with the weights is tested where they are."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.support.out_of_distribution import word

from model.numbers.choose import Weights, best_path
from model.numbers.fit import (
    FITTED,
    calibrate,
    examples_of,
    fit,
    log_likelihood,
    synthetic_samples,
)
from model.numbers.write import Number, numbers_of_writers


@pytest.fixture(scope="module")
def examples(cnn):
    rng = np.random.default_rng(0)
    numbers = numbers_of_writers(synthetic_samples(200, seed=1), 12, (0.0, 0.2), seed=2)
    numbers += [Number(None, word(rng)) for _ in range(4)]
    return examples_of(cnn, numbers)


def tensors(weights: Weights):
    return {name: torch.tensor(getattr(weights, name), dtype=torch.float32) for name in FITTED}


def test_the_likelihood_is_the_probability_that_the_best_path_states(examples):
    weights = replace(Weights.load(), calibration=(1.0, 0.0))
    compared = 0
    for example in examples:
        path = best_path(example.segments, example.features, example.probabilities, weights)
        expected = [(None, 1 - path.number)]
        if -1 not in path.labels:
            expected.append(("".join(map(str, path.labels)), path.confidence))
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
