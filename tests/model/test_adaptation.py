import cv2
import numpy as np
import pytest
import torch
from tests.support.pictures import generator
from torch.nn import functional as F

from model.adaptation import (
    LABEL_SMOOTHING,
    STRENGTH,
    WRONG_LABEL,
    adapt,
    doubts,
    fit_weights,
    printed_digits,
)
from model.card import find_model
from model.classifier import Classifier, softmax
from model.data.synthetic.digits import synthesize_digits

FEATURES = 40
LABELS = np.arange(300) % 10
FIVE = np.arange(50)  # five of each digit


@pytest.fixture(scope="module")
def layer() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(0, 0.3, (10, FEATURES)), rng.normal(0, 0.1, 10)


@pytest.fixture(scope="module", params=["cnn", "deep", "mlp"])
def classifier(request) -> Classifier:
    return Classifier.load(find_model(request.param))


@pytest.fixture(scope="module")
def usual() -> tuple[np.ndarray, np.ndarray]:
    """Digits to learn, and other ones to read."""
    labels = torch.from_numpy(LABELS)
    learnt, read = (synthesize_digits(labels, generator(seed)).numpy() for seed in (1, 2))
    return learnt, read


@pytest.fixture(scope="module")
def turned(usual) -> tuple[np.ndarray, np.ndarray]:
    """The same by somebody who writes aslant, who is misread more often."""
    turn = cv2.getRotationMatrix2D((13.5, 13.5), -35, 1)
    learnt, read = (np.stack([cv2.warpAffine(i, turn, (28, 28)) for i in some]) for some in usual)
    return learnt, read


def digits_of(classifier: Classifier, images: np.ndarray) -> np.ndarray:
    return np.array([prediction.digit for prediction in classifier.predict(images)])


def right(classifier: Classifier, images: np.ndarray) -> float:
    """Return how many % of digits are read as LABELS say."""
    return 100 * np.mean(digits_of(classifier, images) == LABELS)


def adapt_without_doubt(
    classifier: Classifier, images: np.ndarray, labels: np.ndarray
) -> Classifier:
    """Fit the labels as they are."""
    weights, bias = classifier.trained_output_layer()
    _, features = classifier.forward(images)
    targets = smoothed(labels)
    penalty = STRENGTH * np.square(features).sum() / len(labels)
    fitted = fit_weights(weights, bias, features, targets, penalty)
    return Classifier(classifier.session, classifier.card, (fitted.astype(np.float32), bias))


def smoothed(labels: np.ndarray) -> np.ndarray:
    return np.eye(10)[labels] * (1 - LABEL_SMOOTHING) + LABEL_SMOOTHING / 10


def features_of(count: int, seed: int = 1) -> np.ndarray:
    return np.maximum(np.random.default_rng(seed).normal(0, 1, (count, FEATURES)), 0)


def minimum_by_torch(
    weights: np.ndarray, bias: np.ndarray, features: np.ndarray, targets: np.ndarray, penalty: float
) -> np.ndarray:
    """The same objective, all its weights unknown, left to torch's L-BFGS."""
    trained, inputs = torch.from_numpy(weights), torch.from_numpy(features)
    fitted = trained.clone().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [fitted], max_iter=2000, tolerance_grad=1e-9, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        logits = F.linear(inputs, fitted, torch.from_numpy(bias))
        loss = F.cross_entropy(logits, torch.from_numpy(targets), reduction="sum")
        loss = loss + penalty * (fitted - trained).square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return fitted.detach().numpy()


@pytest.mark.parametrize("count", [1, 10, 100])  # 100 examples are more than there are features
@pytest.mark.parametrize("strength", [1e-3, 1e-1])
def test_the_weights_are_those_that_torch_finds(layer, count, strength):
    features = features_of(count)
    targets = np.random.default_rng(2).dirichlet(np.full(10, 0.1), count)
    penalty = strength * np.square(features).sum() / count
    fitted = fit_weights(*layer, features, targets, penalty)
    expected = minimum_by_torch(*layer, features, targets, penalty)
    assert not np.allclose(fitted, layer[0], atol=1e-2)
    np.testing.assert_allclose(
        features @ fitted.T, features @ expected.T, atol=5e-3 * np.ptp(features @ expected.T)
    )
    np.testing.assert_allclose(fitted, expected, atol=1e-2 * np.abs(fitted - layer[0]).max())


