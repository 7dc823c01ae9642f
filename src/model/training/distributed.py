"""Device and precision of training, and this process's part where several train together."""

import gc
import os
import platform
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from types import TracebackType
from typing import Self

import torch
from torch import distributed

from errors import OptionError

PRECISIONS = ("auto", "bfloat16", "float32")
_PEER_LOST = re.compile(r"closed by peer|reset by peer", re.IGNORECASE)  # Gloo's messages


class DistributedContext:
    """Rank and device of this process; a context manager that joins and leaves the group.

    Several processes are started by ``main_pipeline.launch`` or by ``torchrun``.

    Attributes:
        rank, world_size: 0 and 1 when it trains alone.
        device: what ``choose_device`` chose.
    """

    def __init__(self, device: torch.device) -> None:
        self.rank = int(os.environ.get("RANK", "0"))
        self.world_size = int(os.environ.get("WORLD_SIZE", "1"))
        self.device = device
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Join the process group, where there is one; the first process alone prints."""
        if self.rank > 0:
            silence = self._open.enter_context(Path(os.devnull).open("w"))
            self._open.enter_context(redirect_stdout(silence))
        if self.world_size > 1:
            if self.device.type == "cuda":
                torch.cuda.set_device(self.device)
                distributed.init_process_group("nccl", device_id=self.device)
            else:
                distributed.init_process_group("gloo")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the process group.

        Raises:
            SystemExit: another process failed, which reports why; this one ends without a word.
        """
        if self.world_size > 1:
            # What still holds the group would let its threads outlive the interpreter, which aborts
            # (pytorch/pytorch#179291): DistributedDataParallel's reference cycles must go first.
            gc.collect()
            distributed.destroy_process_group()
        self._open.close()
        if isinstance(error, RuntimeError) and _PEER_LOST.search(str(error)):
            raise SystemExit(1) from None

    @property
    def description(self) -> str:
        """The hardware in words."""
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return f"{self.device.type} ({platform.machine()}, {torch.get_num_threads()} threads)"

    @contextmanager
    def main_process_first(self) -> Iterator[None]:
        """Let the first process through before the others, so that one alone downloads.

        Raises:
            SystemExit: in the others, if the first process failed; it reports why.
        """
        failed = [True]
        if self.rank > 0:
            distributed.broadcast_object_list(failed)
            if failed[0]:
                raise SystemExit(1)
        try:
            yield
            failed = [False]
        finally:
            if self.rank == 0 and self.world_size > 1:
                distributed.broadcast_object_list(failed)


def choose_device(requested: str) -> torch.device:
    """Choose this process's device: ``auto`` takes CUDA, then Apple's MPS, then the CPU.

    Raises:
        OptionError: there is no such device, or this machine lacks it.
    """
    name = requested
    if requested == "auto":
        has_mps = torch.backends.mps.is_available()
        name = "cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu"
    if name == "cuda" and "LOCAL_RANK" in os.environ:
        name = f"cuda:{os.environ['LOCAL_RANK']}"  # each process has a GPU of its own
    try:
        if name.partition(":")[0] not in ("cpu", "cuda", "mps"):
            raise RuntimeError("there is no such device")
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:  # AssertionError: a torch without CUDA
        reason = str(error).partition("\n")[0].rstrip(".")
        raise OptionError(
            f"--device {requested} cannot be used: {reason}. Give auto, which takes the best "
            "device of this machine, or cpu."
        ) from error
    return torch.device(name)


def choose_precision(requested: str, device: torch.device) -> str:
    """Return "bfloat16" where the hardware computes it natively, else "float32", unless told.

    Emulated bf16 is many times slower than float32, so a processor must have AVX-512 BF16 or AMX
    (a GPU: compute capability 8, NVIDIA's Ampere).
    """
    if requested != "auto":
        return requested
    if device.type == "cpu":
        native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    else:
        native = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    return "bfloat16" if native else "float32"
