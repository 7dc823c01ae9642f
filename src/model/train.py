"""Train and test a network."""

import copy
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from model.config import Recipe
from model.data.loader import Batch, Batches
from model.data.mnist import Digits
from model.registry import standardize
from model.training.precision import Precision


@dataclass(frozen=True)
class Epoch:
    """What one epoch reached.

    Attributes:
        number: from 1.
        training_loss: mean cross-entropy of the epoch's batches, while training.
        validation_loss, validation_accuracy: of the averaged weights; accuracy 0-1.
        seconds: of this epoch, its validation included.
    """

    number: int
    training_loss: float
    validation_loss: float
    validation_accuracy: float
    seconds: float


def train(
    model: nn.Module,
    batches: Iterable[Batch],
    optimizer: Optimizer,
    *,
    permutation: Tensor | None = None,
    precision: Precision | None = None,
    after_step: Callable[[], None] | None = None,
) -> float:
    """Train one epoch.

    Args:
        model: takes (N, 1, 28, 28), returns logits (N, 10).
        batches: pictures in [0, 1] with their target probabilities.
        optimizer: of the model's parameters.
        permutation: (784,) indices, applied after augmentation: augmenting turns pictures, and
            a permuted picture cannot be turned.
        precision: how the forward pass is computed; float32 by default.
        after_step: called after each update, for schedules and averages.

    Returns:
        The mean loss over the pictures of this process.
    """
    precision = precision or Precision("float32")
    model.train()
    loss_sum, count = 0.0, 0
    for batch in batches:
        images = precision.layout(standardize(batch.images, permutation))
        with precision.autocast(images.device):
            logits = model(images)
        losses = F.cross_entropy(logits.float(), batch.targets, reduction="none")
        # The mean over the global batch: DistributedDataParallel averages over the processes.
        loss = losses.sum() / batch.size * _world_size()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if after_step is not None:
            after_step()
        loss_sum += losses.detach().sum().item()
        count += len(losses)
    return loss_sum / count


def test(
    model: nn.Module,
    digits: Digits,
    *,
    permutation: Tensor | None = None,
    batch_size: int = 1000,
) -> tuple[float, float]:
    """Return mean cross-entropy and accuracy (0-1) of ``model`` on ``digits``."""
    logits = predict_logits(model, digits.images, permutation=permutation, batch_size=batch_size)
    labels = digits.labels
    loss = F.cross_entropy(logits, labels).item()
    return loss, (logits.argmax(dim=1) == labels).double().mean().item()


@torch.inference_mode()
def predict_logits(
    model: nn.Module,
    images: Tensor,
    *,
    permutation: Tensor | None = None,
    batch_size: int = 1000,
) -> Tensor:
    """Return the logits (N, 10), on the CPU, of images (N, 28, 28) uint8."""
    model.eval()
    parameter = next(model.parameters())
    outputs = []
    for part in images.split(batch_size):
        images = standardize(part.to(parameter.device).unsqueeze(1).float().div_(255), permutation)
        outputs.append(model(Precision("float32").layout(images)).float().cpu())
    return torch.cat(outputs)


def fit(
    model: nn.Module,
    batches: Batches,
    validation: Digits,
    recipe: Recipe,
    *,
    permutation: Tensor | None = None,
    precision: Precision | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_step: Callable[[], None] = lambda: None,
) -> tuple[nn.Module, list[Epoch]]:
    """Train by the recipe.

    The weights that count are the exponential moving average over the steps (Polyak and Juditsky,
    1992): it reads better than the last step and needs no choice of epoch.

    Args:
        model: moved to its device already; may be wrapped in DistributedDataParallel.
        batches: iterated once an epoch.
        validation: measured after every epoch.
        recipe: epochs, learning rate, decay, averaging.
        permutation, precision: as for ``train``.
        on_epoch: called with each finished epoch.
        on_step: called after each step.

    Returns:
        The network with averaged weights, and what each epoch reached.
    """
    precision = precision or Precision("float32")
    model = precision.prepare_model(model)
    inner = model.module if hasattr(model, "module") else model
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    schedule: LRScheduler = OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=recipe.epochs * len(batches), pct_start=0.2
    )
    average = AveragedModel(
        inner, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema_decay), use_buffers=True
    )

    def after_step() -> None:
        schedule.step()
        average.update_parameters(inner)
        on_step()

    history = []
    for number in range(1, recipe.epochs + 1):
        started = time.perf_counter()
        loss = train(
            model,
            batches,
            optimizer,
            permutation=permutation,
            precision=precision,
            after_step=after_step,
        )
        validation_loss, accuracy = test(average.module, validation, permutation=permutation)
        seconds = time.perf_counter() - started
        history.append(Epoch(number, loss, validation_loss, accuracy, seconds))
        on_epoch(history[-1])
    return copy.deepcopy(average.module).eval(), history


def _world_size() -> int:
    """The number of processes that train together."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_world_size()
    return 1
