"""Training and testing, held to a calculation by hand."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.support.pictures import random_digits
from torch import nn

from model.config import RECIPES
from model.data.batches import Batches
from model.data.mnist import Digits, standardize
from model.train import accuracy, has_bfloat16, predict_logits, train
from model.train import test as measure  # pytest would collect a function called test

BRIGHT, DARK = (1 - 0.1307) / 0.3081, -0.1307 / 0.3081  # pixels, standardized
RECIPE = replace(RECIPES["mlp"], batch_size=20, synthetic_fraction=0.0, outlier_ratio=0.0)
DIGITS = random_digits(60, seed=3)
CPU = torch.device("cpu")


class OneWeight(nn.Module):
    """The logit of digit 0 is w times the image's first pixel, all others are 0."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.5]))

    def forward(self, images):
        first = images.flatten(1)[:, :1] * self.weight
        return torch.cat((first, torch.zeros(len(images), 9)), dim=1)


class SameBatch(list):
    """Batches of one image whose first pixel is bright, a 0, as many as are wanted."""

    device = CPU

    def __init__(self, count):
        images = torch.zeros(1, 1, 28, 28)
        images[0, 0, 0, 0] = 1
        super().__init__([(images, torch.eye(10)[:1])] * count)


def probability_of_0(weight, pixel):
    return math.exp(weight * pixel) / (math.exp(weight * pixel) + 9)


def one_cycle(step, steps, peak):
    """Learning rate and momentum of a step, from 0: L. N. Smith's schedule, a cosine in shape."""

    def between(start, end, part):
        return end + (start - end) / 2 * (1 + math.cos(math.pi * part))

    top = 0.2 * steps - 1  # the peak, in steps
    if step <= top:
        return between(peak / 25, peak, step / top), between(0.95, 0.85, step / top)
    part = (step - top) / (steps - 1 - top)
    return between(peak, peak / 25 / 1e4, part), between(0.85, 0.95, part)


@pytest.mark.parametrize("ema_decay", [0.3, 0.995])
@pytest.mark.parametrize("permuted", [False, True])
def test_training_is_adamw_on_a_one_cycle_schedule_and_keeps_the_average_weight(
    ema_decay, permuted
):
    recipe = replace(RECIPE, epochs=2, learning_rate=0.1, weight_decay=0.5, ema_decay=ema_decay)
    permutation = torch.arange(784).roll(-5) if permuted else None  # the sixth pixel comes first
    pixel = DARK if permuted else BRIGHT
    network = OneWeight()
    history = train(network, SameBatch(5), DIGITS, recipe, permutation)

    weight, average, mean, square, losses = 0.5, None, 0.0, 0.0, []
    for step in range(1, 11):
        probability = probability_of_0(weight, pixel)
        losses.append(-math.log(probability))
        gradient = (probability - 1) * pixel
        rate, momentum = one_cycle(step - 1, 10, 0.1)
        mean = momentum * mean + (1 - momentum) * gradient
        square = 0.999 * square + 0.001 * gradient**2
        update = mean / (1 - momentum**step) / (math.sqrt(square / (1 - 0.999**step)) + 1e-8)
        weight -= rate * (update + 0.5 * weight)
        decay = min(ema_decay, (1 + step) / (10 + step))
        average = weight if average is None else decay * average + (1 - decay) * weight
    assert network.weight.item() == pytest.approx(average, abs=1e-5)
    assert [epoch["training_loss"] for epoch in history] == pytest.approx(
        [sum(losses[:5]) / 5, sum(losses[5:]) / 5], abs=1e-5
    )


def test_each_epoch_reports_the_averaged_weights_and_the_last_one_is_the_networks():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    recipe = replace(RECIPE, epochs=8, ema_decay=0.5, label_smoothing=0.0)
    history = train(network, Batches(DIGITS, None, recipe, "none", seed=0), DIGITS, recipe)
    assert history[-1]["validation_loss"] < history[0]["validation_loss"]
    reached = (history[-1]["validation_loss"], history[-1]["validation_accuracy"])
    assert measure(network, DIGITS) == reached
    assert reached[1] > 0.9


def test_testing_gives_the_mean_loss_and_the_fraction_that_is_correct():
    digits = Digits(torch.zeros(4, 28, 28, dtype=torch.uint8), torch.tensor([0, 1, 1, 1]))
    digits.images[0, 0, 0] = 255
    loss, reached = measure(OneWeight(), digits)
    of_0, of_1 = probability_of_0(0.5, BRIGHT), (1 - probability_of_0(0.5, DARK)) / 9
    assert loss == pytest.approx(-(math.log(of_0) + 3 * math.log(of_1)) / 4, abs=1e-6)
    assert reached == 1.0  # with a dark first pixel the other digits' logits, 0, are larger
    assert accuracy(torch.eye(10)[[1, 2, 3]], torch.tensor([1, 2, 9])) == pytest.approx(2 / 3)


def test_logits_do_not_depend_on_how_images_are_batched_nor_on_dropout():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(784, 10))
    images = random_digits(2100).images  # more than two batches
    expected = network.eval()(standardize(images.unsqueeze(1) / 255)).detach()
    network.train()
    torch.testing.assert_close(predict_logits(network, images), expected, rtol=0, atol=1e-5)


def test_bfloat16_is_taken_where_linux_says_that_the_processor_has_it():
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
    if "flags" not in flags:
        pytest.skip("no flags of the processor: run it on Linux, x86")
    assert has_bfloat16(CPU) == bool({"avx512_bf16", "amx_bf16"} & flags)
