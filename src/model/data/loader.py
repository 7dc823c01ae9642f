"""Batches for training: MNIST, synthetic digits and outliers, augmented."""

from collections.abc import Iterator
from dataclasses import dataclass

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


def stream_seed(seed: int, stream: int, rank: int = 0) -> int:
    """Return a 64-bit seed for one stream of one process; ``seed`` is any number from 0 on."""
    sequence = np.random.SeedSequence(seed, spawn_key=(stream, rank))
    return int(sequence.generate_state(1, np.uint64)[0])


@dataclass(frozen=True)
class Batch:
    """This process's shard of one training step.

    Attributes:
        images: (n, 1, 28, 28) floats in [0, 1], augmented, pixels not permuted.
        targets: (n, 10) probabilities; uniform for an outlier.
        size: images in the step over all processes.
    """

    images: Tensor
    targets: Tensor
    size: int


class Batches:
    """The batches of an epoch, as many as MNIST's training part fills; iterate once an epoch.

    Synthetic images are drawn anew for every epoch. ``recorded`` digits, of one person or many,
    join each step in the number of the synthetic ones, taken at random. With several processes each
    takes every ``world_size``-th image of a global batch, which is the same whatever their number;
    only the augmentation's random numbers differ by process.
    """

    def __init__(
        self,
        digits: Digits,
        recipe: Recipe,
        augmentation: str,
        seed: int,
        *,
        recorded: Digits | None = None,
        rank: int = 0,
        world_size: int = 1,
        device: torch.device | str = "cpu",
    ) -> None:
        self.recipe, self.augmentation = recipe, augmentation
        self.rank, self.world_size, self.device = rank, world_size, device
        self.rng = torch.Generator().manual_seed(stream_seed(seed, BATCHES))
        self.rank_rng = torch.Generator().manual_seed(stream_seed(seed, AUGMENTATION, rank))
        self.digits = Digits(digits.images.to(device), digits.labels.to(device))
        self.synthetic_count = round(
            recipe.batch_size * recipe.synthetic_fraction / (1 - recipe.synthetic_fraction)
        )
        self.recorded = recorded
        self.added_count = self.synthetic_count * (1 if recorded is None else 2)
        self.outlier_count = round((recipe.batch_size + self.added_count) * recipe.outlier_ratio)

    def __len__(self) -> int:
        """Return the number of steps in an epoch."""
        return -(-len(self.digits) // self.recipe.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of one epoch in a new random order."""
        order = torch.randperm(len(self.digits), generator=self.rng)
        labels = torch.randint(NUM_CLASSES, (len(self) * self.synthetic_count,), generator=self.rng)
        added = [Digits(synthesize_digits(labels, self.rng), labels)]
        if self.recorded is not None:
            chosen = torch.randint(len(self.recorded), labels.shape, generator=self.rng)
            added.append(self.recorded[chosen])
        outliers = synthesize_outliers(len(self) * self.outlier_count, self.rng)
        for step, chosen in enumerate(order.split(self.recipe.batch_size)):
            part = self._shard(self._slice(step, self.synthetic_count))
            digits = [self.digits[self._shard(chosen).to(self.device)], *(d[part] for d in added)]
            others = outliers[self._shard(self._slice(step, self.outlier_count))]
            images = torch.cat(
                [d.images.to(self.device) for d in digits] + [others.to(self.device)]
            )
            targets = torch.cat(
                [self._targets(d.labels).to(self.device) for d in digits]
                + [torch.full((len(others), NUM_CLASSES), 1 / NUM_CLASSES, device=self.device)]
            )
            images = augment(
                images.unsqueeze(1).float().div_(255), self.augmentation, self.rank_rng
            )
            yield Batch(images, targets, len(chosen) + self.added_count + self.outlier_count)

    def _targets(self, labels: Tensor) -> Tensor:
        """Smoothed one-hot targets (n, 10)."""
        smoothing = self.recipe.label_smoothing
        return F.one_hot(labels, NUM_CLASSES).float() * (1 - smoothing) + smoothing / NUM_CLASSES

    def _slice(self, step: int, count: int) -> Tensor:
        """The indices of a step's part of the epoch's synthetic images."""
        return torch.arange(step * count, (step + 1) * count)

    def _shard(self, chosen: Tensor) -> Tensor:
        """This process's shard of a global batch."""
        return chosen[self.rank :: self.world_size]
