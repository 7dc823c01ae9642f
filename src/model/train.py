"""Train and test a network."""

import copy
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from model.config import Recipe
from model.data.loader import Batch, Batches
from model.data.mnist import Digits
from model.registry import standardize

Network = TypeVar("Network", bound=nn.Module)


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
    precision: str = "float32",
    after_step: Callable[[], None] = lambda: None,
) -> float:
    """Train one epoch.

    Args:
        model: takes (N, 1, 28, 28), returns logits (N, 10).
        batches: images in [0, 1] with their target probabilities.
        optimizer: of the model's parameters.
        permutation: (784,) indices, applied after augmentation: augmenting turns images, and
            a permuted image cannot be turned.
        precision: of the forward pass, "float32" or "bfloat16"; weights stay float32.
        after_step: called after each update, for schedules and averages.

    Returns:
        The mean loss over the images of this process.
    """
    model.train()
    loss_sum, count = torch.zeros(()), 0
    for batch in batches:
        x = _channels_last(standardize(batch.images, permutation))
        with torch.autocast(x.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            logits = model(x)
        losses = F.cross_entropy(logits.float(), batch.targets, reduction="none")
        # The mean over the global batch: DistributedDataParallel averages over the processes.
        loss = losses.sum() / batch.size * _world_size()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        after_step()
        # A tensor: to ask for its value in every step would make a GPU wait.
        loss_sum = loss_sum.to(x.device) + losses.detach().sum()
        count += len(losses)
    return loss_sum.item() / count


def test(
    model: nn.Module,
    digits: Digits,
    *,
    permutation: Tensor | None = None,
    batch_size: int = 1000,
) -> tuple[float, float]:
    """Return mean cross-entropy and accuracy (0-1) of ``model`` on ``digits``."""
    logits = predict_logits(model, digits.images, permutation=permutation, batch_size=batch_size)
    return F.cross_entropy(logits, digits.labels).item(), accuracy(logits, digits.labels)


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Return the fraction (0-1) of correct predictions; logits (N, 10), labels (N,)."""
    return (logits.argmax(dim=1) == labels).double().mean().item()


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
    device = next(model.parameters()).device
    outputs = []
    for chunk in images.split(batch_size):
        x = standardize(chunk.to(device).unsqueeze(1).float().div_(255), permutation)
        outputs.append(model(_channels_last(x)).float().cpu())
    return torch.cat(outputs)


def fit(
    network: Network,
    batches: Batches,
    validation: Digits,
    recipe: Recipe,
    *,
    permutation: Tensor | None = None,
    precision: str = "float32",
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_step: Callable[[], object] = lambda: None,
) -> tuple[Network, list[Epoch]]:
    """Train by the recipe, together with the other processes of the group, if there is one.

    The weights that count are the exponential moving average over the steps (Polyak and Juditsky,
    1992): it classifies better than the last step and needs no choice of epoch. Its decay grows
    with the steps, (1 + t) / (10 + t) up to the recipe's, so that a short run forgets the
    untrained weights (as TensorFlow's ExponentialMovingAverage does).

    Args:
        network: moved to its device already.
        batches: iterated once an epoch.
        validation: measured after every epoch.
        recipe: epochs, learning rate, decay, averaging.
        permutation, precision: as for ``train``.
        on_epoch: called with each finished epoch.
        on_step: called after each step.

    Returns:
        The network with averaged weights, and what each epoch reached.
    """
    network.to(memory_format=torch.channels_last)  # several times faster on a CPU
    model = _data_parallel(network)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    steps = recipe.epochs * len(batches)
    # A hair more than 0.2: a warm-up of just one of five steps has no length to divide by.
    schedule: LRScheduler = OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=steps, pct_start=0.2 + 1e-9
    )
    average = AveragedModel(network, use_buffers=True)
    step = 0

    def after_step() -> None:
        nonlocal step
        schedule.step()
        step += 1
        decay = min(recipe.ema_decay, (1 + step) / (10 + step))
        average.multi_avg_fn = get_ema_multi_avg_fn(decay)
        average.update_parameters(network)
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
        validation_loss, reached = test(average.module, validation, permutation=permutation)
        seconds = time.perf_counter() - started
        history.append(Epoch(number, loss, validation_loss, reached, seconds))
        on_epoch(history[-1])
    trained = copy.deepcopy(network)
    trained.load_state_dict(average.module.state_dict())
    return trained.eval(), history


def _channels_last(x: Tensor) -> Tensor:
    """Lay out a batch (N, C, H, W) as the weights are laid out."""
    return x.contiguous(memory_format=torch.channels_last)


def _data_parallel(network: nn.Module) -> nn.Module:
    """Return the network as the processes of the group train it together, if there is a group.

    On GPUs batch norm takes its statistics from the global batch. On CPUs, for which torch has no
    such layer, each process takes those of its own shard: with several processes the result then
    differs slightly from that of one.
    """
    if _world_size() == 1:
        return network
    if next(network.parameters()).device.type == "cuda":
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    return DistributedDataParallel(network)


def _world_size() -> int:
    """The number of processes that train together."""
    together = distributed.is_available() and distributed.is_initialized()
    return distributed.get_world_size() if together else 1
