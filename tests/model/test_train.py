"""Training and testing, held to a hand calculation."""

import math
from dataclasses import replace

import pytest
import torch
from tests.support.pictures import random_digits
from torch import nn

from model.config import RECIPES
from model.data.loader import Batch, Batches
from model.data.mnist import Digits
from model.registry import standardize
from model.train import fit, predict_logits, train
from model.train import test as measure  # pytest would collect a function called test

BRIGHT, DARK = (1 - 0.1307) / 0.3081, -0.1307 / 0.3081  # pixels, standardized
DIGITS = random_digits(60, seed=3)
RECIPE = replace(RECIPES["mlp"], epochs=1, batch_size=20, synthetic_fraction=0.0, outlier_ratio=0.0)


class OneWeight(nn.Module):
    """The logit of digit 0 is w times the picture's first pixel, all others are 0.

    Another weight is idle: its gradient is 0.
    """

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.5]))
        self.idle = nn.Parameter(torch.tensor([1.0]))

    def forward(self, images):
        first = images.flatten(1)[:, :1] * self.weight + 0 * self.idle
        return torch.cat((first, torch.zeros(len(images), 9)), dim=1)


def one_picture():
    images = torch.zeros(1, 1, 28, 28)
    images[0, 0, 0, 0] = 1
    return Batch(images, torch.eye(10)[:1], 1)


def one_layer():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def probability_of_0(x):
    """What OneWeight gives digit 0 where the first pixel is x."""
    return math.exp(0.5 * x) / (math.exp(0.5 * x) + 9)


def one_epoch(model, **options):
    return train(model, [one_picture()], torch.optim.SGD(model.parameters(), lr=0.1), **options)


def test_loss_and_update_are_those_calculated_by_hand():
    model = OneWeight()
    loss = one_epoch(model)
    p = probability_of_0(BRIGHT)
    assert loss == pytest.approx(-math.log(p), abs=1e-6)
    # d loss / d w = (p - 1) x
    assert model.weight.item() == pytest.approx(0.5 - 0.1 * (p - 1) * BRIGHT, abs=1e-6)


def test_the_permutation_moves_the_pixels_that_training_sees():
    permutation = torch.arange(784).roll(-5)  # the first pixel now is the one that was sixth
    loss = one_epoch(OneWeight(), permutation=permutation)
    assert loss == pytest.approx(-math.log(probability_of_0(DARK)), abs=1e-6)


def test_testing_gives_the_mean_loss_and_the_part_read_right():
    digits = Digits(torch.zeros(4, 28, 28, dtype=torch.uint8), torch.tensor([0, 1, 1, 1]))
    digits.images[0, 0, 0] = 255
    loss, accuracy = measure(OneWeight(), digits, batch_size=3)
    of_0, of_1 = probability_of_0(BRIGHT), (1 - probability_of_0(DARK)) / 9
    assert loss == pytest.approx(-(math.log(of_0) + 3 * math.log(of_1)) / 4, abs=1e-6)
    assert accuracy == 1.0  # with a dark first pixel the other digits' logits, 0, are larger


def test_training_switches_to_training_mode_and_testing_to_evaluation_mode():
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(784, 10))
    one_epoch(model)
    assert model.training
    measure(model, DIGITS)
    assert not model.training


def test_fitting_learns_and_reports_every_epoch():
    model = one_layer()
    recipe = replace(RECIPE, epochs=8, ema_decay=0.5, label_smoothing=0.0)
    seen = []
    batches = Batches(DIGITS, recipe, "none", seed=0)
    fitted, history = fit(model, batches, DIGITS, recipe, on_epoch=seen.append)
    assert seen == history
    assert [epoch.number for epoch in history] == list(range(1, 9))
    assert history[-1].validation_loss < history[0].validation_loss
    loss, accuracy = measure(fitted, DIGITS)
    assert (loss, accuracy) == (history[-1].validation_loss, history[-1].validation_accuracy)
    assert accuracy > 0.9


@pytest.mark.parametrize("decay", [0.3, 0.995])
def test_the_kept_weights_are_a_moving_average_whose_decay_grows_with_the_steps(decay):
    model = one_layer()
    recipe = replace(RECIPE, epochs=2, ema_decay=decay)
    path = []
    batches = Batches(DIGITS, recipe, "none", seed=0)
    fitted, _ = fit(
        model,
        batches,
        DIGITS,
        recipe,
        on_step=lambda: path.append(model[1].bias.detach().clone()),
    )
    average = path[0]
    for step, bias in enumerate(path[1:], start=2):
        kept = min(decay, (1 + step) / (10 + step))
        average = kept * average + (1 - kept) * bias
    torch.testing.assert_close(fitted[1].bias, average)


def test_weights_decay_by_the_recipe_along_the_one_cycle_schedule():
    recipe = replace(RECIPE, epochs=2, learning_rate=0.1, weight_decay=0.5, ema_decay=0.0)
    batches = Batches(DIGITS, recipe, "none", seed=0)
    fitted, _ = fit(OneWeight(), batches, DIGITS, recipe)

    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=6, pct_start=0.2)
    expected = 1.0
    for _ in range(6):
        expected *= 1 - schedule.get_last_lr()[0] * 0.5
        optimizer.step()
        schedule.step()
    assert fitted.idle.item() == pytest.approx(expected, abs=1e-6)
    assert expected < 0.9


def test_bf16_autocast_gives_nearly_the_loss_of_float32():
    torch.manual_seed(0)
    batch = next(iter(Batches(DIGITS, RECIPE, "none", seed=0)))
    losses = []
    for name in ("float32", "bfloat16"):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, 4, 5), nn.ReLU(), nn.Flatten(), nn.Linear(2304, 10))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        losses.append(train(model, [batch], optimizer, precision=name))
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert losses[1] != losses[0]


def test_logits_do_not_depend_on_how_pictures_are_batched():
    model = one_layer()
    images = DIGITS.images
    whole = predict_logits(model, images, batch_size=60)
    torch.testing.assert_close(predict_logits(model, images, batch_size=7), whole)
    torch.testing.assert_close(whole, model(standardize(images.unsqueeze(1) / 255)).detach())
