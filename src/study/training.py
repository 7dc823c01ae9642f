"""Train one cell by the pipeline's own training function, and measure what came out."""

import platform
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

from errors import DataError
from model.checkpoint import checkpoint_path, read_card
from model.config import CALIBRATION_SEED, CALIBRATION_SYNTHETIC, NUM_CLASSES
from model.data.loader import Batches
from model.data.mnist import Digits, Mnist
from model.registry import NETWORKS
from model.train import Epoch, fit, predict_logits
from model.training.pipeline import Options, evaluate_and_save, synthetic_digits
from study.permutations import PERMUTATION_SEED, PERMUTED, pixel_permutation
from study.runs import HANDWRITING, LEVEL, Cell
from study.store import Result, Store

TIMED_PICTURES, TIMED_REPEATS = 1000, 5


def train_cell(
    cell: Cell,
    mnist: Mnist,
    device: torch.device,
    precision: str,
    most_doublings: int,
    on_step: Callable[[], None] = lambda: None,
) -> tuple[nn.Module, Result]:
    """Train a cell until its validation accuracy has levelled off, then look at the test set.

    Args:
        cell: what to train.
        mnist: the data, split.
        device, precision: what computes it, and how.
        most_doublings: how often it is trained anew with twice the epochs if it has not.
        on_step: called after each step.

    Returns:
        The network, in evaluation mode on the CPU, and what `comparison.json` says of it.
    """
    started = time.perf_counter()
    permutation = pixel_permutation(cell.pixels)
    epoch_pictures = choose_pictures(mnist.training, cell)
    for doubling in range(most_doublings + 1):
        recipe = replace(cell.recipe, epochs=cell.epochs * 2**doubling)
        torch.manual_seed(cell.seed)
        network = NETWORKS[cell.registry_name](**cell.network_settings).to(device)
        # Augmentation comes first, in the batches, and `fit` permutes afterwards: to turn or to
        # shift a picture whose pixels are permuted already would mean something else.
        batches = Batches(
            epoch_pictures,
            recipe,
            cell.batch_augmentation,
            cell.seed,
            device=device,
        )
        trained, history = fit(
            network,
            batches,
            mnist.validation,
            recipe,
            permutation=None if permutation is None else permutation.to(device),
            precision=precision,
            on_step=on_step,
        )
        gain = gain_of_last_quarter(history)
        if gain <= LEVEL:
            break
    trained = trained.cpu().eval()
    result: Result = {
        "cell": cell.as_dict(),
        "recipe": recipe.as_json(),
        "network_settings": cell.network_settings,
        "parameters": sum(parameter.numel() for parameter in trained.parameters()),
        "epochs": recipe.epochs,
        "gain_of_last_quarter": round(gain, 5),
        "history": [
            [epoch.training_loss, epoch.validation_loss, epoch.validation_accuracy, epoch.seconds]
            for epoch in history
        ],
        "seconds": round(time.perf_counter() - started, 1),
        **measure(trained, mnist, permutation),
        "device": device.type,
        "precision": precision,
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("torch", "numpy")},
    }
    result["history"] = [[round(number, 5) for number in epoch] for epoch in result["history"]]
    return trained, result


def choose_pictures(training: Digits, cell: Cell) -> Digits:
    """Return the pictures of an epoch: as many as the cell says; a few come repeatedly."""
    if cell.pictures is None or cell.pictures >= len(training):
        return training
    chosen = torch.arange(cell.pictures).repeat(cell.repeats(len(training)))
    return stratified(training, cell.pictures, cell.seed)[chosen]


