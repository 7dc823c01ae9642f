"""Train one run by the pipeline's own training function, and measure what came out."""

import platform
import time
from dataclasses import asdict, astuple, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import cast

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import Tensor

from errors import DataError
from model.card import EpochRecord, StudyRecord
from model.checkpoint import read_card
from model.config import CALIBRATION_SEED, CALIBRATION_SYNTHETIC, NUM_CLASSES
from model.data.loader import Batches
from model.data.mnist import Digits, Mnist
from model.registry import NETWORKS, Network
from model.train import Epoch, fit, predict_logits, test
from model.training.pipeline import Options, evaluate_and_save, synthetic_digits
from study.permutations import PERMUTATION_SEED, PERMUTED, pixel_permutation
from study.results import Result
from study.runs import PLATEAU_TOLERANCE, SMALL_EPOCH, SYNTHETIC, Run

TIMED_IMAGES, TIMED_REPEATS = 1000, 5


def train_run(
    run: Run, mnist: Mnist, device: torch.device, precision: str, max_doublings: int
) -> tuple[Network, Result]:
    """Train a run until its validation accuracy has levelled off, then look at the test set.

    Args:
        run: what to train.
        mnist: the data, split.
        device, precision: what computes it, and how.
        max_doublings: how often it is repeated with twice the epochs if it has not.

    Returns:
        The network, in evaluation mode on the CPU, and what `comparison.json` says of it. Its
        seconds include the shorter trainings that had not levelled off.
    """
    started = time.perf_counter()
    permutation = pixel_permutation(run.pixels)
    images = choose_images(mnist.training, run)
    for doubling in range(max_doublings + 1):
        recipe = replace(run.recipe, epochs=run.epochs * 2**doubling)
        torch.manual_seed(run.seed)
        network = NETWORKS[run.registry_name](**run.network_config).to(device)
        # Augmentation comes first, in the batches, and `fit` permutes afterwards: to rotate or to
        # shift an image whose pixels are permuted already would mean something else.
        trained, history = fit(
            network,
            Batches(images, recipe, run.batch_augmentation, run.seed, device=device),
            mnist.validation,
            recipe,
            permutation=None if permutation is None else permutation.to(device),
            precision=precision,
        )
        gain = gain_of_last_quarter(history)
        if gain <= PLATEAU_TOLERANCE:
            break
    trained = trained.cpu().eval()
    result: Result = {
        "cell": asdict(run),
        "recipe": recipe.as_json(),
        "network_settings": run.network_config,
        "parameters": sum(parameter.numel() for parameter in trained.parameters()),
        "epochs": recipe.epochs,
        "gain_of_last_quarter": round(gain, 5),
        "history": [[round(number, 5) for number in astuple(epoch)[1:]] for epoch in history],
        "seconds": round(time.perf_counter() - started, 1),
        "device": device.type,
        "precision": precision,
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("torch", "numpy")},
    }
    return trained, {**result, **measure(trained, mnist, permutation)}


def choose_images(training: Digits, run: Run) -> Digits:
    """Return the images of an epoch: as many as the run says; a few come repeatedly."""
    if run.pictures is None or run.pictures >= len(training):
        return training
    repeats = max(1, min(SMALL_EPOCH, len(training)) // run.pictures)
    chosen = torch.arange(run.pictures).repeat(repeats)
    return stratified(training, run.pictures, run.seed)[chosen]


def stratified(digits: Digits, count: int, seed: int) -> Digits:
    """Return `count` of the images at random, each digit in proportion.

    Raises:
        DataError: too few for each digit, or too few are left.
    """
    most = len(digits) - NUM_CLASSES
    if not NUM_CLASSES <= count <= most:
        raise DataError(
            f"{count:,} of {len(digits):,} images cannot be chosen with each digit in "
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


def measure(network: Network, mnist: Mnist, permutation: Tensor | None) -> Result:
    """Return accuracies on test set and synthetic digits, what was misclassified, and the speed."""
    images, labels = mnist.test.images, mnist.test.labels
    predicted = predict_logits(network, images, permutation=permutation).argmax(dim=1)
    wrong = (predicted != labels).nonzero().flatten().tolist()
    synthetic = _held_back_digits(min(CALIBRATION_SYNTHETIC, len(labels)))
    return {
        "test_accuracy": 1 - len(wrong) / len(labels),
        # accuracy by class and all tests follow from these
        "misread": [(index, int(predicted[index])) for index in wrong],
        "synthetic_accuracy": test(network, synthetic, permutation=permutation)[1],
        "microseconds_a_picture": microseconds_per_image(network, images, permutation),
    }


@cache
def _held_back_digits(count: int) -> Digits:
    return synthetic_digits(count, CALIBRATION_SEED)


def microseconds_per_image(network: Network, images: Tensor, permutation: Tensor | None) -> float:
    """Return the time per image in batches of 1,000, the best of five, on the CPU."""
    images = images[:TIMED_IMAGES]
    seconds = []
    for _ in range(TIMED_REPEATS):
        started = time.perf_counter()
        predict_logits(network, images, permutation=permutation)
        seconds.append(time.perf_counter() - started)
    return round(1e6 * min(seconds) / len(images), 2)


def is_served(run: Run) -> bool:
    """Whether the network of this run is exported to the models."""
    full = run.pictures is None and run.augmentation == SYNTHETIC
    return full and run.pixels == PERMUTED and run.seed == 0


def export_permuted_model(
    run: Run, network: Network, mnist: Mnist, result: Result, output: Path
) -> None:
    """Save the network of a fully permuted run as a model with a card, which can be served.

    Nothing is done where that very network lies there already.
    """
    options = Options(
        network=run.registry_name,
        output=output,
        epochs=result["epochs"],
        seed=run.seed,
        augment=run.batch_augmentation,
        permute=PERMUTATION_SEED,
    )
    path = options.path
    fingerprint = result["fingerprint"]
    if path.is_file() and read_card(path)["training"].get("fingerprint") == fingerprint:
        return
    history = [Epoch(number, *epoch) for number, epoch in enumerate(result["history"], start=1)]
    training: StudyRecord = {
        **result["recipe"],
        "strokes": 0,
        "augmentation": run.batch_augmentation,
        "seed": run.seed,
        "seconds": result["seconds"],
        "device": result["device"],
        "precision": result["precision"],
        "processes": 1,
        "history": [cast("EpochRecord", asdict(epoch)) for epoch in history],
        "fingerprint": fingerprint,
    }
    permutation = pixel_permutation(PERMUTED)
    evaluate_and_save(network, mnist, options, permutation, training)
