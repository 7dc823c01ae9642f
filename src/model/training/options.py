"""What a training run may be asked for, and what is refused before anything slow is imported."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from arguments import make_folder
from errors import OptionError
from model.checkpoint import checkpoint_path
from model.config import (
    AUGMENTATION,
    MODELS_DIR,
    RECIPES,
    SAMPLE_EPOCHS,
    SAMPLE_SYNTHETIC_FRACTION,
    VERSION,
    Recipe,
)
from model.training.distributed import choose_device


@dataclass(frozen=True)
class Options:
    """What the command line chose."""

    network: str
    output: Path = MODELS_DIR
    epochs: int | None = None
    seed: int = 0
    data: str = "auto"
    augment: str = AUGMENTATION
    permute: int | None = None
    strokes: Path | None = None
    no_synthetic: bool = False
    version: str = VERSION
    device: str = "auto"
    precision: str = "auto"

    @property
    def name(self) -> str:
        """The model's name: the network's, and whether its pixels are permuted."""
        return self.network if self.permute is None else f"{self.network}-permuted"

    @property
    def path(self) -> Path:
        """Where the weights go."""
        return checkpoint_path(self.name, self.version, self.output)

    def recipe(self, *, complete: bool) -> Recipe:
        """The network's recipe with the options applied; ``complete``: on all of MNIST."""
        recipe = RECIPES[self.network]
        if not complete:
            epochs = recipe.epochs * SAMPLE_EPOCHS
            recipe = replace(recipe, epochs=epochs, synthetic_fraction=SAMPLE_SYNTHETIC_FRACTION)
        if self.epochs is not None:
            recipe = replace(recipe, epochs=self.epochs)
        if self.no_synthetic:
            recipe = replace(recipe, synthetic_fraction=0.0, outlier_ratio=0.0)
        return recipe


def check(options: Options) -> torch.device:
    """Refuse before training what would fail after it; return the device.

    Raises:
        OptionError: the version is no version, the folder cannot be written to, the device
            cannot be used, or two options exclude each other.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+", options.version):
        raise OptionError(f"--version {options.version}: give three numbers, such as 0.0.1.")
    if options.strokes and options.no_synthetic:
        raise OptionError("--strokes takes the share of synthetic digits: omit --no-synthetic.")
    try:
        make_folder(options.output)
    except OSError as error:
        raise OptionError(
            f"--output {options.output} cannot be written to ({error.strerror}); "
            "choose another folder."
        ) from error
    return choose_device(options.device)