def stratified(digits: Digits, count: int, seed: int) -> Digits:
    """Return `count` of the pictures at random, each digit in proportion.

    Raises:
        DataError: too few for each digit, or too few are left.
    """
    most = len(digits) - NUM_CLASSES
    if not NUM_CLASSES <= count <= most:
        raise DataError(
            f"{count:,} of {len(digits):,} pictures cannot be chosen with each digit in "
            f"proportion; take {NUM_CLASSES} to {most:,}."
        )
    chosen, _ = train_test_split(
        np.arange(len(digits)), train_size=count, stratify=digits.labels, random_state=seed
    )
    return digits[torch.from_numpy(chosen)]


def gain_of_last_quarter(history: list[Epoch]) -> float:
    """Return by how much validation accuracy rose over the last quarter of the epochs."""
    quarter = max(1, round(len(history) / 4))
    if len(history) <= quarter:
        return 0.0
    return history[-1].validation_accuracy - history[-1 - quarter].validation_accuracy


def measure(network: nn.Module, mnist: Mnist, permutation: Tensor | None) -> Result:
    """Return accuracies on test set and synthetic drawings, what was misread, and the speed."""
    logits = predict_logits(network, mnist.test.images, permutation=permutation)
    read = logits.argmax(dim=1)
    wrong = (read != mnist.test.labels).nonzero().flatten()
    drawings = _held_back_drawings(min(CALIBRATION_SYNTHETIC, len(read)))
    return {
        "test_accuracy": 1 - len(wrong) / len(read),
        # [index of the test picture, what was read]: accuracy by class and all tests follow
        "misread": [[index, int(read[index])] for index in wrong.tolist()],
        "synthetic_accuracy": accuracy(network, drawings, permutation),
        "microseconds_a_picture": microseconds_a_picture(network, mnist.test.images, permutation),
    }


def accuracy(network: nn.Module, digits: Digits, permutation: Tensor | None) -> float:
    """Return the part (0-1) of the pictures that is read right."""
    read = predict_logits(network, digits.images, permutation=permutation).argmax(dim=1)
    return (read == digits.labels).double().mean().item()


@cache
def _held_back_drawings(count: int) -> Digits:
    return synthetic_digits(count, CALIBRATION_SEED)


def microseconds_a_picture(network: nn.Module, images: Tensor, permutation: Tensor | None) -> float:
    """Return the time a picture takes in batches of 1,000, the best of five, on the CPU."""
    images = images[:TIMED_PICTURES]
    seconds = []
    for _ in range(TIMED_REPEATS):
        started = time.perf_counter()
        predict_logits(network, images, permutation=permutation)
        seconds.append(time.perf_counter() - started)
    return round(1e6 * min(seconds) / len(images), 2)


def leave_permuted_model(cell: Cell, store: Store, result: Result, output: Path) -> Path | None:
    """Save the network of a fully permuted cell as a model with a card, which can be served.

    Returns:
        The path of its weights; None if that very network lies there already.
    """
    options = Options(
        network=cell.registry_name,
        output=output,
        epochs=result["epochs"],
        seed=cell.seed,
        augment=cell.batch_augmentation,
        permute=PERMUTATION_SEED,
    )
    fingerprint = store.fingerprint(cell)
    path = checkpoint_path(options.name, options.version, output)
    if path.is_file() and read_card(path)["training"].get("fingerprint") == fingerprint:
        return None
    history = [Epoch(number, *epoch) for number, epoch in enumerate(result["history"], start=1)]
    training = {
        **result["recipe"],
        "augmentation": cell.batch_augmentation,
        "seed": cell.seed,
        "seconds": result["seconds"],
        "device": result["device"],
        "precision": result["precision"],
        "processes": 1,
        "history": [asdict(epoch) for epoch in history],
        "fingerprint": fingerprint,
    }
    permutation = pixel_permutation(PERMUTED)
    return evaluate_and_save(store.network(cell), store.mnist, options, permutation, training)


def is_served(cell: Cell) -> bool:
    """Whether the network of this cell is left among the models."""
    return (
        cell.pixels == PERMUTED
        and cell.augmentation == HANDWRITING
        and cell.seed == 0
        and cell.pictures is None
    )