def test_two_hundred_of_the_same_image_move_what_lies_across_it_not_at_all(layer):
    image = features_of(1)
    penalty = STRENGTH * np.square(image).sum()
    targets = smoothed(np.full(200, 7))
    fitted = fit_weights(*layer, np.repeat(image, 200, axis=0), targets, penalty)
    other = features_of(1, seed=2)
    other -= image * (other @ image.T) / (image @ image.T)
    np.testing.assert_allclose(other @ fitted.T, other @ layer[0].T, atol=1e-9)
    assert softmax(image @ fitted.T + layer[1])[0, 7] == pytest.approx(0.982, abs=1e-3)


def test_what_the_network_says_already_changes_nothing(layer):
    weights, bias = layer
    features = features_of(10)
    own = softmax(features @ weights.T + bias)
    np.testing.assert_array_equal(fit_weights(weights, bias, features, own, 0.1), weights)


def test_a_label_is_doubted_as_bayes_rule_says_unless_others_are_like_it():
    sure = WRONG_LABEL * 1e-9
    likely = [0.5, WRONG_LABEL, sure, 0.5, sure, sure, sure]
    labels = np.array([1, 2, 3, 4, 4, 5, 5])
    probabilities = np.zeros((7, 10))
    probabilities[np.arange(7), labels] = likely
    small = WRONG_LABEL / (WRONG_LABEL + 0.5)
    expected = [small, 1 / 2, 1, small / (1 + small) ** 2, 1 / (1 + small) ** 2, 1 / 4, 1 / 4]
    assert doubts(probabilities, labels) == pytest.approx(expected, rel=1e-6)


def test_every_network_reads_the_printed_digits(classifier):
    answers = classifier.predict(printed_digits())
    assert [answer.digit for answer in answers] == list(range(10))
    assert all(answer.is_digit for answer in answers)


@pytest.mark.parametrize("label", [0, 1, 8])
def test_one_wrong_label_alone_changes_hardly_an_answer(classifier, usual, label):
    learnt, read = usual
    three = learnt[3:4]
    adapted = adapt(classifier, three, np.array([label]))
    assert np.mean(digits_of(adapted, read) != digits_of(classifier, read)) <= 0.01
    believed = adapt_without_doubt(classifier, three, np.array([label]))
    assert np.mean(digits_of(believed, read) != digits_of(classifier, read)) > 0.03


def test_a_label_that_the_network_thinks_impossible_is_believed_when_it_is_repeated(
    classifier, usual
):
    threes = usual[0][LABELS == 3][:3]
    once = adapt(classifier, threes[:1], np.array([8]))
    assert digits_of(once, threes[:1]) == [3]
    thrice = adapt(classifier, threes, np.full(3, 8))
    assert digits_of(thrice, threes).tolist() == [8, 8, 8]


def test_corrections_of_misread_digits_alone_count_and_spoil_no_other_hand(
    classifier, usual, turned
):
    learnt, read = turned
    misread = np.flatnonzero(digits_of(classifier, learnt) != LABELS)[:10]
    adapted = adapt(classifier, learnt[misread], LABELS[misread])
    gain = right(adapted, read) - right(classifier, read)
    assert gain > (3 if classifier.name != "mlp" else -6)  # its features turn with the hand
    assert right(adapted, usual[1]) > 97


def test_five_of_each_digit_bring_as_much_as_without_doubt_also_if_one_is_wrong(classifier, turned):
    learnt, read = turned
    without_doubt = adapt_without_doubt(classifier, learnt[FIVE], LABELS[FIVE])
    adapted = adapt(classifier, learnt[FIVE], LABELS[FIVE])
    assert right(adapted, read) > right(classifier, read) + 4
    assert (
        right(adapted, read) > right(without_doubt, read) - 4
    )  # so odd a hand is doubted at first
    wrong = LABELS[FIVE].copy()
    wrong[3] = 8
    assert right(adapt(classifier, learnt[FIVE], wrong), read) >= right(adapted, read) - 1.5
