"""What is trained: the runs of the factorial and of the sweeps, and every setting of the study."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from model.config import IMAGE_SIZE, NUM_CLASSES, RECIPES, Recipe
from model.registry import NETWORKS
from study.permutations import BLOCKS, PERMUTED, UNPERMUTED, inter_block, intra_block

SEEDS = (0, 1, 2)
SYNTHETIC = "mild + handwriting"  # with the synthetic images of the models that are served
AUGMENTATIONS = ("none", "mild", SYNTHETIC)
DEFAULT_NETWORKS = ("mlp", "cnn")
SMALL_MLP = "mlp, small"  # with as many parameters as the cnn; trained without augmentation
SWEEP_AUGMENTATION = "none"  # the sweeps ask about the data and the order of pixels alone
SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000, None)  # training images; None: all 55,000

# Passes over the data until validation accuracy has levelled off: a run that still gains more
# than PLATEAU_TOLERANCE in its last quarter is repeated with twice as many, MAX_DOUBLINGS times.
EPOCHS = {
    "mlp": {"none": 10, "mild": 30, SYNTHETIC: 24},
    "cnn": {"none": 5, "mild": 6, SYNTHETIC: 6},
    "deep": {"none": 5, "mild": 6, SYNTHETIC: 6},
}
PLATEAU_TOLERANCE = 0.003
MAX_DOUBLINGS = 2
# A rougher answer in five minutes: one seed, this many training images, these epochs
QUICK_IMAGES = 10_000
QUICK_EPOCHS = {"mlp": 8, "cnn": 4, "deep": 2}
SMALL_EPOCH = 10_000  # fewer training images are gone through several times per epoch


@dataclass(frozen=True)
class Run:
    """One training run of the study; the fields are named as in `comparison.json`.

    Attributes:
        network: "mlp", "cnn" and so on, or "mlp, small".
        pixels: a name for `study.permutations.pixel_permutation`.
        augmentation: one of AUGMENTATIONS; with "mild + handwriting" synthetic digits and outliers
            come on top of MNIST's digits, as many as for the models that are served.
        seed: of the weights, the order of the images, the augmentation.
        epochs: passes over the training images (see EPOCHS).
        pictures: how many of the training images are used, None for all.
    """

    network: str
    pixels: str
    augmentation: str
    seed: int
    epochs: int
    pictures: int | None = None

    @property
    def title(self) -> str:
        """A name for people."""
        few = "" if self.pictures is None else f", {self.pictures} pictures"
        return f"{self.network}, {self.pixels}, {self.augmentation}{few}, seed {self.seed}"

    @property
    def key(self) -> str:
        """A name fit for files, and the run's key in `comparison.json`."""
        few = "" if self.pictures is None else f"_{self.pictures} pictures"
        name = f"{self.network}_{self.pixels}_{self.augmentation}{few}_seed {self.seed}"
        return name.replace(" + ", "+").replace(", ", "-").replace(" ", "-")

    @property
    def registry_name(self) -> str:
        """The network's key in the registry."""
        return self.network.split(",")[0]

    @property
    def network_config(self) -> dict[str, tuple[int, int]]:
        """What the network's class is called with."""
        return {"hidden": small_hidden()} if self.network == SMALL_MLP else {}

    @property
    def batch_augmentation(self) -> str:
        """The name for `model.data.augment.augment`."""
        return self.augmentation.split(" + ")[0]

    @property
    def recipe(self) -> Recipe:
        """The network's own recipe, synthetic images only where the augmentation says so."""
        recipe = replace(RECIPES[self.registry_name], epochs=self.epochs)
        if self.augmentation != SYNTHETIC:
            recipe = replace(recipe, synthetic_fraction=0.0, outlier_ratio=0.0)
        return recipe


def parameters_of(network: str, **config: tuple[int, int]) -> int:
    """Return the number of trained parameters of a network."""
    return sum(parameter.numel() for parameter in NETWORKS[network](**config).parameters())


def small_hidden() -> tuple[int, int]:
    """Return the widths, 2 to 1, that give an MLP about as many parameters as the CNN has."""
    target = parameters_of("cnn")

    def parameters(half: int) -> int:
        sizes = (IMAGE_SIZE * IMAGE_SIZE, 2 * half, half, NUM_CLASSES)
        return sum((a + 1) * b for a, b in pairwise(sizes))

    half = min(range(1, 1000), key=lambda half: abs(parameters(half) - target))
    return 2 * half, half


def make_run(
    network: str, pixels: str, augmentation: str, seed: int, pictures: int | None = None
) -> Run:
    """Return a run with the epochs of the table above."""
    epochs = EPOCHS[network.split(",")[0]][augmentation]
    return Run(network, pixels, augmentation, seed, epochs, pictures)


def factorial(
    networks: Sequence[str] = DEFAULT_NETWORKS, seeds: Sequence[int] = SEEDS
) -> list[Run]:
    """Return networks x {unpermuted, permuted} x augmentations; one full seed after the other."""
    runs = []
    for seed in seeds:
        for augmentation in AUGMENTATIONS:
            for pixels in (UNPERMUTED, PERMUTED):
                runs += [make_run(network, pixels, augmentation, seed) for network in networks]
                if augmentation == "none" and {"mlp", "cnn"} <= {*networks}:
                    runs.append(make_run(SMALL_MLP, pixels, augmentation, seed))
    return runs


def sweeps(seeds: Sequence[int] = SEEDS) -> list[Run]:
    """Return the runs of the sweeps; those that are the factorial's too are not trained twice."""
    return list(dict.fromkeys([*patches(seeds), *sizes(seeds), *robustness(seeds)]))


def patches(seeds: Sequence[int] = SEEDS) -> list[Run]:
    """Return the runs of the patch-wise permutations: the CNN with all seeds, the MLP with one."""
    names = [UNPERMUTED, PERMUTED, *map(intra_block, BLOCKS), *map(inter_block, BLOCKS)]
    return [
        make_run(network, pixels, SWEEP_AUGMENTATION, seed)
        for network, its_seeds in (("cnn", seeds), ("mlp", seeds[:1]))
        for seed in its_seeds
        for pixels in names
    ]


def sizes(seeds: Sequence[int] = SEEDS) -> list[Run]:
    """Return the runs of the size of the training set."""
    return [
        make_run(network, UNPERMUTED, SWEEP_AUGMENTATION, seed, pictures)
        for network in DEFAULT_NETWORKS
        for seed in seeds
        for pictures in SIZES
    ]


def robustness(seeds: Sequence[int] = SEEDS) -> list[Run]:
    """Return the runs whose networks are measured on corrupted images."""
    return [
        make_run(network, UNPERMUTED, augmentation, seed)
        for network in DEFAULT_NETWORKS
        for augmentation in (SWEEP_AUGMENTATION, SYNTHETIC)
        for seed in seeds
    ]
