"""How much faster one epoch is than the plain loop: ``bash run.sh bench train``.

The plain loop is what tutorials show: a DataLoader, torchvision's transforms picture by picture,
float32, contiguous tensors. Ours: uint8 tensors, one augmentation a batch, channels-last, bf16
where the processor has it. Network, batch size, optimizer and augmentation are the same, and
neither sees synthetic pictures. Both are timed in turns, in one run, on the same pictures.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from errors import DigitsError
from model.checkpoint import write_json
from model.config import AUGMENTATION, MEAN, MODELS_DIR, RECIPES, STD
from model.data.augment import AUGMENTATIONS
from model.data.loader import Batches
from model.data.mnist import Digits, load_mnist
from model.registry import NETWORKS
from model.train import train
from model.training.distributed import choose_precision

EPOCH = 60_000  # pictures in the epoch that seconds are scaled to


class PlainPictures(Dataset):
    """Pictures one by one through torchvision's transforms."""

    def __init__(self, digits: Digits) -> None:
        changes = AUGMENTATIONS[AUGMENTATION]
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
        """Return the number of pictures."""
        return len(self.digits)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return one augmented picture (1, 28, 28) and its label."""
        return self.transform(self.digits.images[index]), self.digits.labels[index]


def plain_epoch(network: nn.Module, digits: Digits, batch_size: int) -> None:
    """Train one epoch in the plain way."""
    loader = DataLoader(PlainPictures(digits), batch_size=batch_size, shuffle=True)
    optimizer = torch.optim.AdamW(network.parameters())
    network.train()
    for pictures, labels in loader:
        loss = F.cross_entropy(network(pictures), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def our_epoch(network: nn.Module, digits: Digits, batch_size: int, precision: str) -> None:
    """Train one epoch as ``run.sh`` does, without synthetic pictures."""
    recipe = replace(
        RECIPES["cnn"], batch_size=batch_size, synthetic_fraction=0.0, outlier_ratio=0.0
    )
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters())
    train(network, Batches(digits, recipe, AUGMENTATION, 0), optimizer, precision=precision)


def seconds(epoch: Callable[[], None]) -> float:
    """Return how long a call takes."""
    started = time.perf_counter()
    epoch()
    return time.perf_counter() - started


def measure(network: str, pictures: int, rounds: int, data: str) -> dict:
    """Time the plain loop and ours in turns; return seconds an epoch, the best of each."""
    digits = load_mnist(data).training[torch.arange(pictures)]
    build, batch_size = NETWORKS[network], RECIPES[network].batch_size
    ways = {"plain loop, float32": lambda: plain_epoch(build(), digits, batch_size)}
    names = {"float32", choose_precision("auto", torch.device("cpu"))}
    for name in sorted(names, reverse=True):
        ways[f"ours, {name}"] = lambda name=name: our_epoch(build(), digits, batch_size, name)
    best = dict.fromkeys(ways, float("inf"))
    for round_ in range(rounds + 1):  # the first is for warming up
        for way, epoch in ways.items():
            taken = seconds(epoch) * EPOCH / len(digits)
            print(f"round {round_}: {way}: {taken:.1f} s an epoch", file=sys.stderr, flush=True)
            if round_:
                best[way] = min(best[way], taken)
    return {"network": network, "pictures": pictures, "rounds": rounds, "seconds": best}


def table(result: dict) -> str:
    """Return the result as a Markdown table."""
    plain = next(iter(result["seconds"].values()))
    lines = [
        f"| {result['network']}, {torch.get_num_threads()} threads | s an epoch | times faster |",
        "| --- | ---: | ---: |",
    ]
    lines += [f"| {way} | {s:.1f} | {plain / s:.1f} |" for way, s in result["seconds"].items()]
    return "\n".join(lines)


def main() -> int:
    """Measure, print the table, write it to ``models/bench-train.json``."""
    parser = argparse.ArgumentParser(prog="run.sh bench train", description=__doc__)
    parser.add_argument("--network", choices=NETWORKS, default="cnn")
    parser.add_argument("--pictures", type=int, default=6_000, help="timed, then scaled (6000)")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many counts (3)")
    parser.add_argument("--data", default="auto")
    options = parser.parse_args()
    try:
        result = measure(options.network, options.pictures, options.rounds, options.data)
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(table(result))
    write_json(MODELS_DIR / "bench-train.json", {**result, "threads": torch.get_num_threads()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
