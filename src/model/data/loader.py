"""Batches for training: MNIST, synthetic handwriting and pictures of no digit, augmented."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from model.config import CLASSES, Recipe
from model.data.augment import augment
from model.data.mnist import Digits
from model.data.synthetic.digits import synthesise_digits
from model.data.synthetic.outliers import synthesise_non_digits


@dataclass(frozen=True)
class Batch:
    """One training step's share of this process.

    Attributes:
        pictures: (n, 1, 28, 28) floats in [0, 1], augmented, pixels in order.
        targets: (n, 10) probabilities; flat for a picture of no digit.
        size: pictures in the step over all processes.
    """

    pictures: Tensor
    targets: Tensor
    size: int


class Batches:
    """The batches of an epoch, as many as MNIST's training part fills; iterate once an epoch.

    Synthetic pictures are drawn anew for every epoch. With several processes each takes every
    ``world_size``-th picture of a global batch, which is the same whatever their number; only
    the augmentation's random numbers differ by process.
    """

    def __init__(
        self,
        digits: Digits,
        recipe: Recipe,
        augmentation: str,
        seed: int,
        *,
        rank: int = 0,
        world_size: int = 1,
        device: torch.device | str = "cpu",
    ) -> None:
        self.recipe, self.augmentation = recipe, augmentation
        self.rank, self.world_size, self.device = rank, world_size, device
        self.shared = torch.Generator().manual_seed(seed)
        self.own = torch.Generator().manual_seed(seed * 1_000_003 + rank)
        self.digits = Digits(digits.images.to(device), digits.labels.to(device))
        self.handwritten = round(recipe.batch_size * recipe.handwriting / (1 - recipe.handwriting))
        self.without_digit = round((recipe.batch_size + self.handwritten) * recipe.non_digits)

    def __len__(self) -> int:
        """Return the number of steps in an epoch."""
        return -(-len(self.digits) // self.recipe.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of one epoch in a new random order."""
        order = torch.randperm(len(self.digits), generator=self.shared)
        labels = torch.randint(CLASSES, (len(self) * self.handwritten,), generator=self.shared)
        handwriting = Digits(synthesise_digits(labels, self.shared), labels)
        non_digits = synthesise_non_digits(len(self) * self.without_digit, self.shared)
        for step, chosen in enumerate(order.split(self.recipe.batch_size)):
            real = self.digits[self._mine(chosen).to(self.device)]
            handwritten = handwriting[self._mine(self._part(step, self.handwritten))]
            others = non_digits[self._mine(self._part(step, self.without_digit))]
            images = torch.cat(
                (real.images, handwritten.images.to(self.device), others.to(self.device))
            )
            targets = torch.cat(
                (
                    self._targets(real.labels),
                    self._targets(handwritten.labels).to(self.device),
                    torch.full((len(others), CLASSES), 1 / CLASSES, device=self.device),
                )
            )
            pictures = augment(images.unsqueeze(1).float().div_(255), self.augmentation, self.own)
            yield Batch(pictures, targets, len(chosen) + self.handwritten + self.without_digit)

    def _targets(self, labels: Tensor) -> Tensor:
        """Smoothed one-hot targets (n, 10)."""
        smoothing = self.recipe.label_smoothing
        return F.one_hot(labels, CLASSES).float() * (1 - smoothing) + smoothing / CLASSES

    def _part(self, step: int, count: int) -> Tensor:
        """The indices of a step's share of the epoch's synthetic pictures."""
        return torch.arange(step * count, (step + 1) * count)

    def _mine(self, chosen: Tensor) -> Tensor:
        """This process's share of a global batch."""
        return chosen[self.rank :: self.world_size]
