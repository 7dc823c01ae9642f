"""Load, preprocess, build, train, evaluate, save: what ``main_pipeline`` drives."""

import platform
import re
import time
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version as library_version
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from errors import DataError
from model.checkpoint import ModelCard, checkpoint_path, save_checkpoint
from model.classifier import rejection_score
from model.config import (
    AUGMENTATION,
    CALIBRATION_SEED,
    CALIBRATION_SYNTHETIC,
    IMAGE_SIZE,
    MEAN,
    NUM_CLASSES,
    RECIPES,
    SAMPLE_EPOCHS,
    SAMPLE_SYNTHETIC_FRACTION,
    STD,
    VERSION,
    Recipe,
)
from model.data.loader import Batches
from model.data.mnist import Digits, Mnist, load_mnist
from model.data.synthetic.digits import synthesize_digits
from model.registry import NETWORKS
from model.train import Epoch, fit, predict_logits
from model.training import plots
from model.training.calibration import fit_temperature, fit_threshold, measure_calibration
from model.training.distributed import DistributedContext
from model.training.export import export
from model.training.keep import keep_previous
from model.training.precision import Precision, choose_device, choose_precision
from model.training.progress import Progress


@dataclass(frozen=True)
class Options:
    """What the command line chose; see ``main_pipeline.parse``."""

    network: str
    output: Path
    data_dir: Path
    epochs: int | None = None
    seed: int = 0
    data: str = "auto"
    augment: str = AUGMENTATION
    permute: int | None = None
    no_synthetic: bool = False
    version: str = VERSION
    device: str = "auto"
    precision: str = "auto"
    processes: int = 1

    @property
    def name(self) -> str:
        """The model's name: the network's, and whether its pixels are permuted."""
        return self.network if self.permute is None else f"{self.network}-permuted"

    def recipe(self, *, complete: bool) -> Recipe:
        """The network's recipe with the options applied; ``complete``: on all of MNIST."""
        recipe = RECIPES[self.network]
        if not complete:
            epochs = recipe.epochs * SAMPLE_EPOCHS
            recipe = replace(recipe, epochs=epochs, synthetic_fraction=SAMPLE_SYNTHETIC_FRACTION)
        if self.epochs is not None:
            recipe = replace(recipe, epochs=self.epochs)
        return (
            replace(recipe, synthetic_fraction=0.0, outlier_ratio=0.0)
            if self.no_synthetic
            else recipe
        )


def run(options: Options) -> Path:
    """Train, evaluate and save one model; return the path of its weights.

    Raises:
        DigitsError: MNIST cannot be had, or an option does not fit.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+", options.version):
        raise DataError(f"--version {options.version} is none; give three numbers, such as 0.0.1.")
    started = time.perf_counter()
    with DistributedContext(choose_device(options.device)) as process:
        with process.main_process_first():
            mnist = load_mnist(options.data, options.data_dir)
        print(f"data: {mnist.source}; {len(mnist.training)} pictures to train on", flush=True)
        torch.manual_seed(options.seed)
        network = NETWORKS[options.network]().to(process.device)
        permutation = make_permutation(options.permute)
        precision = choose_precision(options.precision, process.device)
        network, history = train_network(
            network, mnist, options, permutation=permutation, precision=precision, process=process
        )
        if process.rank != 0:
            return checkpoint_path(options.name, options.version, options.output)
        network = network.cpu()
        seconds = time.perf_counter() - started
        training = {
            **options.recipe(complete=mnist.complete).as_json(),
            "augmentation": options.augment,
            "seed": options.seed,
            "seconds": round(seconds, 1),
            "device": process.description,
            "precision": precision.name,
            "processes": process.world_size,
            "history": [asdict(epoch) for epoch in history],
        }
        return evaluate_and_save(network, mnist, options, permutation, training, history)


def make_permutation(seed: int | None) -> Tensor | None:
    """Return the random permutation (784,) of ``seed``, or None for pixels in order."""
    if seed is None:
        return None
    return torch.randperm(IMAGE_SIZE * IMAGE_SIZE, generator=torch.Generator().manual_seed(seed))


def synthetic_digits(count: int, seed: int) -> Digits:
    """Synthesise ``count`` handwritten digits, as many of each as possible."""
    labels = torch.arange(count) % NUM_CLASSES
    return Digits(synthesize_digits(labels, torch.Generator().manual_seed(seed)), labels)


def train_network(
    network: nn.Module,
    mnist: Mnist,
    options: Options,
    *,
    permutation: Tensor | None,
    precision: Precision,
    process: DistributedContext,
) -> tuple[nn.Module, list[Epoch]]:
    """Train ``network`` by the options' recipe, with progress."""
    recipe = options.recipe(complete=mnist.complete)
    batches = Batches(
        mnist.training,
        recipe,
        options.augment,
        options.seed,
        rank=process.rank,
        world_size=process.world_size,
        device=process.device,
    )
    model: nn.Module = network
    if process.world_size > 1:
        if process.device.type == "cuda":
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        model = DistributedDataParallel(network)
    with Progress(options.name, recipe.epochs, len(batches), quiet=process.rank != 0) as progress:
        return fit(
            model,
            batches,
            mnist.validation,
            recipe,
            permutation=None if permutation is None else permutation.to(process.device),
            precision=precision,
            on_epoch=progress.epoch,
            on_step=progress.step,
        )


