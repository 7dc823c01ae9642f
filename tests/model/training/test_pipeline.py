"""The real pipeline in a fast form: on few digits, for one epoch, from data to model card."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import main_pipeline
from model.checkpoint import load_checkpoint
from model.classifier import Classifier, rejection_score
from model.config import CALIBRATION_SEED, RECIPES, TARGET_FALSE_REJECTION_RATE
from model.data.mnist import Digits
from model.data.strokes import StrokeSample, render_and_preprocess
from model.registry import NETWORKS
from model.train import predict_logits
from model.training.calibration import fit_temperature
from model.training.pipeline import make_permutation, synthetic_digits


@pytest.fixture
def train(few_digits, tmp_path):
    def run(*arguments):
        assert main_pipeline.main([*arguments, "--output", str(tmp_path)]) == 0
        return tmp_path

    return run


@pytest.fixture
def train_mlp(train):
    """Trains the MLP for an epoch; returns its weights and its card."""

    def run(*arguments):
        path = train("mlp", "--epochs", "1", *arguments) / "mnist-mlp-0.0.1.pt"
        checkpoint = load_checkpoint(path)
        return checkpoint.network.state_dict(), checkpoint.card

    return run


def are_equal(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def test_the_cnn_is_written_with_its_card_and_its_figures(train, capsys):
    models = train("cnn", "--epochs", "1", "--seed", "4")
    assert sorted(path.name for path in models.iterdir()) == [
        "mnist-0.0.1-confusion-matrix.png",
        "mnist-0.0.1-learning-curves.png",
        "mnist-0.0.1-reliability.png",
        "mnist-0.0.1.json",
        "mnist-0.0.1.onnx",
        "mnist-0.0.1.pt",
    ]
    card = json.loads((models / "mnist-0.0.1.json").read_text())
    assert (card["name"], card["version"], card["permutation"]) == ("cnn", "0.0.1", None)
    assert card["data"]["source"] == "synthetic digits"
    assert card["data"]["complete"] is False
    assert (card["data"]["training"], card["data"]["test"]) == (600, 100)
    assert (card["training"]["seed"], card["training"]["epochs"]) == (4, 1)
    assert len(card["results"]["recall"]) == 10
    assert card["versions"]["torch"] == torch.__version__
    assert "epoch 1/1" in capsys.readouterr().out


def test_a_new_card_has_the_names_of_the_cards_that_clients_know(train_mlp):
    shipped = json.loads((main_pipeline.MODELS_DIR / "mnist-mlp-0.0.1.json").read_text())
    _, card = train_mlp()

    def names(entry):
        if not isinstance(entry, dict):
            return None
        return {key: names(value) for key, value in entry.items() if key != "checksums"}

    shipped["training"].setdefault("strokes", 0)  # cards of before there were own drawings
    assert names(card) == names(shipped)
    assert card["training"]["history"][0].keys() == shipped["training"]["history"][0].keys()


def test_the_cards_accuracy_is_that_of_the_saved_model(train, few_digits):
    models = train("mlp", "--epochs", "3")
    classifier = Classifier.load(models / "mnist-mlp-0.0.1.pt")
    predictions = classifier.predict(few_digits.test.images.numpy())
    correct = [
        p.digit == label for p, label in zip(predictions, few_digits.test.labels, strict=True)
    ]
    assert np.mean(correct) == pytest.approx(classifier.card["results"]["test_accuracy"])
    rejected = np.mean([not p.is_digit for p in predictions])
    assert rejected == pytest.approx(classifier.card["results"]["test_refused"])


@pytest.mark.parametrize("with_synthetic", [True, False])
def test_calibration_is_fitted_to_validation_and_to_synthetic_digits_if_trained_on(
    train, few_digits, with_synthetic
):
    options = [] if with_synthetic else ["--no-synthetic"]
    path = train("mlp", "--epochs", "2", *options) / "mnist-mlp-0.0.1.pt"
    checkpoint = load_checkpoint(path)
    digits = few_digits.validation
    if with_synthetic:
        held_back = synthetic_digits(200, CALIBRATION_SEED)
        digits = Digits(
            torch.cat((digits.images, held_back.images)),
            torch.cat((digits.labels, held_back.labels)),
        )
    logits = predict_logits(checkpoint.network, digits.images)
    settings = checkpoint.card["reader"]
    temperature = fit_temperature(logits, digits.labels)
    assert settings["temperature"] == pytest.approx(temperature, rel=1e-3)
    scores = rejection_score((logits / temperature).softmax(dim=1).numpy())
    threshold = np.quantile(scores, TARGET_FALSE_REJECTION_RATE)
    assert settings["threshold"] == pytest.approx(threshold, rel=1e-3)


def test_no_synthetic_trains_on_mnist_alone(train_mlp, monkeypatch):
    def forbidden(count, rng):
        assert count == 0, "outliers were made"
        return torch.empty(0, 28, 28, dtype=torch.uint8)

    monkeypatch.setattr("model.data.loader.synthesize_outliers", forbidden)
    _, card = train_mlp("--no-synthetic")
    assert (card["training"]["handwriting"], card["training"]["non_digits"]) == (0, 0)
    with pytest.raises(AssertionError, match="outliers were made"):
        train_mlp()


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("--augment", ("none", "affine")),
        ("--precision", ("float32", "bfloat16")),
        ("--seed", ("1", "20250101123456")),
    ],
)
def test_an_option_decides_the_weights_and_stands_in_the_card(train_mlp, option, values):
    (first, card), (second, other_card) = (train_mlp(option, value) for value in values)
    again, _ = train_mlp(option, values[0])
    assert are_equal(first, again)
    assert not are_equal(first, second)
    key = {"--augment": "augmentation"}.get(option, option.removeprefix("--"))
    assert [str(c["training"][key]) for c in (card, other_card)] == list(values)


def test_own_strokes_are_learnt_and_their_number_stands_in_the_card(train_mlp, tmp_path):
    spiral = [(t / 9 * math.cos(t / 4), t / 9 * math.sin(t / 4)) for t in range(90)]
    spirals = [StrokeSample(label=1, writer="a", strokes=[spiral]) for _ in range(20)]
    file = tmp_path / "mine.jsonl"
    file.write_text("\n".join(json.dumps(vars(sample)) for sample in spirals))
    options = ["--augment", "none", "--seed", "3"]
    images = torch.from_numpy(render_and_preprocess(spirals, seed=99))
    accuracies = []
    for strokes in ([], ["--strokes", str(file)]):
        weights, card = train_mlp(*options, *strokes)
        network = NETWORKS["mlp"]()
        network.load_state_dict(weights)
        predicted = predict_logits(network, images).argmax(dim=1)
        accuracies.append(float((predicted == 1).double().mean()))
        assert card["training"]["strokes"] == (20 if strokes else 0)
    assert accuracies[0] < 0.5 and accuracies[1] > 0.9


def test_the_sample_is_trained_six_times_as_many_epochs(train, few_digits, monkeypatch):
    monkeypatch.setitem(RECIPES, "mlp", replace(RECIPES["mlp"], epochs=1))
    epochs = []
    for complete in (True, False):
        mnist = replace(few_digits, complete=complete)
        monkeypatch.setattr("model.training.pipeline.load_mnist", lambda source, mnist=mnist: mnist)
        card = load_checkpoint(train("mlp") / "mnist-mlp-0.0.1.pt").card
        epochs.append(len(card["training"]["history"]))
    assert epochs == [1, 6]


@pytest.mark.parametrize(("network", "stem"), [("mlp", "mnist-mlp"), ("cnn", "mnist")])
def test_permuting_writes_a_file_of_its_own_with_the_permutation(train, network, stem):
    models = train(network, "--epochs", "1", "--permute", "5")
    checkpoint = load_checkpoint(models / f"mnist-{network}-permuted-0.0.1.pt")
    assert torch.equal(checkpoint.permutation, make_permutation(5))
    assert checkpoint.card["permutation"]["seed"] == 5
    assert checkpoint.card["name"] == f"{network}-permuted"
    assert not (models / f"{stem}-0.0.1.pt").exists()


def test_a_replaced_model_is_kept_and_the_last_line_says_where(train, capsys):
    models = train("mlp", "--epochs", "2")
    weights = (models / "mnist-mlp-0.0.1.pt").read_bytes()
    train("mlp", "--epochs", "1")
    (previous,) = (models / "previous").iterdir()
    assert {path.suffix for path in previous.iterdir()} == {".pt", ".onnx", ".json", ".png"}
    assert len(list(previous.iterdir())) == 6
    assert (previous / "mnist-mlp-0.0.1.pt").read_bytes() == weights
    assert str(previous) in capsys.readouterr().out.splitlines()[-1]


def test_every_network_has_a_recipe():
    assert set(RECIPES) == set(NETWORKS)
