"""This process's part in data-parallel training; alone unless ``torchrun`` started it."""

import gc
import os
import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from types import TracebackType
from typing import Self

import torch
from torch import distributed


class DistributedContext:
    """Rank and device of this process; a context manager that joins and leaves the group.

    Attributes:
        rank, world_size: 0 and 1 when it trains alone.
        device: its own GPU when there are several.
    """

    def __init__(self, device: torch.device) -> None:
        self.rank = int(os.environ.get("RANK", "0"))
        self.world_size = int(os.environ.get("WORLD_SIZE", "1"))
        if device.type == "cuda" and self.world_size > 1:
            device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        self.device = device
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Join the process group, where there is one; the first process alone prints."""
        if self.rank > 0:
            silence = self._open.enter_context(Path(os.devnull).open("w"))
            self._open.enter_context(redirect_stdout(silence))
        if self.world_size > 1:
            backend = "nccl" if self.device.type == "cuda" else "gloo"
            distributed.init_process_group(backend)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the process group, all processes together unless this one failed."""
        if self.world_size > 1:
            if kind is None:
                distributed.barrier()
            # What still holds the group would let its threads outlive the interpreter, which aborts
            # (pytorch/pytorch#179291): DistributedDataParallel's reference cycles must go first.
            gc.collect()
            distributed.destroy_process_group()
        self._open.close()

    @property
    def description(self) -> str:
        """The hardware in words."""
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return f"{self.device.type} ({platform.machine()}, {torch.get_num_threads()} threads)"

    @contextmanager
    def main_process_first(self) -> Iterator[None]:
        """Let the first process through before the others, so that one alone downloads."""
        if self.rank > 0:
            distributed.barrier()
        yield
        if self.rank == 0 and self.world_size > 1:
            distributed.barrier()
