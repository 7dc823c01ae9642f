"""One training step under torchrun; run by test_distributed.py, writes loss and gradients."""

import sys
from dataclasses import replace

import torch
from torch.nn.parallel import DistributedDataParallel

from model.config import RECIPES
from model.data.loader import Batches
from model.data.mnist import Digits
from model.registry import NETWORKS
from model.train import train
from model.training.distributed import DistributedContext


class KeepGradients(torch.optim.SGD):
    """Takes no step, so that the gradients can be looked at."""

    def step(self):
        """Leave the weights as they are."""


def global_step(name: str, process: DistributedContext) -> dict[str, object]:
    """Compute one global batch of a network without dropout, batch norm in evaluation mode."""
    recipe = replace(RECIPES[name], batch_size=30, synthetic_fraction=0.25, outlier_ratio=0.1)
    images = torch.randint(256, (30, 28, 28), generator=torch.Generator().manual_seed(0))
    digits = Digits(images.to(torch.uint8), torch.arange(30) % 10)
    torch.manual_seed(0)
    network = NETWORKS[name](dropout=0.0)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.train = lambda mode=True, layer=layer: layer
            layer.training = False
    model = DistributedDataParallel(network) if process.world_size > 1 else network
    shard = {"rank": process.rank, "world_size": process.world_size}
    batches = list(Batches(digits, recipe, "none", 0, **shard))
    loss = train(model, batches, KeepGradients(model.parameters(), lr=0.1))
    count = torch.tensor([sum(len(batch.targets) for batch in batches)])
    total = torch.tensor([loss]) * count
    if process.world_size > 1:
        torch.distributed.all_reduce(total)
        torch.distributed.all_reduce(count)
    gradients = {key: value.grad for key, value in network.named_parameters()}
    return {"loss": (total / count).item(), "gradients": gradients}


def main(name: str, path: str) -> None:
    """Compute one step with the others and write it, on the first process alone."""
    with DistributedContext(torch.device("cpu")) as process:
        result = global_step(name, process)
        if process.rank == 0:
            torch.save(result, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
