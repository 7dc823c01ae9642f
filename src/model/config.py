"""The settings of the model side: sizes and limits, and the recipes by which networks train."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from errors import DataError

REPOSITORY = Path(__file__).resolve().parents[2]
DATA_DIR = REPOSITORY / "data"
MODELS_DIR = Path(os.environ.get("MODELS_DIR", REPOSITORY / "models"))
VERSION = "0.0.1"

IMAGE_SIZE = 28  # an MNIST image has 28 x 28 pixels; a batch of them is uint8 (N, 28, 28)
DIGIT_SIZE = 20  # the longest side of the foreground, in pixels, by MNIST's rule
CENTER_INDEX = 14  # the centre of mass rounds to this row and column index
NUM_CLASSES = 10
MEAN, STD = 0.1307, 0.3081  # of MNIST's training pixels in [0, 1]

# What is accepted as a picture
IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "HEIF", "AVIF", "BMP", "GIF")
LOSSY_FORMATS = ("JPEG", "MPO", "WEBP", "HEIF", "AVIF")
RINGING = 32  # grey levels of false foreground that lossy compression leaves around strokes
MAX_IMAGE_BYTES = 5_000_000
MAX_IMAGE_PIXELS = 40_000_000
MAX_HEAVY_PIXELS = 16_000_000  # of WebP, HEIC and AVIF: decoders hold several copies of them
MAX_IMAGE_SIDE = 30_000  # pixels: averaging takes memory in proportion to the longest side
WORKING_PIXELS = 4_000_000  # larger pictures are reduced first
PHOTO_SIDE = 320  # pixels of the longest side that a photograph is worked on at

# What counts as foreground
MINIMUM_CONTRAST = 24  # grey levels between foreground and background; with less it is blank
NOISE_MASS = 0.2  # a detached component with less than this part of the foreground ...
NOISE_SIZE = 0.3  # ... smaller than this part of the main component's longest side ...
NOISE_GAP = 0.1  # ... and farther off than this part of it is noise, no stroke of the digit
PIECE_SIZE = 0.6  # of the digit's height has a neighbour's piece, cut off by the border, at most
FINE_NOISE_SIZE = 0.04  # fine noise is smaller; MNIST's own pixels are 0.05 of a digit
FINE_NOISE_MASS = 0.02  # MNIST's own crop includes fine noise, this part of the foreground ...
FINE_NOISE_GAP = 0.35  # ... so only what lies as far off as this is left out

# How training images are changed at random


@dataclass(frozen=True)
class Augmentation:
    """What is drawn at random for each image; the defaults leave it as it is."""

    degrees: float = 0.0  # rotation by up to this angle, either way
    translate: float = 0.0  # shift by up to this fraction of the side, on each axis
    scale: tuple[float, float] = (1.0, 1.0)  # range of the enlargement
    shear: float = 0.0  # horizontal, by up to this angle in degrees
    perspective: float = 0.0  # each corner moves inwards by up to this fraction of half the side
    perspective_probability: float = 0.5  # the share of images that are seen in perspective


AUGMENTATIONS: dict[str, Augmentation | None] = {
    "none": None,
    # RandomAffine(degrees=25, translate=(0.2, 0.2), shear=15), RandomPerspective(0.3, p=0.5)
    "affine": Augmentation(degrees=25, translate=0.2, shear=15, perspective=0.3),
    # Synthetic digits have slants of their own; beside them more change than this does harm.
    "slight": Augmentation(
        degrees=7, translate=0.04, scale=(0.92, 1.08), shear=7, perspective=0.15
    ),
}
AUGMENTATION = "slight"


# How each network is trained


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: AdamW with a one-cycle schedule (L. N. Smith, 2018)."""

    epochs: int  # passes over MNIST's training split
    batch_size: int = 256  # MNIST images per step; synthetic ones come on top
    learning_rate: float = 4e-3  # the peak of the one-cycle schedule
    weight_decay: float = 0.02  # AdamW's, on every parameter
    label_smoothing: float = 0.02  # probability shared out among the other digits
    synthetic_fraction: float = 0.36  # synthetic digits among all digits of a batch, 0-1
    outlier_ratio: float = 0.25  # outliers in a batch for each digit; their target is uniform
    noise: float = 0.0  # highest standard deviation of the noise on a third of the images, 0-1
    ema_decay: float = 0.995  # highest decay per step of the moving average that is kept


RECIPES = {
    "mlp": Recipe(epochs=30, learning_rate=2e-3),
    "cnn": Recipe(epochs=6, batch_size=128, learning_rate=8e-3, ema_decay=0.99),
    # Without noise in training, a little of it puts out all of deep's last features: batch norm
    # after batch norm knows only even paper.
    "deep": Recipe(epochs=14, batch_size=128, learning_rate=8e-3, ema_decay=0.99, noise=0.2),
}
WARM_UP = 0.2  # the part of all steps before the peak of the learning rate
SAMPLE_EPOCHS = 6  # times as many epochs on the 5,000 offline digits: an epoch is a 14th as long
SAMPLE_SYNTHETIC_FRACTION = 0.5  # they show fewer kinds of handwriting themselves


def choose_recipe(network: str, complete: bool, epochs: int | None, synthetic: bool) -> Recipe:
    """Return the recipe of a network for all of MNIST (`complete`) or the 5,000 digits.

    `epochs` replaces the recipe's; `synthetic` is whether to train on synthetic images, too.
    """
    if network not in RECIPES:
        raise DataError(f"{network} has no recipe: enter one in RECIPES, in src/model/config.py.")
    recipe = RECIPES[network]
    if not complete:
        longer, fraction = recipe.epochs * SAMPLE_EPOCHS, SAMPLE_SYNTHETIC_FRACTION
        recipe = replace(recipe, epochs=longer, synthetic_fraction=fraction)
    if not synthetic:
        recipe = replace(recipe, synthetic_fraction=0.0, outlier_ratio=0.0)
    return replace(recipe, epochs=epochs or recipe.epochs)


# Calibration and rejection
REJECTION_TEMPERATURE = 5.0  # flattens probabilities before they are judged for rejection
SECOND_LOOK_FACTOR = 1.2  # times the threshold is asked of a picture's other foregrounds
# Of validation's and synthetic digits together; synthetic ones are rejected less, so that MNIST's
# test digits are rejected a little more often, 0.6-0.7 % of them: the card has the exact number.
TARGET_FALSE_REJECTION_RATE = 0.004
CALIBRATION_SYNTHETIC = 2_500  # to calibrate on, beside validation's 5,000 (the sample's 500)
CALIBRATION_SEED = 987_654_321
