"""The whole pipeline in a fast form: on few digits, for one epoch, from options to saved model."""

import json
import math
import os
import shutil
import signal
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import main_pipeline
from model import config
from model.calibration import fit_temperature
from model.classifier import Classifier, rejection_score
from model.config import RECIPES, Recipe, choose_recipe
from model.data.batches import synthetic_digits
from model.data.mnist import make_permutation
from model.data.strokes import load_strokes
from model.export import load_network
from model.networks import NETWORKS
from model.train import accuracy, predict_logits

MLP = "mnist-mlp-0.0.1.onnx"


def command(network="mlp", **changes):
    """A command line; None gives an option no value."""
    options = {"epochs": "2", "seed": "1", "augment": "none"} | changes
    pairs = [(f"--{name.replace('_', '-')}", value) for name, value in options.items()]
    return [network, *(part for pair in pairs for part in pair if part is not None)]


@pytest.fixture(autouse=True)
def _signals():
    """The pipeline handles SIGTERM; the tests get their own handler back."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def load(trained):
    """Trains the MLP with changed options; gives the network and its card."""
    return lambda **changes: load_network(trained(*command(**changes)) / MLP)


def weights(network):
    return torch.cat([part.flatten() for part in network.state_dict().values()])


# --- Options --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        ("nosuch", "invalid choice"),
        ("cnn --epochs 0", "give 1 or more"),
        ("cnn --seed -1", "give a number from 0"),
        ("cnn --permute -1", "give a number from 0"),
        ("cnn --augment wild", "invalid choice"),
        ("cnn --strokes mine.jsonl --no-synthetic", "omit --no-synthetic"),
        ("cnn --device nonsense", "give auto or cpu"),
        ("cnn --device meta", "give auto or cpu"),
        ("cnn --output file/models", "choose another folder"),
    ],
)
def test_what_cannot_be_done_is_said_before_data_and_training(
    wrong, advice, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    output = [] if "--output" in wrong else ["--output", "m"]
    with pytest.raises(SystemExit) as ended:
        main_pipeline.main([*wrong.split(), *output], load=pytest.fail)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "usage: bash run.sh cnn" in said and advice in said


def test_an_accelerator_that_cannot_calculate_leaves_training_to_the_cpu(capsys):
    meta = torch.device("meta")  # it is there and takes tensors, but calculates nothing
    assert main_pipeline.choose_device(meta) == "cpu"
    assert "meta cannot be used" in capsys.readouterr().err
    assert main_pipeline.choose_device(torch.device("cpu")) == "cpu"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("option", ["--data", "--strokes"])
def test_data_that_is_not_there_is_one_line(option, capsys, tmp_path):
    assert main_pipeline.main(["cnn", "--output", str(tmp_path), option, "nowhere"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and "nowhere" in line


def test_options_change_the_recipe_and_the_sample_is_trained_six_times_as_many_epochs():
    assert set(RECIPES) == set(NETWORKS)
    recipe = RECIPES["cnn"]
    assert choose_recipe("cnn", True, None, True) == recipe
    sample = choose_recipe("cnn", False, None, True)
    assert (sample.epochs, sample.synthetic_fraction) == (6 * recipe.epochs, 0.5)
    plain = choose_recipe("cnn", True, 2, False)
    assert plain == replace(recipe, epochs=2, synthetic_fraction=0.0, outlier_ratio=0.0)


# --- The model and its card -----------------------------------------------------------------------


def test_a_model_is_written_with_its_figures_and_a_card_that_says_how_it_was_made(trained, capsys):
    folder = trained("cnn", "--epochs", "1", "--seed", "4", "--permute", "5")
    stem = "mnist-cnn-permuted-0.0.1"
    figures = [f"{stem}-{name}.png" for name in ("confusion-matrix", "learning-curves")]
    figures.append(f"{stem}-reliability.png")
    assert {path.name for path in folder.iterdir()} >= {*figures, f"{stem}.onnx", f"{stem}.pt"}
    assert " of synthetic digits " in (folder / "README.md").read_text()
    card = Classifier.load(folder / f"{stem}.onnx").card
    assert (card.name, card.network) == ("cnn-permuted", "cnn")
    assert (card.permutation.seed, card.permutation.indices) == (5, make_permutation(5).tolist())
    assert card.config == {"channels": [32, 128], "kernel": 5, "dropout": 0.3}
    assert card.parameters == 124_010
    assert (card.data["source"], card.data["training"]) == ("synthetic digits", 600)
    assert (card.training["seed"], card.training["epochs"]) == (4, 1)
    assert card.training["threads"] == torch.get_num_threads()
    assert sorted(card.figures.values()) == figures
    for file in figures:
        with Image.open(folder / file) as image:
            assert min(image.size) > 300 and np.asarray(image).std() > 5  # it shows something
    said = capsys.readouterr().out
    assert "Recipe(epochs=1, batch_size=128" in said and "epoch 1/1" in said


def test_the_cards_results_are_those_of_the_saved_model(trained, few_digits):
    classifier = Classifier.load(trained(*command()) / MLP)
    assert classifier.card.permutation is None
    predictions = classifier.predict(few_digits.test.images.numpy())
    labels = few_digits.test.labels.numpy()
    correct = np.array([prediction.digit for prediction in predictions]) == labels
    results = classifier.card.results
    assert results.test_accuracy == pytest.approx(correct.mean())
    assert results.recall == pytest.approx([correct[labels == digit].mean() for digit in range(10)])
    rejected = [not prediction.is_digit for prediction in predictions]
    assert results.test_rejected == pytest.approx(np.mean(rejected))


@pytest.mark.parametrize("options", [{}, {"no_synthetic": None}])
def test_calibration_is_fitted_to_validation_and_to_synthetic_digits_if_trained_on(
    load, few_digits, options
):
    network, card = load(**options)
    images, labels = few_digits.validation.images, few_digits.validation.labels
    if not options:
        held_back = synthetic_digits(config.CALIBRATION_SYNTHETIC, config.CALIBRATION_SEED)
        images = torch.cat((images, held_back.images))
        labels = torch.cat((labels, held_back.labels))
    logits = predict_logits(network, images)
    temperature = fit_temperature(logits, labels)
    assert card.temperature == pytest.approx(temperature, rel=1e-3)
    scores = rejection_score((logits / temperature).numpy())
    threshold = np.quantile(scores, config.TARGET_FALSE_REJECTION_RATE)
    assert card.threshold == pytest.approx(threshold, rel=1e-3)


def test_the_same_options_give_the_same_weights_and_others_do_not(load, few_digits, tmp_path):
    again = [*command(), "--output", str(tmp_path)]
    assert main_pipeline.main(again, lambda source: few_digits) == 0
    first = weights(load()[0])
    assert torch.equal(first, weights(load_network(tmp_path / MLP)[0]))
    for changes in ({"seed": "20250101123456"}, {"augment": "affine"}, {"no_synthetic": None}):
        network, card = load(**changes)
        assert not torch.equal(first, weights(network))
        assert str(card.training["seed"]) == changes.get("seed", "1")
        assert card.training["augmentation"] == changes.get("augment", "none")
        assert (card.training["outlier_ratio"] == 0) == ("no_synthetic" in changes)


def test_own_strokes_are_learnt_and_their_number_stands_in_the_card(load, tmp_path):
    spiral = [(t / 9 * math.cos(t / 4), t / 9 * math.sin(t / 4)) for t in range(90)]
    file = tmp_path / "mine.jsonl"
    line = json.dumps({"label": 1, "writer": "a", "strokes": [spiral]})
    file.write_text("\n".join([line] * 20))
    spirals = load_strokes(file, seed=99).images
    accuracies = []
    for options in ({}, {"strokes": str(file)}):
        network, card = load(**options)
        accuracies.append(accuracy(predict_logits(network, spirals), torch.ones(20)))
        assert card.training["strokes"] == (20 if options else 0)
    assert accuracies[0] < 0.5 and accuracies[1] > 0.9


@pytest.fixture
def enter(monkeypatch):
    """Enters a network of one's own, a linear layer and what comes behind it."""

    def enter(*more):
        layers = lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 10), *more)  # noqa: E731
        monkeypatch.setitem(NETWORKS, "mine", layers)
        monkeypatch.setitem(RECIPES, "mine", Recipe(epochs=1))

    return enter


