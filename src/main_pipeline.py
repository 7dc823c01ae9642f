"""Train a network: load data, train, evaluate, calibrate and save it.

bash run.sh cnn                         the CNN -> models/mnist-0.0.1.onnx and .pt
bash run.sh mlp --data sample --seed 1  the MLP, on 5,000 digits, from another seed
bash run.sh cnn --permute 0             pixels permuted -> models/mnist-cnn-permuted-0.0.1.onnx

The same seed gives the same weights on the same processor with as many threads.
"""

import argparse
import json
import platform
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from errors import DigitsError
from model import config
from model.config import AUGMENTATIONS, MODELS_DIR, NUM_CLASSES, VERSION, choose_recipe
from model.data.batches import WEIGHTS, Batches, stream_seed, synthetic_digits
from model.data.mnist import Mnist, load_mnist, make_permutation
from model.networks import NETWORKS
from model.train import accuracy, has_bfloat16, predict_logits, train


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the command line; exits with status 2 on what would fail after minutes of training."""
    usage, form = "bash run.sh cnn|mlp|deep [OPTIONS]", argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("run.sh", usage, __doc__, formatter_class=form)
    add = parser.add_argument
    add("network", choices=NETWORKS)
    add("--epochs", type=int, help="passes over the data (the recipe's)")
    add("--seed", type=int, default=0, help="of weights, order and augmentation (0)")
    add("--data", default="auto", help="auto, mnist, sample (5,000 digits), MNIST's folder (auto)")
    add("--augment", choices=AUGMENTATIONS, default=config.AUGMENTATION, help="images (slight)")
    add("--permute", type=int, metavar="SEED", help="permute the pixels, the same way for all")
    add("--strokes", type=Path, metavar="FILE", help="your own drawings, among the data")
    add("--no-synthetic", dest="synthetic", action="store_false", help="train on MNIST alone")
    add("--output", type=Path, default=MODELS_DIR, help="folder to write to (models)")
    add("--device", default="auto", help="auto, cpu, cuda or mps (auto)")
    options = parser.parse_args(arguments)
    if options.device == "auto":
        options.device = choose_device(torch.accelerator.current_accelerator(check_available=True))
    if options.epochs is not None and options.epochs < 1:
        parser.error("--epochs: give 1 or more")
    if not all(0 <= seed < 2**63 for seed in (options.seed, options.permute or 0)):
        parser.error("--seed and --permute: give a number from 0 on, below 2**63")
    if options.strokes and not options.synthetic:
        parser.error("--strokes takes the share of synthetic digits: omit --no-synthetic")
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=options.output).close()
        try_device(options.device)
    except OSError as error:
        parser.error(f"--output {options.output}: {error.strerror}; choose another folder")
    except (RuntimeError, AssertionError):
        parser.error(f"--device {options.device} cannot be used here: give auto or cpu")
    return options


def try_device(device: str | torch.device) -> None:
    """Multiply and add on a device: one may be there whose generation torch has no kernels for.

    Raises:
        RuntimeError, AssertionError: it cannot be used; the latter from a torch without CUDA.
    """
    (torch.ones(8, 8, device=device) @ torch.ones(8, 8, device=device) + 1).cpu()


def choose_device(accelerator: torch.device | None) -> str:
    """Return the accelerator if torch can calculate on it, else the CPU."""
    if accelerator is None:
        return "cpu"
    try:
        try_device(accelerator)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        print(f"{accelerator} cannot be used ({reason}): training on the CPU", file=sys.stderr)
        return "cpu"
    return str(accelerator)


def main(arguments: list[str] | None = None, load: Callable[[str], Mnist] = load_mnist) -> int:
    """Run the pipeline on the data that `load` gives; return the exit status."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a kill cleans up as Ctrl-C does
    try:
        run(options, load)
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The model that was there before is unchanged.", file=sys.stderr)
        return 130
    return 0


