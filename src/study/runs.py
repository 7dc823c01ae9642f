"""What is trained: the runs of each part of the study, and its settings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from model.config import RECIPES, Recipe
from model.registry import NETWORKS, Network
from study.permutations import ORDERS, PERMUTED, UNPERMUTED

SEEDS = range(5)
RECIPE = "slight + synthetic"  # what the models that are served are trained on
AUGMENTATIONS = ("none", "affine", "slight", RECIPE)
SMALL_MLP = "mlp, small"
SMALL_HIDDEN = (144, 72)  # with which an MLP has as many parameters as the CNN
ROWS = (
    ("mlp", UNPERMUTED),
    ("mlp", PERMUTED),
    (SMALL_MLP, UNPERMUTED),
    ("cnn", UNPERMUTED),
    ("cnn", PERMUTED),
)
# Passes over the data, for every augmentation: doubling them gains less than 0.1 points, as
# `compare --doubled` shows. A CNN whose pixels are out of order learns more slowly.
EPOCHS = {"mlp": 24, SMALL_MLP: 24, "cnn": 6}
EPOCHS_OUT_OF_ORDER = {**EPOCHS, "cnn": 20}
SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000)  # training images, besides all of them
SMALL_EPOCH = 10_000  # fewer training images are gone through several times per epoch


@dataclass(frozen=True)
class Run:
    """One training run; the fields are columns of `comparison.json`.

    Attributes:
        network: "mlp", "cnn", or "mlp, small".
        pixels: one of `study.permutations.ORDERS`.
        augmentation: one of AUGMENTATIONS.
        images: how many of the training images are used.
        epochs: passes over them.
        seed: of the weights, the order of the images, the augmentation.
    """

    network: str
    pixels: str
    augmentation: str
    images: int
    epochs: int
    seed: int

    @property
    def recipe(self) -> Recipe:
        """The network's own recipe, synthetic images only where the augmentation says so."""
        recipe = replace(RECIPES[self.network.split(",")[0]], epochs=self.epochs)
        if self.augmentation != RECIPE:
            recipe = replace(recipe, synthetic_fraction=0.0, outlier_ratio=0.0)
        return recipe

    @property
    def batch_augmentation(self) -> str:
        """The name for `model.data.augment.augment`."""
        return self.augmentation.split(" + ")[0]

    def build(self) -> Network:
        """Return the untrained network; torch's generator decides its weights."""
        if self.network == SMALL_MLP:
            return NETWORKS["mlp"](hidden=SMALL_HIDDEN)
        return NETWORKS[self.network]()


def make_run(network: str, pixels: str, augmentation: str, images: int, seed: int) -> Run:
    """Return a run with the row's number of epochs."""
    epochs = (EPOCHS if pixels == UNPERMUTED else EPOCHS_OUT_OF_ORDER)[network]
    return Run(network, pixels, augmentation, images, epochs, seed)


def factorial(images: int, seeds: Sequence[int]) -> list[Run]:
    """Return every row with every augmentation, one whole seed after the other."""
    return [
        make_run(*row, augmentation, images, seed)
        for seed in seeds
        for augmentation in AUGMENTATIONS
        for row in ROWS
    ]


def doubled(images: int, seeds: Sequence[int]) -> list[Run]:
    """Return the factorial, and the same with twice the epochs."""
    runs = factorial(images, seeds)
    return runs + [replace(run, epochs=2 * run.epochs) for run in runs]


def ladder(images: int, seeds: Sequence[int]) -> list[Run]:
    """Return the runs of the ladder's lower steps."""
    return [
        make_run("cnn", UNPERMUTED, augmentation, images, seed)
        for seed in seeds
        for augmentation in ("none", "slight", RECIPE)
    ]


def sweeps(images: int, seeds: Sequence[int]) -> list[Run]:
    """Return the runs of the sweeps: orders of the pixels, sizes of the training set, corruptions.

    What is corrupted are the pixels in order of networks trained on all images. Of the MLP one seed
    shows that the order of the pixels does not matter to it.
    """
    runs = []
    for seed in seeds:
        for network in ("mlp", "cnn"):
            orders = ORDERS if network == "cnn" or seed == seeds[0] else (UNPERMUTED,)
            runs += [make_run(network, order, "none", images, seed) for order in orders]
            sizes = [size for size in SIZES if size < images]
            runs += [make_run(network, UNPERMUTED, "none", size, seed) for size in sizes]
            runs.append(make_run(network, UNPERMUTED, RECIPE, images, seed))
    return runs


PARTS = {"factorial": factorial, "sweeps": sweeps, "ladder": ladder, "doubled": doubled}
