"""Batches for training: MNIST, synthetic digits and outliers, augmented."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from model.config import NUM_CLASSES, Recipe
from model.data.augment import augment
from model.data.mnist import Digits
from model.data.synthetic.digits import synthesize_digits
from model.data.synthetic.outliers import synthesize_outliers

# The independent streams of random numbers of a training run
WEIGHTS, BATCHES, AUGMENTATION = range(3)


def stream_seed(seed: int, stream: int) -> int:
    """Return a 64-bit seed for one stream of random numbers; `seed` is any number from 0 on."""
    sequence = np.random.SeedSequence(seed, spawn_key=(stream, 0))
    return int(sequence.generate_state(1, np.uint64)[0])


class Batches:
    """The batches of an epoch, as many as MNIST's training part fills; iterate once an epoch.

    A batch is a pair: augmented images (n, 1, 28, 28), floats in [0, 1]; and targets (n, 10),
    probabilities, uniform for an outlier. Synthetic images are drawn anew for every epoch. If there
    are `recorded` digits, each step takes as many of them at random as of synthetic ones.
    """

    def __init__(
        self,
        digits: Digits,
        recorded: Digits | None,
        recipe: Recipe,
        augmentation: str,
        seed: int,
        device: torch.device | str = "cpu",
    ) -> None:
        self.digits, self.recorded = digits, recorded
        self.recipe, self.augmentation = recipe, augmentation
        self.device = torch.device(device)
        self.rng = torch.Generator().manual_seed(stream_seed(seed, BATCHES))
        self.augmentation_rng = torch.Generator().manual_seed(stream_seed(seed, AUGMENTATION))
        fraction = recipe.synthetic_fraction
        self.synthetic_count = round(recipe.batch_size * fraction / (1 - fraction))
        recorded_count = 0 if recorded is None else self.synthetic_count
        digit_count = recipe.batch_size + self.synthetic_count + recorded_count
        self.outlier_count = round(digit_count * recipe.outlier_ratio)

    def __len__(self) -> int:
        """Return the number of steps in an epoch."""
        return -(-len(self.digits) // self.recipe.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of one epoch in a new random order."""
        order = torch.randperm(len(self.digits), generator=self.rng)
        labels = torch.randint(NUM_CLASSES, (len(self) * self.synthetic_count,), generator=self.rng)
        added = [Digits(synthesize_digits(labels, self.rng), labels)]
        if self.recorded is not None:
            chosen = torch.randint(len(self.recorded), labels.shape, generator=self.rng)
            added.append(self.recorded[chosen])
        outliers = synthesize_outliers(len(self) * self.outlier_count, self.rng)
        for step, chosen in enumerate(order.split(self.recipe.batch_size)):
            part = slice(step * self.synthetic_count, (step + 1) * self.synthetic_count)
            digits = [self.digits[chosen], *(more[part] for more in added)]
            others = outliers[step * self.outlier_count : (step + 1) * self.outlier_count]
            images = torch.cat([*(part.images for part in digits), others]).to(self.device)
            labels_of_step = torch.cat([part.labels for part in digits]).to(self.device)
            uniform = torch.full((len(others), NUM_CLASSES), 1 / NUM_CLASSES, device=self.device)
            targets = torch.cat([self._smoothed(labels_of_step), uniform])
            x = images.unsqueeze(1).float().div_(255)
            yield self._with_noise(augment(x, self.augmentation, self.augmentation_rng)), targets

    def _with_noise(self, images: Tensor) -> Tensor:
        """Add normally distributed noise to a third of the images, to each by its own strength."""
        if self.recipe.noise == 0:
            return images
        strength = torch.rand((len(images), 1, 1, 1), generator=self.augmentation_rng)
        strength = (3 * strength - 2).clamp_min(0) * self.recipe.noise
        noise = strength * torch.randn(images.shape, generator=self.augmentation_rng)
        return (images + noise.to(images.device)).clamp(0, 1)

    def _smoothed(self, labels: Tensor) -> Tensor:
        """One-hot targets (n, 10) with label smoothing."""
        smoothing = self.recipe.label_smoothing
        return F.one_hot(labels, NUM_CLASSES).float() * (1 - smoothing) + smoothing / NUM_CLASSES


def synthetic_digits(count: int, seed: int) -> Digits:
    """Synthesise `count` digits, as many of each as possible."""
    labels = torch.arange(count) % NUM_CLASSES
    return Digits(synthesize_digits(labels, torch.Generator().manual_seed(seed)), labels)
