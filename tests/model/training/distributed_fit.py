"""What processes fit together under torchrun; run by test_distributed.py, each writes its own."""

import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

from model.config import RECIPES
from model.data.loader import Batches
from model.data.mnist import Digits
from model.registry import NETWORKS
from model.train import fit
from model.training.distributed import DistributedContext


def main(name: str, folder: Path) -> None:
    """Wait for the first process, fit a network for four steps, write its weights."""
    with DistributedContext(torch.device("cpu")) as process:
        first = folder / "the first was here"
        with process.main_process_first():
            if process.rank == 0:
                time.sleep(0.5)
                first.touch()
            assert first.exists(), "the first process was not first"
        recipe = replace(RECIPES[name], batch_size=30, epochs=2, ema_decay=0.0)
        images = torch.randint(256, (60, 28, 28), generator=torch.Generator().manual_seed(0))
        digits = Digits(images.to(torch.uint8), torch.arange(60) % 10)
        shard = {"rank": process.rank, "world_size": process.world_size}
        torch.manual_seed(process.rank)  # the first process's weights count
        network = NETWORKS[name](dropout=0.0)
        fitted, _ = fit(network, Batches(digits, recipe, "none", 0, **shard), digits, recipe)
        torch.save(fitted.state_dict(), folder / f"{process.rank}.pt")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