def evaluate_and_save(
    network: nn.Module,
    mnist: Mnist,
    options: Options,
    permutation: Tensor | None,
    training: ModelCard,
    history: list[Epoch],
) -> Path:
    """Calibrate on validation and held-back synthetic digits, look at the test set once, save."""
    held_back = synthetic_digits(CALIBRATION_SYNTHETIC, CALIBRATION_SEED)
    logits = {
        part: predict_logits(network, digits.images, permutation=permutation)
        for part, digits in (
            ("validation", mnist.validation),
            ("synthetic", held_back),
            ("test", mnist.test),
        )
    }
    labels = {
        "validation": mnist.validation.labels,
        "synthetic": held_back.labels,
        "test": mnist.test.labels,
    }
    both = torch.cat((logits["validation"], logits["synthetic"]))
    both_labels = torch.cat((labels["validation"], labels["synthetic"]))
    temperature = fit_temperature(both, both_labels)
    threshold = fit_threshold(both, temperature)
    matrix = plots.confusion(logits["test"], labels["test"])
    rejection_scores = rejection_score((logits["test"] / temperature).softmax(dim=1).numpy())
    path = checkpoint_path(options.name, options.version, options.output)
    path.parent.mkdir(parents=True, exist_ok=True)
    accuracy = {
        f"{part}_accuracy": (logits[part].argmax(dim=1) == labels[part]).double().mean().item()
        for part in logits
    }
    figures = {
        "confusion-matrix": plots.plot_confusion(
            matrix, f"{options.name}: {accuracy['test_accuracy']:.2%} of MNIST's test pictures"
        ),
        "learning-curves": plots.plot_learning_curves(history, f"{options.name}: learning"),
        "reliability": plots.plot_reliability(
            logits["test"],
            labels["test"],
            temperature,
            f"{options.name}: reliability on the test set",
        ),
    }
    names = {figure: f"{path.stem}-{figure}.png" for figure in figures}
    card: ModelCard = {
        "name": options.name,
        "version": options.version,
        "architecture": {"network": options.network, "settings": network.settings},
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "data": mnist.description(),
        "preprocessing": {
            "mean": MEAN,
            "std": STD,
            "rule": "ink cropped, longest side to 20 px, centre of mass to index (14, 14)",
        },
        "training": training,
        "results": {
            **accuracy,
            "recall": plots.recall(matrix),
            "test_refused": float((rejection_scores < threshold).mean()),
        },
        "reader": {
            "temperature": temperature,
            "threshold": threshold,
            "calibration": {
                "before": asdict(measure_calibration(logits["test"], labels["test"], 1.0)),
                "after": asdict(measure_calibration(logits["test"], labels["test"], temperature)),
            },
        },
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            **{name: library_version(name) for name in ("torchvision", "numpy", "pillow")},
        },
        "figures": names,
        "permutation": None
        if permutation is None
        else {"seed": options.permute, "indices": permutation.tolist()},
    }
    kept = keep_previous(path, card)
    for figure, drawing in figures.items():
        plots.save_figure(drawing, path.with_name(names[figure]))
    save_checkpoint(network, card, path)
    export(path)
    print(
        f"{options.name}: {accuracy['test_accuracy']:.2%} of {len(mnist.test)} test pictures read "
        f"right; {training['seconds']:.0f} s; written to {path}"
    )
    if kept:
        print(kept)
    return path
