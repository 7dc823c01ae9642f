"""The real pipeline in a fast form: on few digits, for one epoch, from data to model card."""

import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

import main_pipeline
from model.checkpoint import load_checkpoint, read_card
from model.classifier import Classifier, rejection_score
from model.config import CALIBRATION_SEED, RECIPES, TARGET_FALSE_REJECTION_RATE
from model.data.mnist import Digits
from model.data.strokes import StrokeSample, render_and_preprocess
from model.data.synthetic.outliers import synthesize_outliers
from model.registry import NETWORKS
from model.train import accuracy, predict_logits
from model.training.calibration import fit_temperature
from model.training.pipeline import make_permutation, synthetic_digits

MLP_FILE = "mnist-mlp-0.0.1.pt"
BASE = {"--epochs": "2", "--seed": "1", "--augment": "none", "--precision": "float32"}


def command(network="mlp", **changes):
    """A command line: the base's options but for the changes; None gives an option no value."""
    options = {**BASE, **{f"--{name.replace('_', '-')}": value for name, value in changes.items()}}
    return [network, *(part for pair in options.items() for part in pair if part is not None)]


@pytest.fixture
def load(trained):
    """Trains the MLP by the base's options and changes of them; gives its checkpoint."""
    return lambda **changes: load_checkpoint(trained(*command(**changes)) / MLP_FILE)


def are_equal(first, second):
    return all(map(torch.equal, first.network.parameters(), second.network.parameters()))


def test_the_cnn_is_written_with_its_card_and_its_figures(trained, capsys):
    models = trained("cnn", "--epochs", "1", "--seed", "4")
    assert sorted(path.name for path in models.iterdir()) == [
        "mnist-0.0.1-confusion-matrix.png",
        "mnist-0.0.1-learning-curves.png",
        "mnist-0.0.1-reliability.png",
        "mnist-0.0.1.json",
        "mnist-0.0.1.onnx",
        "mnist-0.0.1.pt",
    ]
    card = read_card(models / "mnist-0.0.1.pt")
    assert (card["name"], card["version"], card["permutation"]) == ("cnn", "0.0.1", None)
    assert card["data"]["source"] == "synthetic digits"
    assert card["data"]["complete"] is False
    assert (card["data"]["training"], card["data"]["test"]) == (600, 100)
    assert (card["training"]["seed"], card["training"]["epochs"]) == (4, 1)
    assert len(card["results"]["recall"]) == 10
    assert card["versions"]["torch"] == torch.__version__
    assert "epoch 1/1" in capsys.readouterr().out


def test_a_new_card_has_the_names_of_the_cards_that_clients_know(load):
    shipped = read_card(main_pipeline.MODELS_DIR / MLP_FILE)
    card = load().card

    def names(entry):
        if not isinstance(entry, dict):
            return None
        return {key: names(value) for key, value in entry.items() if key != "checksums"}

    shipped["training"].setdefault("strokes", 0)  # cards of before there were own drawings
    assert names(card) == names(shipped)
    assert card["training"]["history"][0].keys() == shipped["training"]["history"][0].keys()


def test_the_cards_accuracy_is_that_of_the_saved_model(trained, few_digits):
    classifier = Classifier.load(trained(*command()) / MLP_FILE)
    predictions = classifier.predict(few_digits.test.images.numpy())
    correct = np.array([p.digit for p in predictions]) == few_digits.test.labels.numpy()
    assert np.mean(correct) == pytest.approx(classifier.card["results"]["test_accuracy"])
    rejected = np.mean([not p.is_digit for p in predictions])
    assert rejected == pytest.approx(classifier.card["results"]["test_refused"])


@pytest.mark.parametrize("options", [{}, {"no_synthetic": None}])
def test_calibration_is_fitted_to_validation_and_to_synthetic_digits_if_trained_on(
    load, few_digits, options
):
    checkpoint = load(**options)
    digits = few_digits.validation
    if not options:
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


