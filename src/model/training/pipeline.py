"""Load, build, train, calibrate, evaluate, save: what ``main_pipeline`` drives."""

import platform
import time
from dataclasses import asdict
from importlib.metadata import version as library_version
from pathlib import Path
from typing import cast

import torch
from torch import Tensor
from tqdm import tqdm

from model.card import ClassifierSettings, EpochRecord, ModelCard, TrainingRecord
from model.checkpoint import replace_model, save_checkpoint
from model.classifier import rejection_score
from model.config import (
    CALIBRATION_SEED,
    CALIBRATION_SYNTHETIC,
    IMAGE_SIZE,
    MEAN,
    NUM_CLASSES,
    STD,
)
from model.data.loader import WEIGHTS, Batches, stream_seed
from model.data.mnist import Digits, Mnist, load_mnist
from model.data.strokes import load_strokes
from model.data.synthetic.digits import synthesize_digits
from model.registry import NETWORKS, Network
from model.train import Epoch, accuracy, fit, predict_logits
from model.training import plots
from model.training.calibration import fit_temperature, fit_threshold, measure_calibration
from model.training.distributed import Process, choose_precision, join_group
from model.training.export import export
from model.training.options import Options, check

Predictions = dict[str, tuple[Tensor, Tensor]]  # by split: logits (N, 10) and labels (N,)


def run(options: Options) -> Path:
    """Train, evaluate and save one model; return the path of its weights.

    Raises:
        DigitsError: MNIST cannot be had, or an option cannot be fulfilled.
    """
    with join_group(check(options)) as process:
        recorded = load_strokes(options.strokes, options.seed) if options.strokes else None
        with process.main_process_first():
            mnist = load_mnist(options.data)
        print(f"data: {mnist.source}; {len(mnist.training)} images to train on", flush=True)
        started = time.perf_counter()
        permutation = make_permutation(options.permute)
        precision = choose_precision(options.precision, process.device)
        network, history = train_network(mnist, recorded, options, permutation, precision, process)
        if process.rank != 0:
            return options.path
        training: TrainingRecord = {
            **options.recipe(complete=mnist.complete).as_json(),
            "augmentation": options.augment,
            "strokes": 0 if recorded is None else len(recorded),
            "seed": options.seed,
            "seconds": round(time.perf_counter() - started, 1),
            "device": process.description,
            "precision": precision,
            "processes": process.world_size,
            "history": [cast("EpochRecord", asdict(epoch)) for epoch in history],
        }
        return evaluate_and_save(network.cpu(), mnist, options, permutation, training)


def make_permutation(seed: int | None) -> Tensor | None:
    """Return the random permutation (784,) of ``seed``; None leaves the pixels in their order."""
    if seed is None:
        return None
    return torch.randperm(IMAGE_SIZE * IMAGE_SIZE, generator=torch.Generator().manual_seed(seed))


def synthetic_digits(count: int, seed: int) -> Digits:
    """Synthesise ``count`` digits, as many of each as possible."""
    labels = torch.arange(count) % NUM_CLASSES
    return Digits(synthesize_digits(labels, torch.Generator().manual_seed(seed)), labels)


def train_network(
    mnist: Mnist,
    recorded: Digits | None,
    options: Options,
    permutation: Tensor | None,
    precision: str,
    process: Process,
) -> tuple[Network, list[Epoch]]:
    """Build and train a network: a bar on a terminal, and one line per epoch.

    Where several processes train together, the first one's initial weights count for all.
    """
    recipe = options.recipe(complete=mnist.complete)
    torch.manual_seed(stream_seed(options.seed, WEIGHTS, process.rank))
    network = NETWORKS[options.network]().to(process.device)
    batches = Batches(
        mnist.training,
        recipe,
        options.augment,
        options.seed,
        recorded=recorded,
        rank=process.rank,
        world_size=process.world_size,
        device=process.device,
    )

    def report(epoch: Epoch) -> None:
        left = epoch.seconds * (recipe.epochs - epoch.number)
        tqdm.write(
            f"{options.name} epoch {epoch.number}/{recipe.epochs}: "
            f"loss {epoch.training_loss:.3f}, validation {epoch.validation_accuracy:.2%}, "
            f"{epoch.seconds:.0f} s, {left:.0f} s left"
        )

    disable = None if process.rank == 0 else True  # None: shown on a terminal alone
    with tqdm(total=recipe.epochs * len(batches), unit="step", disable=disable) as bar:
        return fit(
            network,
            batches,
            mnist.validation,
            recipe,
            permutation=None if permutation is None else permutation.to(process.device),
            precision=precision,
            on_epoch=report,
            on_step=bar.update,
        )


