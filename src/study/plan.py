"""What the study trains and what it asks, all of it named before anything is measured."""

from itertools import product
from typing import NamedTuple

IN_ORDER, PERMUTED = "in order", "permuted"
RECOVERED, ISOMAP = "recovered", "recovered, Isomap"  # permuted, then laid out by pixel_order.py
SERVED = "slight + synthetic"  # how the models that the API serves are trained
AUGMENTATIONS = ("none", "slight", SERVED)
SMALL_MLP, SMALL_HIDDEN = "mlp, small", (144, 72)  # units with which it has the CNN's size
SEEDS = 5
# Passes over the images. The CNN learns slowly where the pixels are out of order.
EPOCHS = {"mlp": 24, SMALL_MLP: 24, "cnn": 6}
CNN_EPOCHS_PERMUTED = 20

MNIST = "MNIST"  # its test images
DRAWN = "pendigits-dev"  # digits from a tablet, preprocessed; data/README.md says whose
RESIZED = ", resized"  # ends the name of a test set that was only resized to 28 x 28 pixels


class Row(NamedTuple):
    """Networks that differ by their seed alone, and what they read."""

    network: str
    augmentation: str = "none"
    pixels: str = IN_ORDER
    test_set: str = MNIST


CNN, PERMUTED_CNN = Row("cnn"), Row("cnn", pixels=PERMUTED)
MLP, PERMUTED_MLP = Row("mlp"), Row("mlp", pixels=PERMUTED)
RECOVERED_CNN, ISOMAP_CNN = Row("cnn", pixels=RECOVERED), Row("cnn", pixels=ISOMAP)
# Of digits that were drawn
PLAIN, SLIGHT, BEST = (Row("cnn", name, test_set=DRAWN) for name in AUGMENTATIONS)
# Does the first row misread fewer digits than the second?
QUESTIONS = (
    ("Does a CNN read better than an MLP?", CNN, MLP),
    ("Also better than an MLP with as many parameters?", CNN, Row(SMALL_MLP)),
    ("Also if both are trained as served?", Row("cnn", SERVED), Row("mlp", SERVED)),
    ("Also if the pixels are permuted?", PERMUTED_CNN, PERMUTED_MLP),
    ("Does permuting the pixels harm the CNN?", CNN, PERMUTED_CNN),
    ("Does it harm the MLP?", MLP, PERMUTED_MLP),
    ("Is a CNN on recovered pixels better than on permuted ones?", RECOVERED_CNN, PERMUTED_CNN),
    ("Is the true order still better than the recovered one?", CNN, RECOVERED_CNN),
    ("Is growing a grid better than Isomap?", RECOVERED_CNN, ISOMAP_CNN),
    ("Does preprocessing help with drawings?", PLAIN, Row("cnn", test_set=DRAWN + RESIZED)),
    ("Does augmentation help further?", SLIGHT, PLAIN),
    ("Do synthetic digits help further?", BEST, SLIGHT),
    ("Does a CNN read drawings better than an MLP?", BEST, Row("mlp", SERVED, test_set=DRAWN)),
)


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


def all_runs(images: int, seeds: int = SEEDS) -> list[Run]:
    """Return every run on so many images, seed after seed."""
    rows = [*product(("mlp", "cnn"), (IN_ORDER, PERMUTED), ("none", "slight"))]
    rows += [("mlp", IN_ORDER, SERVED), ("cnn", IN_ORDER, SERVED), (SMALL_MLP, IN_ORDER, "none")]
    rows += [("cnn", RECOVERED, "none"), ("cnn", ISOMAP, "none")]
    runs = []
    for seed, (network, pixels, augmentation) in product(range(seeds), rows):
        is_slow = network == "cnn" and pixels == PERMUTED
        epochs = CNN_EPOCHS_PERMUTED if is_slow else EPOCHS[network]
        permutation = 0 if pixels == IN_ORDER else seed
        runs.append(Run(network, pixels, permutation, augmentation, images, epochs, seed))
    return runs
