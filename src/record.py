"""The speed record: how little processor time does a network need to read MNIST?

bash run.sh bench train            try a change: three seeds, tested on validation digits
bash run.sh bench train --record   ten seeds, tested once; adds rows to models/record.md

Seconds are processor time of one thread, from the new network to the end of its training. The rules
are in models/record.md. To beat a row, change its entry, the network or the recipe here.
"""

import argparse
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from errors import DigitsError
from model.card import write_atomically
from model.config import IMAGE_SIZE, NUM_CLASSES, RECIPES, REPOSITORY
from model.data.batches import Batches
from model.data.mnist import Digits, Mnist, load_mnist
from model.train import accuracy, has_bfloat16, predict_logits, train

TABLE = REPOSITORY / "models" / "record.md"
COMMIT = ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty", "--exclude=*"]


CROP = 2  # rows and columns cut off each side of an image: they are empty, and cost a fifth


class Entry(NamedTuple):
    """A network that reaches a target, and how long it trains."""

    channels: tuple[int, int]  # of the two convolutions
    epochs: int


ENTRIES = {  # by the target: % of test digits read right, on the mean of ten seeds
    99.2: Entry(channels=(16, 96), epochs=1),
    99.4: Entry(channels=(16, 64), epochs=3),
}


def build(entry: Entry) -> nn.Module:
    """Return an untrained network: that of `run.sh cnn` with fewer channels, without dropout."""
    layers: list[nn.Module] = [nn.ZeroPad2d(-CROP)]
    side = IMAGE_SIZE - 2 * CROP
    for before, after in pairwise((1, *entry.channels)):
        layers += [nn.Conv2d(before, after, 5, bias=False), nn.MaxPool2d(2)]
        layers += [nn.BatchNorm2d(after), nn.ReLU()]
        side = (side - 4) // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(after * side**2, NUM_CLASSES))


def train_entry(entry: Entry, digits: Digits, seed: int) -> tuple[nn.Module, float]:
    """Train an entry's network on digits; return it, and the seconds of processor time."""
    started = time.process_time()
    torch.manual_seed(seed)
    network = build(entry)
    recipe = replace(RECIPES["cnn"], epochs=entry.epochs, synthetic_fraction=0.0, outlier_ratio=0.0)
    batches = Batches(digits, None, recipe, "slight", seed)
    with redirect_stdout(None):  # no line for each epoch, and next to nothing to validate on
        train(network, batches, digits[:1], recipe)
    return network, time.process_time() - started


def measure(entry: Entry, training: Digits, unseen: Digits, seeds: int) -> np.ndarray:
    """Return each seed's % of unseen digits read right, and its seconds: (seeds, 2)."""
    results = []
    for seed in range(seeds):
        network, seconds = train_entry(entry, training, seed)
        right = 100 * accuracy(predict_logits(network, unseen.images), unseen.labels)
        print(f"  seed {seed}: {right:.2f} % in {seconds:.1f} s", flush=True)
        results.append((right, seconds))
    return np.array(results)


def processor() -> str:
    """Return the processor's name and the precision that it trains in."""
    info = Path("/proc/cpuinfo")  # of Linux
    name = re.search("model name\t: (.+)", info.read_text()) if info.exists() else None
    precision = "bfloat16" if has_bfloat16(torch.device("cpu")) else "float32"
    return f"{name[1] if name else platform.processor()}, {precision}"


def main(arguments: list[str] | None = None, load: Callable[[str], Mnist] = load_mnist) -> int:
    """Measure the entries on the data that `load` gives; return the exit status."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("run.sh bench train", None, __doc__, formatter_class=form)
    parser.add_argument("--record", action="store_true", help="ten seeds, test digits, a row")
    parser.add_argument("--target", type=float, choices=ENTRIES, help="measure this entry alone")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        mnist = load("mnist")
        train_entry(Entry((1, 1), 1), mnist.training[:256], seed=0)  # a warm-up
        commit = subprocess.check_output(COMMIT, text=True).strip() if options.record else ""
        unseen, seeds = (mnist.test, 10) if options.record else (mnist.validation, 3)
        for target in [options.target] if options.target else ENTRIES:
            print(f"A record needs more than {target} %.")
            results = measure(ENTRIES[target], mnist.training, unseen, seeds)
            means, deviations = results.mean(axis=0), results.std(axis=0, ddof=1)
            spread = [f"{m:.2f} ± {d:.2f}" for m, d in zip(means, deviations, strict=True)]
            print(f"{spread[0]} % in {spread[1]} s of one core")
            if options.record and means[0] > target:
                row = (date.today(), commit, target, *spread, seeds, processor())
                line = f"| {' | '.join(map(str, row))} |\n"
                write_atomically({TABLE: f"{TABLE.read_text()}{line}".encode()})
    except (DigitsError, OSError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The table keeps the rows of all finished targets.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
