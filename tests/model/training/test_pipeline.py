"""The real pipeline in a fast form: on few pictures, for one epoch, from data to model card."""

import json
import re

import numpy as np
import pytest
import torch

import main_pipeline
from model.checkpoint import load_checkpoint
from model.classifier import Classifier
from model.config import RECIPES
from model.data.mnist import Digits, Mnist
from model.data.synthetic.digits import synthesize_digits
from model.training.pipeline import make_permutation


def drawn(count, seed):
    labels = torch.arange(count) % 10
    return Digits(synthesize_digits(labels, torch.Generator().manual_seed(seed)), labels)


@pytest.fixture
def few_digits(monkeypatch):
    """Synthesised digits in MNIST's place: loading has tests of its own."""
    mnist = Mnist(
        training=drawn(600, 1),
        validation=drawn(100, 2),
        test=drawn(100, 3),
        source="synthesised digits",
        checksums={"none": "0"},
        complete=False,
    )
    monkeypatch.setattr("model.training.pipeline.load_mnist", lambda *arguments: mnist)
    monkeypatch.setattr("model.training.pipeline.CALIBRATION_SYNTHETIC", 200)
    return mnist


@pytest.fixture
def train(few_digits, tmp_path):
    def run(*arguments):
        assert main_pipeline.main([*arguments, "--output", str(tmp_path)]) == 0
        return tmp_path

    return run


def test_the_cnn_is_written_with_its_card_and_its_pictures(train, capsys):
    models = train("cnn", "--epochs", "1", "--seed", "4")
    assert sorted(path.name for path in models.iterdir()) == [
        "mnist-0.0.1-confusion-matrix.png",
        "mnist-0.0.1-learning-curves.png",
        "mnist-0.0.1-reliability.png",
        "mnist-0.0.1.json",
        "mnist-0.0.1.pt",
    ]
    card = json.loads((models / "mnist-0.0.1.json").read_text())
    assert (card["name"], card["version"], card["permutation"]) == ("cnn", "0.0.1", None)
    assert card["data"]["source"] == "synthesised digits"
    assert card["data"]["complete"] is False
    assert (card["data"]["training"], card["data"]["test"]) == (600, 100)
    assert (card["training"]["seed"], card["training"]["epochs"]) == (4, 1)
    assert len(card["results"]["recall"]) == 10
    assert card["versions"]["torch"] == torch.__version__
    assert "epoch 1/1" in capsys.readouterr().out


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


def test_permuting_writes_a_file_of_its_own_with_the_permutation(train):
    models = train("mlp", "--epochs", "1", "--permute", "5")
    checkpoint = load_checkpoint(models / "mnist-mlp-permuted-0.0.1.pt")
    assert torch.equal(checkpoint.permutation, make_permutation(5))
    assert checkpoint.card["name"] == "mlp-permuted"
    assert not (models / "mnist-mlp-0.0.1.pt").exists()


def test_a_permuted_cnn_does_not_write_the_plain_file(train):
    models = train("cnn", "--epochs", "1", "--permute", "5")
    assert (models / "mnist-cnn-permuted-0.0.1.pt").exists()
    assert not (models / "mnist-0.0.1.pt").exists()


def test_the_same_seed_gives_the_same_weights(train):
    models = train("cnn", "--epochs", "1", "--seed", "7")
    first = torch.load(models / "mnist-0.0.1.pt", weights_only=True)
    train("cnn", "--epochs", "1", "--seed", "7")
    second = torch.load(models / "mnist-0.0.1.pt", weights_only=True)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_replacing_a_better_model_keeps_it_and_says_so(train, capsys):
    models = train("mlp", "--epochs", "2")
    card_path = models / "mnist-mlp-0.0.1.json"
    card = json.loads(card_path.read_text())
    card["data"]["training"] = 55_000
    card_path.write_text(json.dumps(card))
    train("mlp", "--epochs", "1")
    assert (models / "previous" / "mnist-mlp-0.0.1.pt").exists()
    assert "bring it back with: cp" in capsys.readouterr().out.splitlines()[-1]


def test_an_interrupt_while_training_leaves_no_model(few_digits, tmp_path, monkeypatch, capsys):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("model.train.F.cross_entropy", interrupted)
    assert main_pipeline.main(["cnn", "--output", str(tmp_path)]) == 130
    assert list(tmp_path.iterdir()) == []
    assert "nothing was written" in capsys.readouterr().err


def test_an_error_is_one_line_that_says_what_to_do(tmp_path, capsys):
    missing = str(tmp_path / "nowhere")
    assert main_pipeline.main(["cnn", "--data", missing, "--output", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "nowhere" in error


@pytest.mark.parametrize(
    "wrong", [["nosuch"], ["cnn", "--epochs", "0"], ["cnn", "--augment", "wild"], []]
)
def test_a_wrong_command_line_ends_with_the_usage_and_status_2(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        main_pipeline.main(wrong)
    assert ended.value.code == 2
    assert re.search(r"usage: run\.sh", capsys.readouterr().err)


def test_every_network_has_a_recipe():
    from model.registry import NETWORKS

    assert set(RECIPES) == set(NETWORKS)
