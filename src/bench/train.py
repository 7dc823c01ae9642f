"""How much faster one epoch is than the baseline loop: ``bash run.sh bench train``.

The baseline loop is what tutorials show: a DataLoader, torchvision's transforms image by image,
float32, contiguous tensors. The pipeline has uint8 tensors, one augmentation per batch,
channels-last, and bf16 where the processor has it. Network, batch size, optimizer and augmentation
are the same, and neither has synthetic images. Both are timed in turns, in one run, on the same
images.
"""

import argparse
import sys
import time
from dataclasses import replace
from typing import TypedDict

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from arguments import at_least
from errors import DigitsError
from evaluation.results import markdown_table, write_results
from model.config import AUGMENTATION, MEAN, MODELS_DIR, RECIPES, STD
from model.data.augment import AUGMENTATIONS
from model.data.loader import Batches
from model.data.mnist import Digits, load_mnist
from model.registry import NETWORKS
from model.train import train
from model.training.distributed import choose_precision

EPOCH = 60_000  # images in the epoch that seconds are scaled to
BASELINE = "baseline loop, float32"


class TrainSpeed(TypedDict):
    """Seconds per epoch, the best of `rounds`, by what was timed."""

    network: str
    images: int
    rounds: int
    threads: int
    seconds: dict[str, float]


class BaselineImages(Dataset):
    """Images one by one through torchvision's transforms."""

    def __init__(self, digits: Digits) -> None:
        changes = AUGMENTATIONS[AUGMENTATION]
        assert changes is not None, "the recipes train with augmentation"
        self.digits = digits
        self.transform = v2.Compose(
            [
                v2.ToPILImage(),
                v2.RandomAffine(
                    changes.degrees, (changes.translate,) * 2, changes.scale, changes.shear
                ),
                v2.RandomPerspective(changes.perspective, changes.perspective_probability),
                v2.PILToTensor(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize([MEAN], [STD]),
            ]
        )

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.digits)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return one augmented image (1, 28, 28) and its label."""
        return self.transform(self.digits.images[index]), self.digits.labels[index]


def baseline_epoch(network: nn.Module, digits: Digits, batch_size: int) -> None:
    """Train one epoch as a tutorial would."""
    loader = DataLoader(BaselineImages(digits), batch_size=batch_size, shuffle=True)
    optimizer = torch.optim.AdamW(network.parameters())
    network.train()
    for x, labels in loader:
        loss = F.cross_entropy(network(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def pipeline_epoch(network: nn.Module, digits: Digits, batch_size: int, precision: str) -> None:
    """Train one epoch as ``run.sh`` does, without synthetic images."""
    recipe = replace(
        RECIPES["cnn"], batch_size=batch_size, synthetic_fraction=0.0, outlier_ratio=0.0
    )
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters())
    train(network, Batches(digits, recipe, AUGMENTATION, 0), optimizer, precision=precision)


def measure(network: str, digits: Digits, rounds: int) -> TrainSpeed:
    """Time baseline and pipeline in turns; return seconds per epoch, the best of each."""
    build, size = NETWORKS[network], RECIPES[network].batch_size

    def timed(name: str) -> float:
        model = build()
        started = time.perf_counter()
        if name == BASELINE:
            baseline_epoch(model, digits, size)
        else:
            pipeline_epoch(model, digits, size, name.removeprefix("pipeline, "))
        taken = (time.perf_counter() - started) * EPOCH / len(digits)
        print(f"{name}: {taken:.1f} s per epoch", file=sys.stderr, flush=True)
        return taken

    precisions = {"float32", choose_precision("auto", torch.device("cpu"))}
    names = [BASELINE, *(f"pipeline, {name}" for name in sorted(precisions, reverse=True))]
    times = [[timed(name) for name in names] for _ in range(rounds + 1)]
    best = [min(column) for column in zip(*times[1:], strict=True)]  # the first is to warm up
    return {
        "network": network,
        "images": len(digits),
        "rounds": rounds,
        "threads": torch.get_num_threads(),
        "seconds": dict(zip(names, best, strict=True)),
    }


def table(result: TrainSpeed) -> str:
    """Return the result as a Markdown table."""
    baseline = result["seconds"][BASELINE]
    return markdown_table(
        [f"{result['network']}, {result['threads']} threads", "s per epoch", "times faster"],
        [[name, f"{s:.1f}", f"{baseline / s:.1f}"] for name, s in result["seconds"].items()],
    )


def main() -> int:
    """Measure, print the table, write it to ``models/bench-train.json`` and ``.md``."""
    parser = argparse.ArgumentParser(prog="run.sh bench train", description=__doc__)
    parser.add_argument("--network", choices=NETWORKS, default="cnn")
    parser.add_argument(
        "--images", type=at_least(1), default=6_000, help="timed, then scaled (6000)"
    )
    parser.add_argument(
        "--rounds", type=at_least(1), default=3, help="the best of so many counts (3)"
    )
    parser.add_argument("--data", default="auto")
    options = parser.parse_args()
    try:
        digits = load_mnist(options.data).training[: options.images]
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    result = measure(options.network, digits, options.rounds)
    page = f"# How fast training is\n\n{table(result)}"
    write_results(MODELS_DIR / "bench-train.json", result, page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