def evaluate_and_save(
    network: Network,
    mnist: Mnist,
    options: Options,
    permutation: Tensor | None,
    training: TrainingRecord,
) -> Path:
    """Calibrate, look at the test set once, save; return the path of the weights."""
    synthetic = synthetic_digits(CALIBRATION_SYNTHETIC, CALIBRATION_SEED)
    splits = {"validation": mnist.validation, "synthetic": synthetic, "test": mnist.test}
    predictions: Predictions = {
        name: (predict_logits(network, digits.images, permutation=permutation), digits.labels)
        for name, digits in splits.items()
    }
    settings = calibrate(predictions, synthetic=training["handwriting"] > 0)
    card = make_card(network, mnist, options, permutation, training, predictions, settings)
    logits, labels = predictions["test"]
    figures = plots.draw_figures(card, logits, labels)

    def write(folder: Path) -> None:
        for name, figure in figures.items():
            plots.save_figure(figure, folder / card["figures"][name])
        save_checkpoint(network, card, folder / options.path.name)
        export(folder / options.path.name)

    previous = replace_model(options.path, write)
    print(
        f"{options.name}: {accuracy(logits, labels):.2%} of {len(labels)} test images correct; "
        f"{training['seconds']:.0f} s; written to {options.path}"
    )
    if previous:
        print(f"The model that it replaces is now in {previous}")
    return options.path


def calibrate(predictions: Predictions, *, synthetic: bool) -> ClassifierSettings:
    """Return temperature and rejection threshold, fitted to validation digits, and what they give.

    Held-back ``synthetic`` digits join them where a network was trained on such.
    """
    splits = ("validation", "synthetic") if synthetic else ("validation",)
    logits, labels = (torch.cat([predictions[split][i] for split in splits]) for i in (0, 1))
    temperature = fit_temperature(logits, labels)
    return {
        "temperature": temperature,
        "threshold": fit_threshold(logits, temperature),
        "calibration": {
            "before": measure_calibration(*predictions["test"], 1.0),
            "after": measure_calibration(*predictions["test"], temperature),
        },
    }


def make_card(
    network: Network,
    mnist: Mnist,
    options: Options,
    permutation: Tensor | None,
    training: TrainingRecord,
    predictions: Predictions,
    settings: ClassifierSettings,
) -> ModelCard:
    """Return the card of a trained network: how it was made, and what it reaches."""
    logits, labels = predictions["test"]
    scores = rejection_score((logits / settings["temperature"]).softmax(dim=1).numpy())
    return {
        "name": options.name,
        "version": options.version,
        "architecture": {"network": options.network, "settings": network.config},
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "data": mnist.description(),
        "preprocessing": {
            "mean": MEAN,
            "std": STD,
            "rule": "ink cropped, longest side to 20 px, centre of mass to index (14, 14)",
        },
        "training": training,
        "results": {
            "validation_accuracy": accuracy(*predictions["validation"]),
            "synthetic_accuracy": accuracy(*predictions["synthetic"]),
            "test_accuracy": accuracy(logits, labels),
            "recall": plots.recall(plots.confusion(logits, labels)),
            "test_refused": float((scores < settings["threshold"]).mean()),
        },
        "reader": settings,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            **{name: library_version(name) for name in ("torchvision", "numpy", "pillow")},
        },
        "figures": {name: f"{options.path.stem}-{name}.png" for name in plots.FIGURES},
        "permutation": None
        if permutation is None
        else {"seed": options.permute, "indices": permutation.tolist()},
    }
