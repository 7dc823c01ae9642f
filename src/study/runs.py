"""What is trained: the cells of the grid and of the axes, and every setting of the study."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise

from model.config import IMAGE_SIZE, NUM_CLASSES, RECIPES, Recipe
from model.registry import NETWORKS
from study.permutations import BLOCKS, IN_ORDER, PERMUTED, among, within

SEEDS = (0, 1, 2)
HANDWRITING = "mild + handwriting"  # the synthetic pictures of the models that are served
AUGMENTATIONS = ("none", "mild", HANDWRITING)
DEFAULT_NETWORKS = ("mlp", "cnn")
SMALL_MLP = "mlp, small"  # with as many parameters as the cnn
SMALL_MLP_AUGMENTATION = "none"
AXES_AUGMENTATION = "none"  # the axes ask about the data and the order alone
SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000, None)  # training pictures; None: all 55,000

# Passes over the data until validation accuracy has levelled off: a cell that still gains more
# than LEVEL in its last quarter is trained anew with twice as many, MOST_DOUBLINGS times at most.
EPOCHS = {
    "mlp": {"none": 10, "mild": 30, HANDWRITING: 24},
    "cnn": {"none": 5, "mild": 6, HANDWRITING: 6},
    "deep": {"none": 5, "mild": 6, HANDWRITING: 6},
}
LEVEL = 0.003
MOST_DOUBLINGS = 2
# A rougher answer in five minutes: one seed, this part of the training pictures, these epochs
QUICK_PICTURES = 10_000
QUICK_EPOCHS = {"mlp": 8, "cnn": 4, "deep": 2}
SMALL_EPOCH = 10_000  # fewer training pictures are gone through several times an epoch

# Rough seconds for 1,000 pictures, forwards and backwards; only their ratios matter (for the ETA)
COST = {"mlp": 0.025, "cnn": 0.2, "deep": 0.35}
HANDWRITING_COST = 0.035  # of synthesising, on top
READING_COST = 0.3  # of a picture that is only read, as a part of one that is trained on


@dataclass(frozen=True)
class Cell:
    """One training run of the study.

    Attributes:
        network: "mlp", "cnn" and so on, or "mlp, small".
        pixels: a name for `study.permutations.pixel_permutation`.
        augmentation: one of AUGMENTATIONS; with "mild + handwriting" synthetic digits and pictures
            of no digit come on top of MNIST's, as many as for the models that are served.
        seed: of the weights, the order of the pictures, the augmentation.
        epochs: passes over the training pictures (see EPOCHS).
        pictures: of the training part that are used, None for all.
    """

    network: str
    pixels: str
    augmentation: str
    seed: int
    epochs: int
    pictures: int | None = None

    @property
    def key(self) -> str:
        """A name fit for files."""
        few = "" if self.pictures is None else f"_{self.pictures} pictures"
        name = f"{self.network}_{self.pixels}_{self.augmentation}{few}_seed {self.seed}"
        return name.replace(" + ", "+").replace(", ", "-").replace(" ", "-")

    @property
    def title(self) -> str:
        """A name for people."""
        few = "" if self.pictures is None else f", {self.pictures:,} pictures"
        return f"{self.network}, {self.pixels}, {self.augmentation}{few}, seed {self.seed}"

    @property
    def registry_name(self) -> str:
        """The network's key in the registry."""
        return self.network.split(",")[0]

    @property
    def network_settings(self) -> dict[str, object]:
        """What the network's class is called with."""
        return {"hidden": small_hidden()} if self.network == SMALL_MLP else {}

    @property
    def batch_augmentation(self) -> str:
        """The name for `model.data.augment.augment`."""
        return self.augmentation.split(" + ")[0]

    @property
    def recipe(self) -> Recipe:
        """The network's own recipe, synthetic pictures only where the augmentation says so."""
        recipe = replace(RECIPES[self.registry_name], epochs=self.epochs)
        if self.augmentation != HANDWRITING:
            recipe = replace(recipe, synthetic_fraction=0.0, outlier_ratio=0.0)
        return recipe

    def as_dict(self) -> dict[str, object]:
        """Return the attributes by name."""
        return asdict(self)

    def cost(self, training_pictures: int) -> float:
        """Return roughly how many seconds this takes; right in proportion to other cells."""
        synthetic = self.augmentation == HANDWRITING
        seconds = COST[self.registry_name] * (1.45 if synthetic else 1)
        thousands = self.pictures_an_epoch(training_pictures) / 1000
        return self.epochs * thousands * (seconds + HANDWRITING_COST * synthetic)

    def repeats(self, training_pictures: int) -> int:
        """Return how often an epoch goes through the cell's pictures, when they are few."""
        if self.pictures is None:
            return 1
        return max(1, min(SMALL_EPOCH, training_pictures) // self.pictures)

    def pictures_an_epoch(self, training_pictures: int) -> int:
        """Return how many MNIST pictures an epoch has."""
        if self.pictures is None:
            return training_pictures
        return min(self.pictures, training_pictures) * self.repeats(training_pictures)

    def steps(self, training_pictures: int) -> int:
        """Return the number of training steps."""
        return self.epochs * -(-self.pictures_an_epoch(training_pictures) // self.recipe.batch_size)


def parameters_of(network: str, **settings: object) -> int:
    """Return the number of trained parameters of a network."""
    return sum(parameter.numel() for parameter in NETWORKS[network](**settings).parameters())


def small_hidden() -> tuple[int, int]:
    """Return the widths, 2 to 1, that give an MLP about as many parameters as the CNN has."""
    wanted = parameters_of("cnn")

    def parameters(half: int) -> int:
        sizes = (IMAGE_SIZE * IMAGE_SIZE, 2 * half, half, NUM_CLASSES)
        return sum((a + 1) * b for a, b in pairwise(sizes))

    half = min(range(1, 1000), key=lambda half: abs(parameters(half) - wanted))
    return 2 * half, half


def cell(
    network: str, pixels: str, augmentation: str, seed: int, pictures: int | None = None
) -> Cell:
    """Return a cell with the epochs of the table above."""
    epochs = EPOCHS[network.split(",")[0]][augmentation]
    return Cell(network, pixels, augmentation, seed, epochs, pictures)


def grid(networks: Sequence[str] = DEFAULT_NETWORKS, seeds: Sequence[int] = SEEDS) -> list[Cell]:
    """Return networks x {in order, permuted} x augmentations; one whole seed after the other."""
    cells = []
    for seed in seeds:
        for augmentation in AUGMENTATIONS:
            for pixels in (IN_ORDER, PERMUTED):
                cells += [cell(network, pixels, augmentation, seed) for network in networks]
                if augmentation == SMALL_MLP_AUGMENTATION and {"mlp", "cnn"} <= {*networks}:
                    cells.append(cell(SMALL_MLP, pixels, augmentation, seed))
    return cells


def axes(seeds: Sequence[int] = SEEDS) -> list[Cell]:
    """Return the cells of the axes; those that are the grid's too are not trained twice."""
    return list(dict.fromkeys([*patches(seeds), *sizes(seeds), *robustness(seeds)]))


def patches(seeds: Sequence[int] = SEEDS) -> list[Cell]:
    """Return the cells of the patch-wise permutation: the CNN with all seeds, the MLP with one."""
    names = [IN_ORDER, PERMUTED, *map(within, BLOCKS), *map(among, BLOCKS)]
    return [
        cell(network, pixels, AXES_AUGMENTATION, seed)
        for network, its_seeds in (("cnn", seeds), ("mlp", seeds[:1]))
        for seed in its_seeds
        for pixels in names
    ]


def sizes(seeds: Sequence[int] = SEEDS) -> list[Cell]:
    """Return the cells of the size of the training set."""
    return [
        cell(network, IN_ORDER, AXES_AUGMENTATION, seed, pictures)
        for network in DEFAULT_NETWORKS
        for seed in seeds
        for pictures in SIZES
    ]


def robustness(seeds: Sequence[int] = SEEDS) -> list[Cell]:
    """Return the cells whose networks are tried on shifted, turned, scaled and noisy pictures."""
    return [
        cell(network, IN_ORDER, augmentation, seed)
        for network in DEFAULT_NETWORKS
        for augmentation in (AXES_AUGMENTATION, HANDWRITING)
        for seed in seeds
    ]
