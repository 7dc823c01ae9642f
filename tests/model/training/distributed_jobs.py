"""What test_distributed.py lets one process do and, under torchrun, two; each saves its results."""

import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
from tests.support.pictures import random_digits
from torch.nn.parallel import DistributedDataParallel

from model.config import RECIPES
from model.data.loader import Batches
from model.registry import NETWORKS
from model.train import fit, train
from model.training.distributed import Process, join_group

NAMES = ("mlp", "cnn")


class KeepGradients(torch.optim.SGD):
    """Takes no step, so that the gradients can be looked at."""

    def step(self):
        """Leave the weights as they are."""


def global_step(name: str, process: Process) -> dict[str, object]:
    """Loss and gradients of one global batch; no dropout, batch norm in evaluation mode."""
    recipe = replace(RECIPES[name], batch_size=30, synthetic_fraction=0.25, outlier_ratio=0.1)
    torch.manual_seed(0)
    network = NETWORKS[name](dropout=0.0).to(memory_format=torch.channels_last)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.train = lambda mode=True, layer=layer: layer
            layer.training = False
    model = DistributedDataParallel(network) if process.world_size > 1 else network
    shard = {"rank": process.rank, "world_size": process.world_size}
    batches = list(Batches(random_digits(30), recipe, "none", 0, **shard))
    loss = train(model, batches, KeepGradients(model.parameters(), lr=0.1))
    count = torch.tensor([sum(len(batch.targets) for batch in batches)])
    total = torch.tensor([loss]) * count
    if process.world_size > 1:
        torch.distributed.all_reduce(total)
        torch.distributed.all_reduce(count)
    gradients = {key: value.grad for key, value in network.named_parameters()}
    return {"loss": (total / count).item(), "gradients": gradients}


def fitted_weights(name: str, process: Process) -> dict[str, torch.Tensor]:
    """The weights after four steps; each process starts with others, the first one's count."""
    recipe = replace(RECIPES[name], batch_size=30, epochs=2, ema_decay=0.0)
    digits = random_digits(60)
    shard = {"rank": process.rank, "world_size": process.world_size}
    torch.manual_seed(process.rank)
    network = NETWORKS[name](dropout=0.0)
    return fit(network, Batches(digits, recipe, "none", 0, **shard), digits, recipe)[0].state_dict()


def first_process_fails(process: Process) -> str:
    """How this process ends its wait for a first one that fails."""
    try:
        with process.main_process_first():
            raise ValueError(f"process {process.rank} went on")
    except (ValueError, SystemExit) as end:
        return repr(end)


def main(folder: Path) -> None:
    """Let the first process go first, then do all jobs and save what they give."""
    with join_group(torch.device("cpu")) as process:
        first = folder / "the first was here"
        with process.main_process_first():
            if process.rank == 0:
                time.sleep(0.5)
                first.touch()
            assert first.exists(), "the first process was not first"
        results: dict[str, object] = {
            name: {"step": global_step(name, process), "weights": fitted_weights(name, process)}
            for name in NAMES
        }
        results["end"] = first_process_fails(process)
        torch.save(results, folder / f"{process.rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
