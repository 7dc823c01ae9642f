import copy
from dataclasses import replace

import pytest
import torch

from errors import DataError
from model.config import Recipe
from model.data.loader import Batches
from model.data.mnist import Digits, Mnist
from model.mlp import MLP
from model.train import Epoch, fit, predict_logits
from study import training
from study.permutations import PERMUTED, UNPERMUTED, pixel_permutation
from study.runs import Run, make_run
from study.training import (
    choose_images,
    gain_of_last_quarter,
    stratified,
    train_run,
)


def digits(count: int, seed: int) -> Digits:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, 28, 28), generator=generator).byte()
    return Digits(images, torch.arange(count) % 10)


@pytest.mark.parametrize("count", [9, 51, 61])
def test_images_that_cannot_be_chosen_in_proportion_are_refused(count):
    with pytest.raises(DataError, match="10 to 50"):
        stratified(digits(60, 0), count, seed=0)


@pytest.fixture
def mnist() -> Mnist:
    """Noise with labels: nothing to learn, quickly."""
    return Mnist(digits(60, 0), digits(20, 1), digits(30, 2), "noise", {}, complete=False)


def tiny(network: str = "mlp", pixels: str = UNPERMUTED, pictures: int | None = None) -> Run:
    return replace(make_run(network, pixels, "none", 0, pictures), epochs=1)


def epochs(*accuracies: float) -> list[Epoch]:
    return [Epoch(n, 1.0, 1.0, accuracy, 0.1) for n, accuracy in enumerate(accuracies, start=1)]


def test_the_gain_of_the_last_quarter_is_what_validation_rose_in_it():
    assert gain_of_last_quarter(epochs(0.1, 0.5, 0.7, 0.8, 0.84, 0.9, 0.92, 0.93)) == (
        pytest.approx(0.93 - 0.9)
    )
    assert gain_of_last_quarter(epochs(0.5, 0.75)) == pytest.approx(0.25)
    assert gain_of_last_quarter(epochs(0.5)) == 0


def test_a_run_that_has_not_levelled_off_is_trained_twice_as_long(mnist, monkeypatch):
    def trained_epochs(tolerance: float) -> int:
        monkeypatch.setattr(training, "PLATEAU_TOLERANCE", tolerance)
        _, result = train_run(tiny(), mnist, torch.device("cpu"), "float32", max_doublings=2)
        assert len(result["history"]) == result["epochs"] == result["recipe"]["epochs"]
        return result["epochs"]

    assert trained_epochs(tolerance=1.0) == 1  # no gain is larger
    assert trained_epochs(tolerance=-1.1) == 4  # every gain is larger


def test_a_few_images_are_stratified_and_fill_an_epoch():
    everything = digits(1000, 0)
    few = choose_images(everything, tiny(pictures=50))
    assert len(few) == 1000
    assert few.labels.bincount().tolist() == [100] * 10
    assert len(few.images.flatten(1).unique(dim=0)) == 50


def test_other_seeds_train_on_other_images():
    everything = digits(1000, 0)
    first, second = (
        choose_images(everything, replace(tiny(pictures=50), seed=seed)) for seed in (0, 1)
    )
    assert not torch.equal(first.images[:50], second.images[:50])


def test_the_result_says_what_was_misclassified_and_how_it_was_trained(mnist):
    network, result = train_run(
        tiny("cnn", PERMUTED), mnist, torch.device("cpu"), "float32", max_doublings=0
    )
    logits = predict_logits(network, mnist.test.images, permutation=pixel_permutation(PERMUTED))
    read = logits.argmax(dim=1)

    wrong = [(i, int(read[i])) for i in range(30) if read[i] != mnist.test.labels[i]]
    assert [tuple(pair) for pair in result["misread"]] == wrong
    assert result["test_accuracy"] == pytest.approx(1 - len(wrong) / 30)
    assert result["parameters"] == sum(p.numel() for p in network.parameters())
    assert result["recipe"]["handwriting"] == 0
    assert torch.__version__.startswith(result["versions"]["torch"])


def test_an_mlp_cannot_tell_permuted_pixels_from_unpermuted_ones(mnist):
    """Its first layer's columns permuted alike, it is trained to the same answers.

    So training and test permute in the same way, and augmentation acts before the permutation:
    were it to act on permuted images, the two would differ.
    """
    permutation = pixel_permutation(PERMUTED)
    torch.manual_seed(0)
    unpermuted = MLP(hidden=(16, 8), dropout=0.0)
    permuted = copy.deepcopy(unpermuted)
    with torch.no_grad():
        permuted.layers[1].weight.copy_(unpermuted.layers[1].weight[:, permutation])
    recipe = Recipe(
        epochs=3, batch_size=20, synthetic_fraction=0.0, outlier_ratio=0.0, ema_decay=0.5
    )
    answers = []
    for network, pixels in ((unpermuted, None), (permuted, permutation)):
        batches = Batches(mnist.training, recipe, "mild", seed=0)
        trained, _ = fit(network, batches, mnist.validation, recipe, permutation=pixels)
        answers.append(predict_logits(trained, mnist.test.images, permutation=pixels))

    assert torch.allclose(*answers, atol=1e-3)
    assert not torch.allclose(answers[0], predict_logits(unpermuted, mnist.training.images[:30]))
