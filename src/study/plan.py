"""What the study trains and what it asks, all of it named before anything is measured."""

from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor

from model.config import IMAGE_SIZE, RECIPES

IN_ORDER, PERMUTED = "in order", "permuted"
# "within 4": the pixels are permuted inside each block of 4 x 4; "permuted": all of them
ORDERS = (IN_ORDER, "within 2", "within 4", "within 7", "within 14", PERMUTED)
SERVED = "slight + synthetic"  # how the models that the API serves are trained
AUGMENTATIONS = ("none", "affine", "slight", SERVED)
SMALL_MLP, SMALL_HIDDEN = "mlp, small", (144, 72)  # units with which it has the CNN's size
SEEDS = 5
# Passes over the images. The CNN learns slowly where the pixels are out of order.
EPOCHS = {"mlp": 24, SMALL_MLP: 24, "cnn": 6, "deep": RECIPES["deep"].epochs}
CNN_EPOCHS_OUT_OF_ORDER = 20

MNIST = "MNIST"  # its test images
DRAWN = "pendigits-dev"  # digits from a tablet, preprocessed; data/README.md says whose
RESIZED = ", resized"  # ends the name of a test set that was only resized to 28 x 28 pixels


class Row(NamedTuple):
    """Networks that differ by their seed alone, and what they read."""

    network: str
    augmentation: str = "none"
    pixels: str = IN_ORDER
    test_set: str = MNIST


CNN, CNN_PERMUTED = Row("cnn"), Row("cnn", pixels=PERMUTED)
MLP, MLP_PERMUTED = Row("mlp"), Row("mlp", pixels=PERMUTED)
DRAWINGS, DRAWINGS_RESIZED = Row("cnn", test_set=DRAWN), Row("cnn", test_set=DRAWN + RESIZED)
AFFINE, SYNTHETIC = Row("cnn", "affine", test_set=DRAWN), Row("cnn", SERVED, test_set=DRAWN)
# Does the first row misread fewer digits than the second?
QUESTIONS = (
    ("Does a CNN read better than an MLP?", CNN, MLP),
    ("Also better than an MLP with as many parameters?", CNN, Row(SMALL_MLP)),
    ("Also if both are trained as served?", Row("cnn", SERVED), Row("mlp", SERVED)),
    ("Also if the pixels are permuted?", CNN_PERMUTED, MLP_PERMUTED),
    ("Does permuting the pixels harm the CNN?", CNN, CNN_PERMUTED),
    ("Does it harm the MLP?", MLP, MLP_PERMUTED),
    ("Does preprocessing help with drawings?", DRAWINGS, DRAWINGS_RESIZED),
    ("Does strong augmentation help further?", AFFINE, DRAWINGS),
    ("Do slight augmentation and synthetic digits?", SYNTHETIC, DRAWINGS),
    ("Does a CNN read drawings better than an MLP?", SYNTHETIC, Row("mlp", SERVED, test_set=DRAWN)),
)
# What makes a digit reader work on your own digit: each step adds one thing
LADDER = {
    "plain resizing, trained on plain MNIST": Row("cnn", test_set=RESIZED),
    "+ preprocessing": Row("cnn", test_set=""),
    "+ augmentation": Row("cnn", "slight", test_set=""),
    "+ synthetic digits": Row("cnn", SERVED, test_set=""),
    "+ the deep network": Row("deep", SERVED, test_set=""),
}


class Run(NamedTuple):
    """One network to train; the fields are columns of comparison.csv.

    `permutation` is the permutation's seed: 0, and unused, in order. `seed` is that of the rest.
    """

    network: str
    pixels: str
    permutation: int
    augmentation: str
    images: int
    epochs: int
    seed: int


def all_runs(images: int) -> list[Run]:
    """Return every run on so many images, seed after seed."""
    runs = []
    for seed in range(SEEDS):
        rows = [*product(("mlp", "cnn"), (IN_ORDER, PERMUTED), AUGMENTATIONS)]
        rows += product([SMALL_MLP], [IN_ORDER], AUGMENTATIONS)
        if seed == 0:
            rows += product(("mlp", "cnn"), ORDERS[1:-1], ["none"])
            rows += [("deep", IN_ORDER, SERVED)]
        for network, pixels, augmentation in rows:
            is_slow = network == "cnn" and pixels != IN_ORDER
            epochs = CNN_EPOCHS_OUT_OF_ORDER if is_slow else EPOCHS[network]
            permutation = 0 if pixels == IN_ORDER else seed
            runs.append(Run(network, pixels, permutation, augmentation, images, epochs, seed))
    return runs


def pixel_permutation(pixels: str, seed: int) -> Tensor | None:
    """Return the permutation (784,) of one of ORDERS, None for pixels in order."""
    if pixels == IN_ORDER:
        return None
    side = IMAGE_SIZE if pixels == PERMUTED else int(pixels.removeprefix("within "))
    number = IMAGE_SIZE // side
    generator = torch.Generator().manual_seed(seed)
    pixel = torch.arange(IMAGE_SIZE**2).reshape(number, side, number, side)
    blocks = pixel.transpose(1, 2).reshape(-1, side * side)  # a block per row
    permuted = [block[torch.randperm(len(block), generator=generator)] for block in blocks]
    return torch.stack(permuted).reshape(number, number, side, side).transpose(1, 2).flatten()
