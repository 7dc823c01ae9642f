"""Classifying images: calibrated probabilities, rejections with reasons, files that are wrong."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

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
    softmax,
    to_input,
)
from model.config import MODELS_DIR, REJECTION_TEMPERATURE


def fixed(*rows):
    """A network that gives the logits of a list, one row per image after another."""
    remaining = list(rows)

    def network(x):
        logits = np.stack([remaining.pop(0) for _ in x]).astype(np.float32)
        return logits, x.reshape(len(x), -1)

    return network


def classifier_of(*rows, **settings):
    return Classifier(card(**settings), fixed(*rows))


def spread(**probabilities):
    """Ten probabilities, those not given sharing what is left."""
    given = {int(key[1:]): value for key, value in probabilities.items()}
    rest = (1 - sum(given.values())) / (10 - len(given))
    return [given.get(digit, rest) for digit in range(10)]


BLANK = np.zeros((1, 28, 28), np.uint8)


def test_a_sure_digit_is_read_with_its_probability():
    prediction = classifier_of(np.log(spread(_7=0.91))).predict(BLANK)[0]
    assert (prediction.digit, prediction.is_digit, prediction.reason) == (7, True, None)
    assert prediction.confidence == pytest.approx(0.91)
    assert prediction.probabilities == pytest.approx(spread(_7=0.91))


def test_the_temperature_divides_the_logits():
    rows = [np.array([4.0] + 9 * [0.0])]
    prediction = classifier_of(*rows, temperature=2.0).predict(BLANK)[0]
    assert prediction.confidence == pytest.approx(np.exp(2) / (np.exp(2) + 9))


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


def test_logits_far_apart_give_certainty_and_no_overflow():
    far = np.array([[1000.0] + 9 * [0.0]], np.float32)
    assert softmax(far).tolist() == [[1.0] + 9 * [0.0]]
    assert rejection_score(far).item() == 1.0


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
def models(tmp_path: Path) -> Path:
    """A folder with the shipped cnn and mlp."""
    for name in ("cnn", "mlp"):
        shutil.copy(find_models(MODELS_DIR)[name], tmp_path)
    return tmp_path


def flip_a_bit(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def become_a_pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (flip_a_bit, "damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:1000]), "damaged"),
        (lambda path: path.write_bytes(seal(os.urandom(1000))), "cannot be run"),
        (become_a_pipe, "no regular file"),
        (lambda path: shutil.copy(find_models(MODELS_DIR)["deep"], path), "holds the model 'deep'"),
        (lambda path: change_card(path, temperature="1"), "temperature Input should be a valid nu"),
        (lambda path: change_card(path, temperature=-1.0), "temperature .* greater than 0"),
        (lambda path: change_card(path, threshold=float("nan")), "threshold .* finite"),
        (lambda path: change_card(path, permutation={"seed": 1, "indices": [0, 0]}), "permutation"),
        (lambda path: change_card(path, reader={}), "reader Extra inputs"),
        (lambda path: change_card(path, "[" * 400_000), "recursion limit"),
        (lambda path: change_card(path, "[" + "1," * 20_000_000), "Invalid JSON"),
    ],
)
def test_a_model_that_cannot_be_used_is_one_sentence_and_the_others_are_loaded(
    models, damage, fault
):
    damage(models / "mnist-0.0.1.onnx")
    classifiers, failures = load_classifiers(models)
    assert set(classifiers) == {"mlp"}
    assert re.search(f"{fault}.*; train it with: bash run.sh cnn$", failures["cnn"])


def test_a_model_of_other_weights_than_those_beside_it_is_served_and_the_log_says_so(
    models, caplog
):
    shutil.copy(MODELS_DIR / "mnist-mlp-0.0.1.pt", models)
    (models / "mnist-0.0.1.pt").write_bytes(b"other weights")
    classifiers, failures = load_classifiers(models)
    assert (set(classifiers), failures) == ({"cnn", "mlp"}, {})
    (message,) = caplog.messages
    assert message.endswith("bash run.sh export cnn")


def test_the_command_line_the_api_and_the_classifier_import_no_torch_and_no_training_code():
    code = (
        "import sys, model.classifier, predict, app.main\n"
        "bad = {'torch', 'torchvision', 'scipy', 'matplotlib', 'onnx', 'model.train',"
        " 'model.data', 'model.export'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": "src"}, check=True)
