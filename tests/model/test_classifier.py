"""Classifying images: calibrated probabilities, rejections with reasons, files that are wrong."""

import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from tests.support.networks import card, change_card, seal

from model.card import find_models
from model.classifier import (
    AMBIGUOUS,
    NOT_A_DIGIT,
    REASONS,
    Classifier,
    load_classifiers,
    rejection_score,
    to_input,
)
from model.config import MODELS_DIR, REJECTION_TEMPERATURE


class Fixed:
    """A network that gives the logits of a list, one row per image after another."""

    def __init__(self, rows):
        self.rows = iter(rows)

    def get_outputs(self):
        return []

    def run(self, outputs, inputs):
        x = inputs["x"]
        logits = np.stack([next(self.rows) for _ in x]).astype(np.float32)
        return logits, x.reshape(len(x), -1)


def classifier_of(*rows, **settings):
    return Classifier(Fixed(rows), card(**settings))


def spread(**probabilities):
    """Ten probabilities, those not given sharing what is left."""
    given = {int(key[1:]): value for key, value in probabilities.items()}
    rest = (1 - sum(given.values())) / (10 - len(given))
    return [given.get(digit, rest) for digit in range(10)]


BLANK = np.zeros((1, 28, 28), np.uint8)


def test_a_sure_digit_is_read_with_its_probability_at_the_models_temperature():
    prediction = classifier_of(2 * np.log(spread(_7=0.91)), temperature=2.0).predict(BLANK)[0]
    assert (prediction.digit, prediction.is_digit, prediction.reason) == (7, True, None)
    assert prediction.confidence == pytest.approx(0.91)
    assert prediction.probabilities == pytest.approx(spread(_7=0.91))


@pytest.mark.parametrize(
    ("probabilities", "reason"),
    [
        (spread(_4=0.2), NOT_A_DIGIT),
        (spread(_4=0.48, _9=0.47), AMBIGUOUS),
        (spread(_4=0.85, _9=0.1), NOT_A_DIGIT),  # one of the two is sure
    ],
)
def test_what_is_unsure_is_rejected_with_a_reason_and_keeps_its_likeliest_digit(
    probabilities, reason
):
    prediction = classifier_of(np.log(probabilities), threshold=0.5).predict(BLANK)[0]
    assert (prediction.digit, prediction.is_digit, prediction.reason) == (4, False, reason)
    assert reason in REASONS


def test_the_rejection_score_is_the_confidence_at_a_higher_temperature():
    probabilities = np.array([spread(_3=0.91)])
    by_hand = 0.91**0.2 / (0.91**0.2 + 9 * 0.01**0.2)
    assert REJECTION_TEMPERATURE == 5
    assert rejection_score(np.log(probabilities)).item() == pytest.approx(by_hand)
    assert rejection_score(np.zeros((1, 10))).item() == pytest.approx(0.1)
    cold = classifier_of(temperature=0.5).rejection_scores(np.log(probabilities) / 2)
    assert cold.item() == pytest.approx(by_hand)


def test_what_is_shown_of_a_permuted_model_has_pixel_p_of_i_at_i():
    indices = np.random.default_rng(1).permutation(784)
    image = (np.arange(784).reshape(28, 28) % 251).astype(np.uint8)
    classifier = classifier_of(permutation={"seed": 1, "indices": indices.tolist()})
    shown = classifier.model_input(image).reshape(-1)
    assert all(shown[place] == image.reshape(-1)[indices[place]] for place in (0, 5, 783))


def test_the_network_is_given_ink_of_1_on_background_0_and_its_features_are_handed_on():
    images = np.zeros((70, 28, 28), np.uint8)  # more than one pass of the network
    images[69, 3, 4] = 255
    logits, features = classifier_of(*[np.arange(10)] * 70).forward(images)
    assert (logits.shape, features.shape) == ((70, 10), (70, 784))
    assert features[69, 3 * 28 + 4] == 1
    assert features.sum() == 1
    assert to_input(images).dtype == np.float32


@pytest.fixture
def models(tmp_path):
    """A folder with the shipped cnn and mlp."""
    for name in ("cnn", "mlp"):
        shutil.copy(find_models(MODELS_DIR)[name], tmp_path)
    return tmp_path


def change(**entries):
    return lambda path: change_card(path, **entries)


def holding(data):
    return lambda path: path.write_bytes(data(path.read_bytes()))


def instead(make):
    return lambda path: (path.unlink(), make(path))


DEEP = find_models(MODELS_DIR)["deep"]
PERMUTATION = {"seed": 1, "indices": [0, 0]}


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (holding(lambda data: data[:9000] + b"x" + data[9001:]), "damaged"),
        (holding(lambda data: data[:1000]), "damaged"),
        (holding(lambda data: seal(os.urandom(1000))), "holds no model"),
        (lambda path: shutil.copy(DEEP, path), "holds the model 'deep'"),
        (instead(os.mkdir), "cannot be read"),
        (instead(lambda path: path.symlink_to(path)), "cannot be read"),
        (change(temperature="1"), "temperature Input should be a valid nu"),
        (change(temperature=-1.0), "temperature .* greater than 0"),
        (change(threshold=float("nan")), "threshold .* finite"),
        (change(training={"history": [float("nan")]}), "training.history.* finite"),
        (change(permutation=PERMUTATION), "permutation"),
        (change(reader={}), "reader Extra inputs"),
        (change(text="[" * 400_000), "recursion"),
    ],
)
def test_a_model_that_cannot_be_used_is_one_sentence_and_the_others_are_loaded(
    models, damage, fault
):
    damage(models / "mnist-0.0.1.onnx")
    classifiers, failures = load_classifiers(models)
    assert set(classifiers) == {"mlp"}
    assert re.search(f"{fault}.*; train it with: bash run.sh cnn$", failures["cnn"])


def test_the_command_line_the_api_and_the_classifier_import_no_torch_and_no_training_code():
    code = (
        "import sys, model.classifier, predict, app.main\n"
        "bad = {'torch', 'torchvision', 'scipy', 'matplotlib', 'onnx', 'model.train',"
        " 'model.data', 'model.export'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": "src"}, check=True)
