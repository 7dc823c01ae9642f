import copy
from dataclasses import replace

import torch

from model.config import Recipe
from model.data.loader import Batches
from model.data.mnist import Digits, Mnist
from model.mlp import MLP
from model.train import fit, predict_logits
from study.permutations import PERMUTED, UNPERMUTED, pixel_permutation
from study.runs import Run
from study.training import choose_images, train_run


def digits(count: int, seed: int) -> Digits:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, 28, 28), generator=generator).byte()
    return Digits(images, torch.arange(count) % 10)


MNIST = Mnist(digits(60, 0), digits(20, 1), digits(30, 2), "noise", {}, complete=False)


def run(images: int = 60, seed: int = 0) -> Run:
    return Run("mlp", UNPERMUTED, "none", images, epochs=1, seed=seed)


def test_a_few_images_are_stratified_and_fill_an_epoch():
    few = choose_images(digits(1000, 0), run(50))
    assert few.labels.bincount().tolist() == [100] * 10
    assert len(few.images.flatten(1).unique(dim=0)) == 50


def test_other_seeds_train_on_other_images():
    first, second = (choose_images(digits(1000, 0), run(50, seed)) for seed in (0, 1))
    assert not torch.equal(first.images[:50], second.images[:50])


def test_the_same_run_gives_the_same_network_and_another_seed_another():
    first, again, other = (
        predict_logits(train_run(run(seed=seed), MNIST), MNIST.test.images) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_permuted_pixels_train_another_network():
    in_order, permuted = (
        train_run(replace(run(), pixels=pixels), MNIST).state_dict()
        for pixels in (UNPERMUTED, PERMUTED)
    )
    assert any(not torch.equal(in_order[name], permuted[name]) for name in in_order)


def test_an_mlp_cannot_tell_permuted_pixels_from_unpermuted_ones():
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
        batches = Batches(MNIST.training, recipe, "mild", seed=0)
        trained, _ = fit(network, batches, MNIST.validation, recipe, permutation=pixels)
        answers.append(predict_logits(trained, MNIST.test.images, permutation=pixels))

    assert torch.allclose(*answers, atol=1e-3)
    assert not torch.allclose(answers[0], predict_logits(unpermuted, MNIST.training.images[:30]))
