import cv2
import numpy as np
import pytest
import torch
from tests.support.pictures import generator
from torch.nn import functional as F

from model import adaptation
from model.adaptation import WRONG_LABEL, adapt, doubts, fit_weights, printed_digits
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
    """The same digits, turned: networks misread more of them."""
    turn = cv2.getRotationMatrix2D((13.5, 13.5), -35, 1)
    learnt, read = (np.stack([cv2.warpAffine(i, turn, (28, 28)) for i in some]) for some in usual)
    return learnt, read


@pytest.fixture
def believing(monkeypatch):
    """Adapts without any doubt about the labels."""

    def adapt_all(*arguments) -> Classifier:
        with monkeypatch.context() as patch:
            patch.setattr(adaptation, "doubts", lambda probabilities, labels: np.zeros(len(labels)))
            return adapt(*arguments)

    return adapt_all


def digits_of(classifier: Classifier, images: np.ndarray) -> np.ndarray:
    return np.array([prediction.digit for prediction in classifier.predict(images)])


def right(classifier: Classifier, images: np.ndarray) -> float:
    """Return how many % of digits are read as LABELS say."""
    return 100 * np.mean(digits_of(classifier, images) == LABELS)


def features_of(count: int) -> np.ndarray:
    return np.maximum(np.random.default_rng(1).normal(0, 1, (count, FEATURES)), 0)


def minimum_by_torch(
    weights: np.ndarray, bias: np.ndarray, features: np.ndarray, targets: np.ndarray, penalty: float
) -> np.ndarray:
    """The same objective, all its weights unknown, left to torch's L-BFGS."""
    trained, inputs = torch.from_numpy(weights), torch.from_numpy(features)
    fitted = trained.clone().requires_grad_()
    search = {"tolerance_grad": 1e-9, "line_search_fn": "strong_wolfe"}
    optimizer = torch.optim.LBFGS([fitted], max_iter=2000, **search)

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
    changed = np.abs(fitted - layer[0]).max()
    assert changed > 1e-2
    np.testing.assert_allclose(fitted, expected, atol=1e-2 * changed)


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
def test_one_wrong_label_alone_changes_hardly_an_answer(classifier, usual, believing, label):
    learnt, read = usual
    before, three, wrong = digits_of(classifier, read), learnt[3:4], np.array([label])
    assert np.mean(digits_of(adapt(classifier, three, wrong), read) != before) <= 0.01
    assert np.mean(digits_of(believing(classifier, three, wrong), read) != before) > 0.02


def test_a_label_that_the_network_thinks_impossible_is_believed_when_it_is_repeated(
    classifier, usual
):
    threes = usual[0][LABELS == 3][:3]
    for count, read in ((1, 3), (3, 8)):
        adapted = adapt(classifier, threes[:count], np.full(count, 8))
        assert set(digits_of(adapted, threes[:count])) == {read}


def test_corrections_of_misread_digits_alone_count_and_spoil_no_other_hand(
    classifier, usual, turned
):
    learnt, read = turned
    misread = np.flatnonzero(digits_of(classifier, learnt) != LABELS)[:10]
    adapted = adapt(classifier, learnt[misread], LABELS[misread])
    gain = right(adapted, read) - right(classifier, read)
    assert gain > (3 if classifier.name != "mlp" else -6)  # its features turn with the hand
    assert right(adapted, usual[1]) > 97


def test_five_of_each_digit_bring_as_much_as_without_doubt_also_if_one_is_wrong(
    classifier, turned, believing
):
    learnt, read = turned
    adapted = right(adapt(classifier, learnt[FIVE], LABELS[FIVE]), read)
    assert adapted > right(classifier, read) + 4
    # so odd a hand is doubted at first
    assert adapted > right(believing(classifier, learnt[FIVE], LABELS[FIVE]), read) - 4
    wrong = LABELS[FIVE].copy()
    wrong[3] = 8
    assert right(adapt(classifier, learnt[FIVE], wrong), read) >= adapted - 1.5