def test_a_network_of_ones_own_needs_an_entry_and_a_recipe(trained, enter):
    enter()
    classifier = Classifier.load(trained("mine") / "mnist-mine-0.0.1.onnx")
    assert (classifier.card.name, classifier.card.config) == ("mine", {})
    assert len(classifier.predict(np.zeros((1, 28, 28), np.uint8))[0].probabilities) == 10


@pytest.mark.parametrize("last", [nn.Softmax(dim=1), nn.Linear(10, 3)])
def test_a_network_that_cannot_be_served_is_refused_before_it_is_trained(
    last, few_digits, tmp_path, enter, capsys
):
    enter(last)
    assert main_pipeline.main(["mine", "--output", str(tmp_path)], lambda source: few_digits) == 1
    said = capsys.readouterr()
    assert said.err == "error: The last module of mine must be nn.Linear(..., 10).\n"
    assert "epoch" not in said.out


# --- Interruptions --------------------------------------------------------------------------------


def test_training_that_is_stopped_leaves_the_old_model(trained, few_digits, tmp_path, capsys):
    shutil.copytree(trained(*command()), tmp_path, dirs_exist_ok=True)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def load(source):  # when it is called, the pipeline has its handlers
        threading.Timer(1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        return few_digits

    options = command(epochs="1000", output=str(tmp_path))
    assert main_pipeline.main(options, load) == 130
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    said = capsys.readouterr().err.strip()
    assert said == "Stopped. The model that was there before is unchanged."
