"""What makes a digit reader work on your own digit: the ladder's upper steps.

The lower steps are runs of the study. The upper ones are the deep network of `models/`, and the
same with its output layer fitted to a few of a person's own digits.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from evaluation.adaptation import draw_examples
from model.adaptation import fit_weights
from model.checkpoint import find_checkpoints, find_model, read_card
from model.classifier import Classifier
from model.config import MODELS_DIR, NUM_CLASSES
from study.permutations import UNPERMUTED
from study.pictures import MNIST, PREPROCESSED, REAL_PICTURES, RESIZED, RULE, TestSet
from study.results import Comparison
from study.runs import RECIPE

EXAMPLES = "own examples"
PER_DIGIT = 5  # examples of each digit of a writer of strokes
DRAWS = 5  # at random, of these
# What is added, step by step, and the network, augmentation, preprocessing and examples with it
STEPS = pd.DataFrame(
    [
        ("plain resizing, trained on plain MNIST", "cnn", "none", RESIZED, ""),
        ("MNIST's rule", "cnn", "none", RULE, ""),
        ("preprocessing of real pictures", "cnn", "none", PREPROCESSED, ""),
        ("augmentation", "cnn", "slight", PREPROCESSED, ""),
        ("synthetic handwriting", "cnn", RECIPE, PREPROCESSED, ""),
        ("the deep network", "deep", RECIPE, PREPROCESSED, ""),
        ("examples of your own hand", "deep", RECIPE, PREPROCESSED, EXAMPLES),
    ],
    columns=["step", "network", "augmentation", "preprocessing", "examples"],
)


def steps(comparison: Comparison) -> pd.DataFrame:
    """Return the ladder's rows of results with `step`."""
    steps_of = STEPS.assign(step=pd.Categorical(STEPS["step"], STEPS["step"]))
    by = ["network", "augmentation", "examples"]
    found = comparison.part("ladder").merge(steps_of, on=by, suffixes=("", "_"))
    # MNIST's own images have come by its rule already
    return found[(found["preprocessing"] == found["preprocessing_"]) | (found["on"] == MNIST)]


def can_give_examples(one: TestSet) -> bool:
    """Whether the set has a place on the ladder: of strokes, every writer wrote enough digits."""
    if not one.preprocessing or one.on == REAL_PICTURES:
        return True
    wrote = pd.crosstab(one.writers, one.digits.labels.numpy()).to_numpy()
    return wrote.shape[1] == NUM_CLASSES and wrote.min() > PER_DIGIT


def deep_keys() -> set[str]:
    """Return the key of the deep network of `models/`, if there is one: the hash of its weights."""
    paths = [path for name, path in find_checkpoints(MODELS_DIR).items() if name == "deep"]
    return {read_card(path)["sha256"] for path in paths}


def measure_deep(sets: list[TestSet]) -> pd.DataFrame:
    """Return rows of results of the deep network, without and with a person's examples.

    Raises:
        ModelFileError: there is no such model.
    """
    classifier = Classifier.load(find_model("deep"))
    card, training = classifier.card, classifier.card["training"]
    common = {
        "part": "ladder",
        **{"network": "deep", "pixels": UNPERMUTED, "augmentation": RECIPE},
        "images": card["data"]["training"],
        **{name: training[name] for name in ("epochs", "seed", "seconds")},
        "key": card["sha256"],
        "parameters": card["parameters"],
    }
    rows = [
        {**common, **one.columns, "examples": examples, "accuracy": accuracy}
        for one in sets
        if one.preprocessing in ("", PREPROCESSED)
        for examples, accuracy in measure(classifier, one).items()
    ]
    return pd.DataFrame(rows)


def measure(classifier: Classifier, one: TestSet) -> dict[str, float]:
    """Return the accuracy without examples, and with them that on what is no example."""
    labels = one.digits.labels.numpy()
    logits, features = classifier.forward(one.digits.images.numpy())
    accuracies = {"": float(np.mean(logits.argmax(axis=1) == labels))}
    if one.preprocessing:
        weights, bias = classifier.output_layer
        correct = []
        for examples, rest in folds(one):
            if len(examples):
                fitted = fit_weights(weights, bias, features[examples], labels[examples])
                logits[rest] = features[rest] @ fitted.T + bias
            correct.append(logits[rest].argmax(axis=1) == labels[rest])
        accuracies[EXAMPLES] = float(np.concatenate(correct).mean())
    return accuracies


def folds(one: TestSet) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield indices of a person's examples, and of what is read with them.

    Of real pictures each is read with all others of its author; of strokes each writer gives
    PER_DIGIT examples of each digit, DRAWS times, with which all others are read.
    """
    labels = one.digits.labels.numpy()
    for row, writer in enumerate(np.unique(one.writers)):
        indices = np.flatnonzero(one.writers == writer)
        if one.on == REAL_PICTURES:
            for index in range(len(indices)):
                yield np.delete(indices, index), indices[[index]]
        else:
            for number in range(DRAWS):
                examples = draw_examples(labels[indices], PER_DIGIT, [number, row])
                yield indices[examples], np.delete(indices, examples)
