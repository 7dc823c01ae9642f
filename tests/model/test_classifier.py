"""Reading pictures: calibrated probabilities, refusals with their reasons, permuted pixels."""

import subprocess
import sys

import numpy as np
import pytest
from tests.support.networks import save, small_cnn

from errors import ModelFileError
from model import onnx_network
from model.checkpoint import DEFAULT_FILE, find_model
from model.classifier import (
    AMBIGUOUS,
    NOT_A_DIGIT,
    REASONS,
    Classifier,
    load_classifiers,
    rejection_score,
    to_input,
)
from model.onnx_network import onnx_path


def fixed(*rows):
    """A network that gives the logits of a list, one row per image after another."""
    remaining = list(rows)

    def network(x):
        logits = np.stack([remaining.pop(0) for _ in x]).astype(np.float32)
        return logits, x.reshape(len(x), -1)

    return network


def card_of(temperature=1.0, threshold=0.2, permutation=None):
    return {
        "name": "cnn",
        "version": "0.0.1",
        "reader": {"temperature": temperature, "threshold": threshold},
        "permutation": permutation,
    }


def classifier_of(*rows, **settings):
    return Classifier(card_of(**settings), fixed(*rows))


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
def test_what_is_unsure_is_refused_with_a_reason_and_keeps_its_likeliest_digit(
    probabilities, reason
):
    prediction = classifier_of(np.log(probabilities), threshold=0.5).predict(BLANK)[0]
    assert (prediction.digit, prediction.is_digit, prediction.reason) == (4, False, reason)
    assert reason in REASONS


def test_the_rejection_score_is_the_confidence_at_a_higher_temperature():
    probabilities = np.array([spread(_3=0.91)])
    by_hand = 0.91**0.2 / (0.91**0.2 + 9 * 0.01**0.2)
    assert rejection_score(probabilities).item() == pytest.approx(by_hand)
    assert rejection_score(np.full((1, 10), 0.1)).item() == pytest.approx(0.1)
    one_hot = np.eye(10, dtype=np.float32)[:1]
    assert rejection_score(one_hot).item() == pytest.approx(1, abs=1e-4)


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


@pytest.mark.parametrize("missing", ["name", "version", "reader", "permutation"])
def test_a_card_without_what_a_reader_needs_is_a_model_file_error(missing):
    card = card_of()
    del card[missing]
    with pytest.raises(ModelFileError, match=missing):
        Classifier(card, fixed())


def test_models_that_cannot_be_read_are_named_and_the_others_are_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_network.importlib.util, "find_spec", lambda name: None)  # no torch
    onnx_path(save(small_cnn(), tmp_path)).mkdir()
    (tmp_path / "mnist-deep-0.0.1.pt").mkdir()
    mlp = find_model("mlp")
    for file in (mlp, mlp.with_suffix(".json"), onnx_path(mlp)):
        (tmp_path / file.name).symlink_to(file)
    classifiers, failures = load_classifiers(tmp_path)
    assert set(classifiers) == {"mlp"}
    assert set(failures) == {DEFAULT_FILE, "deep"}
    assert all("cannot be read (Is a directory)" in failure for failure in failures.values())


def test_the_command_line_the_api_and_the_classifier_import_no_torch_and_no_training_code():
    code = (
        "import sys, model.classifier, predict, app.main\n"
        "bad = {'torch', 'torchvision', 'scipy', 'matplotlib', 'onnx', 'model.train',"
        " 'model.data'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": "src"}, check=True)