def test_no_synthetic_trains_on_mnist_alone(with_few_digits, tmp_path, monkeypatch):
    made = []

    def note(count, rng):
        made.append(count)
        return synthesize_outliers(count, rng)

    monkeypatch.setattr("model.data.loader.synthesize_outliers", note)
    arguments = ["mlp", "--epochs", "1", "--output", str(tmp_path), "--no-synthetic"]
    assert main_pipeline.main(arguments) == main_pipeline.main(arguments[:-1]) == 0
    assert made[0] == 0 < made[1]
    (previous,) = (tmp_path / "previous").iterdir()
    training = read_card(previous / MLP_FILE)["training"]
    assert (training["handwriting"], training["non_digits"]) == (0, 0)


def test_the_same_options_give_the_same_weights(load, with_few_digits, tmp_path):
    assert main_pipeline.main([*command(), "--output", str(tmp_path)]) == 0
    assert are_equal(load(), load_checkpoint(tmp_path / MLP_FILE))


@pytest.mark.parametrize(
    ("option", "key", "value"),
    [
        ("augment", "augmentation", "affine"),
        ("precision", "precision", "bfloat16"),
        ("seed", "seed", "20250101123456"),
    ],
)
def test_an_option_decides_the_weights_and_stands_in_the_card(load, option, key, value):
    first, second = load(), load(**{option: value})
    assert not are_equal(first, second)
    assert str(first.card["training"][key]) == BASE[f"--{option}"]
    assert str(second.card["training"][key]) == value


def test_own_strokes_are_learnt_and_their_number_stands_in_the_card(load, tmp_path):
    spiral = [(t / 9 * math.cos(t / 4), t / 9 * math.sin(t / 4)) for t in range(90)]
    spirals = [StrokeSample(label=1, writer="a", strokes=[spiral]) for _ in range(20)]
    file = tmp_path / "mine.jsonl"
    file.write_text("\n".join(json.dumps(vars(sample)) for sample in spirals))
    images = torch.from_numpy(render_and_preprocess(spirals, seed=99))
    accuracies = []
    for options in ({}, {"strokes": str(file)}):
        checkpoint = load(**options)
        logits = predict_logits(checkpoint.network, images)
        accuracies.append(accuracy(logits, torch.ones(20)))
        assert checkpoint.card["training"]["strokes"] == (20 if options else 0)
    assert accuracies[0] < 0.5 and accuracies[1] > 0.9


@pytest.mark.parametrize(("complete", "epochs"), [(True, 1), (False, 6)])
def test_the_sample_is_trained_six_times_as_many_epochs(
    with_few_digits, few_digits, monkeypatch, tmp_path, complete, epochs
):
    monkeypatch.setitem(RECIPES, "mlp", replace(RECIPES["mlp"], epochs=1))
    mnist = replace(few_digits, complete=complete)
    monkeypatch.setattr("model.training.pipeline.load_mnist", lambda source: mnist)
    assert main_pipeline.main(["mlp", "--output", str(tmp_path)]) == 0
    assert len(read_card(tmp_path / MLP_FILE)["training"]["history"]) == epochs


def test_permuting_writes_a_file_of_its_own_with_the_permutation(trained):
    models = trained("cnn", "--epochs", "1", "--permute", "5")
    checkpoint = load_checkpoint(models / "mnist-cnn-permuted-0.0.1.pt")
    assert torch.equal(checkpoint.permutation, make_permutation(5))
    assert checkpoint.card["permutation"]["seed"] == 5
    assert checkpoint.card["name"] == "cnn-permuted"
    assert not (models / "mnist-0.0.1.pt").exists()


def test_a_replaced_model_is_kept_and_the_last_line_says_where(
    trained, with_few_digits, tmp_path, capsys
):
    shutil.copytree(trained(*command()), tmp_path, dirs_exist_ok=True)
    weights = (tmp_path / MLP_FILE).read_bytes()
    assert main_pipeline.main(["mlp", "--epochs", "1", "--output", str(tmp_path)]) == 0
    (previous,) = (tmp_path / "previous").iterdir()
    assert {path.suffix for path in previous.iterdir()} == {".pt", ".onnx", ".json", ".png"}
    assert len(list(previous.iterdir())) == 6
    assert (previous / MLP_FILE).read_bytes() == weights
    assert str(previous) in capsys.readouterr().out.splitlines()[-1]


def test_every_network_has_a_recipe():
    assert set(RECIPES) == set(NETWORKS)