def run(options: argparse.Namespace, load: Callable[[str], Mnist]) -> None:
    """Train, evaluate, calibrate and save one model."""
    # Data
    recorded = None
    if options.strokes:
        from model.data.strokes import load_strokes  # it brings all of preprocessing

        recorded = load_strokes(options.strokes, options.seed)
    mnist = load(options.data)
    print(f"data: {mnist.source}; {len(mnist.training)} images to train on")
    permutation = None if options.permute is None else make_permutation(options.permute)

    # Recipe and network
    recipe = choose_recipe(options.network, mnist.complete, options.epochs, options.synthetic)
    device = torch.device(options.device)
    torch.manual_seed(stream_seed(options.seed, WEIGHTS))
    network = NETWORKS[options.network]().to(device)
    last = list(network.modules())[-1]
    if not isinstance(last, nn.Linear) or last.out_features != NUM_CLASSES:
        raise DigitsError(f"The last module of {options.network} must be nn.Linear(..., 10).")
    parameters = sum(parameter.numel() for parameter in network.parameters())
    print(f"network: {options.network}, {parameters:,} parameters, {device}\n{recipe}")

    # Train
    batches = Batches(mnist.training, recorded, recipe, options.augment, options.seed, device)
    history = train(network, batches, mnist.validation, recipe, permutation)
    network.cpu()

    # These take seconds to import and were not needed before.
    from sklearn.metrics import confusion_matrix

    from model import calibration, plots
    from model.card import Card, model_path
    from model.export import save_model
    from model.readme import write_model_card

    # Evaluate: the one look at the test set
    synthetic = synthetic_digits(config.CALIBRATION_SYNTHETIC, config.CALIBRATION_SEED)
    splits = {"validation": mnist.validation, "synthetic": synthetic, "test": mnist.test}
    logits = {k: predict_logits(network, part.images, permutation) for k, part in splits.items()}
    reached = {f"{k}_accuracy": accuracy(logits[k], splits[k].labels) for k in splits}
    test = (logits["test"], mnist.test.labels)
    confusion = confusion_matrix(test[1], test[0].argmax(dim=1), labels=range(NUM_CLASSES))
    print(f"confusion matrix of the test set, a row per true digit:\n{confusion}")

    # Calibrate on digits that were not trained on
    fitted = ["validation", "synthetic"] if recipe.synthetic_fraction else ["validation"]
    fitted_logits = torch.cat([logits[k] for k in fitted])
    fitted_labels = torch.cat([splits[k].labels for k in fitted])
    temperature = calibration.fit_temperature(fitted_logits, fitted_labels)
    threshold = calibration.fit_threshold(fitted_logits, temperature)
    before, after = (calibration.measure_calibration(*test, t) for t in (1.0, temperature))

    # Save it with its card: how it was made, and what it reaches
    name = options.network if permutation is None else f"{options.network}-permuted"
    stem = model_path(name, VERSION, options.output).stem
    figures = plots.draw_figures(name, history, confusion, test, temperature)
    sizes = {k: len(getattr(mnist, k)) for k in ("training", "validation", "test")}
    precision = "bfloat16" if has_bfloat16(device) else "float32"
    training = {
        **vars(recipe),
        "augmentation": options.augment,
        "strokes": len(recorded or []),
        "seed": options.seed,
        "threads": torch.get_num_threads(),
        "device": f"{device} ({platform.machine()}, {precision})",
        "seconds": round(sum(epoch["seconds"] for epoch in history), 1),
        "history": history,
    }
    results = {
        **reached,
        "recall": (confusion.diagonal() / confusion.sum(axis=1)).tolist(),
        "test_rejected": calibration.rejected_fraction(logits["test"], temperature, threshold),
    }
    indices = [] if permutation is None else permutation.tolist()
    card = {
        "name": name,
        "version": VERSION,
        "network": options.network,
        "config": getattr(network, "config", {}),
        "parameters": parameters,
        "data": {"source": mnist.source, "complete": mnist.complete, **sizes},
        "preprocessing": {"mean": config.MEAN, "std": config.STD},
        "training": training,
        "results": results,
        "temperature": temperature,
        "threshold": threshold,
        "calibration": {"before": before, "after": after},
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "figures": {figure: f"{stem}-{figure}.png" for figure in figures},
        "permutation": {"seed": options.permute, "indices": indices} if indices else None,
    }
    pngs = {f"{stem}-{figure}.png": png for figure, png in figures.items()}
    made = Card.model_validate_json(json.dumps(card))
    path = save_model(network, made, options.output, pngs)
    write_model_card(options.output)
    print(f"{name}: {reached['test_accuracy']:.2%} of the test images correct; written to {path}")


if __name__ == "__main__":
    sys.exit(main())
