"""What is trained: the runs of each part of the study, and its settings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

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
# Passes over the data, for every augmentation. Twice as many gain 0.1 points at most (`compare
# --doubled`), but 0.3 for the permuted CNN with synthetic digits: out of order it learns slowly.
EPOCHS = {"mlp": 24, SMALL_MLP: 24, "cnn": 6}
EPOCHS_OUT_OF_ORDER = {**EPOCHS, "cnn": 20}
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


class Part(NamedTuple):
    """Runs that answer one question: rows x augmentations x sizes of the training set x seeds."""

    rows: Sequence[tuple[str, str]]  # network and order of the pixels
    augmentations: Sequence[str] = ("none",)
    sizes: Sequence[int] = ()  # besides all images
    seeds: int = 3  # one where an hour and more goes into each
    epochs: Sequence[int] = (1,)  # times the row's

    def runs(self, images: int, seeds: Sequence[int]) -> list[Run]:
        """Return the runs, one whole seed after the other."""
        sizes = [*(size for size in self.sizes if size < images), images]
        cells = product(seeds[: self.seeds], sizes, self.augmentations, self.epochs, self.rows)
        runs = [(make_run(*row, name, size, seed), n) for seed, size, name, n, row in cells]
        return [replace(run, epochs=times * run.epochs) for run, times in runs]


_IN_ORDER = (("mlp", UNPERMUTED), ("cnn", UNPERMUTED))
PARTS = {
    "factorial": Part(ROWS, AUGMENTATIONS, seeds=len(SEEDS)),
    "ladder": Part(_IN_ORDER[1:], ("none", "slight", RECIPE), seeds=len(SEEDS)),  # its lower steps
    "orders": Part([*product(("mlp", "cnn"), ORDERS)], seeds=1),
    "sizes": Part(_IN_ORDER, sizes=(100, 300, 1_000, 3_000, 10_000, 30_000)),
    "corruptions": Part(_IN_ORDER, ("none", RECIPE)),
    "doubled": Part(ROWS, ("none", RECIPE), seeds=1, epochs=(1, 2)),
}
