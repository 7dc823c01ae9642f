"""The speed record: how little processor time does a network need to read MNIST?

bash run.sh bench train            try a change: three seeds, tested on validation digits
bash run.sh bench train --record   ten seeds, tested once; adds rows to models/record.md

Seconds are processor time of one thread, from the new network to the end of its training. Loading
data and testing do not count. models/record.md has the rules. To beat a row, change its entry here.
The manner is that of airbench (K. Jordan, "94% on CIFAR-10 in 3.29 Seconds", 2024).
"""

import argparse
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from errors import DigitsError
from model.card import write_atomically
from model.config import REPOSITORY, Recipe
from model.convnet import ConvNet
from model.data.batches import Batches
from model.data.mnist import Digits, Mnist, load_mnist
from model.train import accuracy, has_bfloat16, predict_logits, train

TABLE = REPOSITORY / "models" / "record.md"


class Entry(NamedTuple):
    """A network, and the recipe by which it reaches a target."""

    network: Callable[[], nn.Module]
    recipe: Recipe


def recipe(epochs: int) -> Recipe:
    """Return the recipe of `run.sh cnn`, but on MNIST's digits alone."""
    return Recipe(epochs, 128, 8e-3, ema_decay=0.99, synthetic_fraction=0.0, outlier_ratio=0.0)


# Half the channels of `run.sh cnn` take a third of its time. So few epochs need no dropout.
SMALL_CNN = partial(ConvNet, (16, 64), dropout=0.0)
ENTRIES = {  # by the target: % of test digits read right, on the mean of ten seeds
    99.2: Entry(SMALL_CNN, recipe(epochs=1)),
    99.4: Entry(SMALL_CNN, recipe(epochs=3)),
}


def train_entry(entry: Entry, digits: Digits, seed: int) -> tuple[nn.Module, float]:
    """Train an entry's network on digits; return it, and the seconds of processor time."""
    started = time.process_time()
    torch.manual_seed(seed)
    network = entry.network()
    batches = Batches(digits, None, entry.recipe, "slight", seed)
    with redirect_stdout(None):  # no line for each epoch, and next to nothing to validate on
        train(network, batches, digits[:1], entry.recipe)
    return network, time.process_time() - started


def measure(entry: Entry, training: Digits, unseen: Digits, seeds: int) -> np.ndarray:
    """Return for each seed the % of unseen digits read right, and the seconds: (seeds, 2)."""
    results = []
    for seed in range(seeds):
        network, seconds = train_entry(entry, training, seed)
        right = 100 * accuracy(predict_logits(network, unseen.images), unseen.labels)
        print(f"  seed {seed}: {right:.2f} % in {seconds:.1f} s", flush=True)
        results.append((right, seconds))
    return np.array(results)


def commit() -> str:
    """Return the commit's short hash, and "-dirty" if files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.check_output(command, cwd=REPOSITORY, text=True).strip()


def processor() -> str:
    """Return the processor's name and the precision that it trains in."""
    info = Path("/proc/cpuinfo")  # Linux has it
    names = re.findall("model name\t: (.+)", info.read_text()) if info.exists() else []
    precision = "bfloat16" if has_bfloat16(torch.device("cpu")) else "float32"
    return f"{names[0] if names else platform.processor()}, {precision}"


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
        train_entry(Entry(SMALL_CNN, recipe(1)), mnist.training[:256], seed=0)  # a warm-up
        made = [date.today().isoformat(), commit()] if options.record else []
        unseen, seeds = (mnist.test, 10) if options.record else (mnist.validation, 3)
        for target in [options.target] if options.target else ENTRIES:
            print(f"{target} %, {seeds} seeds:")
            results = measure(ENTRIES[target], mnist.training, unseen, seeds)
            means, deviations = results.mean(axis=0), results.std(axis=0, ddof=1)
            spread = [f"{m:.2f} ± {d:.2f}" for m, d in zip(means, deviations, strict=True)]
            print(f"{spread[0]} % in {spread[1]} s of one core")
            if options.record and means[0] <= target:
                print(f"The mean must be above {target} %: the table has no new row.")
            elif options.record:
                row = " | ".join([*made, f"{target}", *spread, f"{seeds}", processor()])
                write_atomically({TABLE: f"{TABLE.read_text()}| {row} |\n".encode()})
    except (DigitsError, OSError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The table keeps the rows of all finished targets.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
