import numpy as np
import pytest

from errors import StrokeFileError
from evaluation import adaptation
from evaluation.adaptation import choose_writers, draw_examples, measure, plot, report
from evaluation.out_of_distribution import ood_samples
from model.adaptation import adapt
from model.checkpoint import find_model
from model.classifier import Classifier
from model.training.pipeline import synthetic_digits

PER_DIGIT = 8


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load(find_model("cnn"))


@pytest.fixture(scope="module")
def mirrored() -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of a person who writes every digit as in a mirror."""
    digits = synthetic_digits(10 * PER_DIGIT, seed=1)
    return digits.images.numpy()[:, :, ::-1].copy(), digits.labels.numpy()


def accuracy(model: Classifier, images: np.ndarray, labels: np.ndarray) -> float:
    return np.mean([answer.digit for answer in model.predict(images)] == labels)


def test_three_mirrored_sevens_teach_the_form_and_make_nothing_forgotten(classifier, mirrored):
    images, labels = mirrored
    sevens = images[labels == 7]
    before = classifier.predict(sevens)
    assert np.mean([answer.digit == 7 and answer.is_digit for answer in before]) < 0.5
    adapted = adapt(classifier, sevens[:3], np.array([7, 7, 7]))
    after = adapted.predict(sevens[3:])
    assert np.mean([answer.digit == 7 and answer.is_digit for answer in after]) > 0.8
    others = synthetic_digits(10 * PER_DIGIT, seed=2)
    assert accuracy(adapted, others.images.numpy(), others.labels.numpy()) > 0.95
    assert classifier.predict(sevens) == before


def test_what_is_no_digit_stays_rejected(classifier, mirrored):
    adapted = adapt(classifier, *mirrored)
    scribbles = ood_samples("scribbles", 60, seed=3)
    rejected = [
        np.mean([not answer.is_digit for answer in model.predict(scribbles)])
        for model in (classifier, adapted)
    ]
    assert rejected[1] > 0.9 and rejected[1] > rejected[0] - 0.05


def test_a_permuted_model_learns_too(mirrored):
    classifier = Classifier.load(find_model("cnn-permuted"))
    assert accuracy(classifier, *mirrored) < 0.8
    assert accuracy(adapt(classifier, *mirrored), *mirrored) == 1


def test_examples_are_drawn_of_each_digit_by_the_seed():
    labels = np.repeat(np.arange(10), 5)
    drawn = draw_examples(labels, 3, [0, 1])
    assert labels[drawn].tolist() == np.repeat(np.arange(10), 3).tolist()
    assert len(set(drawn)) == 30
    assert np.array_equal(drawn, draw_examples(labels, 3, [0, 1]))
    assert not np.array_equal(drawn, draw_examples(labels, 3, [1, 1]))


def test_the_study_tells_what_each_writer_gains(classifier, mirrored, monkeypatch):
    monkeypatch.setattr(adaptation, "OOD_COUNT", 20)
    usual, few = synthetic_digits(10 * PER_DIGIT, seed=4), synthetic_digits(20, seed=5)
    images = np.concatenate((mirrored[0], usual.images, few.images))
    labels = np.concatenate((mirrored[1], usual.labels, few.labels))
    writers = np.repeat(["mirrored", "usual", "few"], [10 * PER_DIGIT, 10 * PER_DIGIT, 20])
    chosen = choose_writers(labels, writers, [2, 4])
    assert np.array_equal(chosen, np.arange(20 * PER_DIGIT).reshape(2, -1))
    results = measure(classifier, images, labels, chosen, [2, 4], usual)
    assert [row["examples_per_digit"] for row in results] == [0, 2, 4]
    before = [accuracy(classifier, images[own], labels[own]) for own in chosen]
    assert results[0]["accuracy"] == pytest.approx(before)
    assert results[0]["mnist_accuracy"] == [results[0]["accuracy"][1]] * 2
    mirror, usual_hand = np.transpose([row["accuracy"] for row in results])
    assert mirror[0] + 0.2 < mirror[1] < mirror[2]
    assert usual_hand.min() > 0.97
    assert results[2]["rejected"] < results[0]["rejected"]
    text = report(results)
    assert "mean of 2 writers" in text and f"{min(mirror[2], usual_hand[2]):.2%}" in text
    lines = plot(results, "title").axes[0].lines
    assert [line.get_ydata().tolist() for line in lines[:2]] == [
        pytest.approx(100 * mirror),
        pytest.approx(100 * usual_hand),
    ]


def test_too_few_samples_are_an_error(mirrored):
    _, labels = mirrored
    with pytest.raises(StrokeFileError, match=f"{PER_DIGIT + 1} samples of every digit or more"):
        choose_writers(labels, np.repeat("a", len(labels)), [PER_DIGIT])
