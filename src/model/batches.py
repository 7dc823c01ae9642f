"""Batches for training: MNIST, synthetic handwriting and pictures of no digit, augmented."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from model.augment import augment
from model.data import Digits
from model.settings import CLASSES, Recipe


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

    With several processes each takes every ``world_size``-th picture of a global batch, which is
    the same whatever their number; only the augmentation's random numbers differ by process.
    """

    def __init__(
        self,
        digits: Digits,
        recipe: Recipe,
        augmentation: str,
        seed: int,
        *,
        handwriting: Digits | None = None,
        non_digits: Tensor | None = None,
        rank: int = 0,
        world_size: int = 1,
        device: torch.device | str = "cpu",
    ) -> None:
        self.recipe, self.augmentation = recipe, augmentation
        self.rank, self.world_size, self.device = rank, world_size, device
        self.order = torch.Generator().manual_seed(seed)
        self.randomness = torch.Generator().manual_seed(seed * 1_000_003 + rank)
        self.digits = _on(device, digits)
        self.handwriting = None if handwriting is None else _on(device, handwriting)
        self.non_digits = None if non_digits is None else non_digits.to(device)
        share = recipe.handwriting if handwriting is not None else 0.0
        self.handwritten = round(recipe.batch_size * share / (1 - share))
        without = recipe.non_digits if non_digits is not None else 0.0
        self.without_digit = round((recipe.batch_size + self.handwritten) * without)

    def __len__(self) -> int:
        """Return the number of steps in an epoch."""
        return -(-len(self.digits) // self.recipe.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of one epoch in a new random order."""
        order = torch.randperm(len(self.digits), generator=self.order)
        for chosen in order.split(self.recipe.batch_size):
            images, targets = [], []
            self._take(images, targets, self.digits, chosen)
            if self.handwriting is not None:
                chosen_too = self._draw(len(self.handwriting), self.handwritten)
                self._take(images, targets, self.handwriting, chosen_too)
            if self.non_digits is not None:
                others = self._mine(self._draw(len(self.non_digits), self.without_digit))
                images.append(self.non_digits[others.to(self.device)])
                targets.append(torch.full((len(others), CLASSES), 1 / CLASSES, device=self.device))
            pictures = torch.cat(images).unsqueeze(1).float().div_(255)
            pictures = augment(pictures, self.augmentation, self.randomness)
            size = len(chosen) + self.handwritten + self.without_digit
            yield Batch(pictures, torch.cat(targets), size)

    def _take(
        self, images: list[Tensor], targets: list[Tensor], digits: Digits, chosen: Tensor
    ) -> None:
        mine = self._mine(chosen).to(self.device)
        images.append(digits.images[mine])
        smoothing = self.recipe.label_smoothing
        one_hot = F.one_hot(digits.labels[mine], CLASSES).float()
        targets.append(one_hot * (1 - smoothing) + smoothing / CLASSES)

    def _draw(self, population: int, count: int) -> Tensor:
        return torch.randint(population, (count,), generator=self.order)

    def _mine(self, chosen: Tensor) -> Tensor:
        return chosen[self.rank :: self.world_size]


def _on(device: torch.device | str, digits: Digits) -> Digits:
    return Digits(digits.images.to(device), digits.labels.to(device))
