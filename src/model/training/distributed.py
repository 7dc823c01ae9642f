"""Device and precision of training, and this process's part where several train together."""

import gc
import os
import platform
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import distributed

from errors import OptionError

PRECISIONS = ("auto", "bfloat16", "float32")
_PEER_LOST = re.compile(r"closed by peer|reset by peer", re.IGNORECASE)  # Gloo's messages


@dataclass(frozen=True)
class Process:
    """This process's part in training.

    Attributes:
        device: what ``choose_device`` chose.
        rank, world_size: 0 and 1 when it trains alone.
    """

    device: torch.device
    rank: int
    world_size: int

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


@contextmanager
def join_group(device: torch.device) -> Iterator[Process]:
    """Join and leave the process group, where there is one; the first process alone prints.

    Several processes are started by ``main_pipeline.launch`` or by ``torchrun``.

    Raises:
        SystemExit: another process failed, which reports why; this one ends without a word.
    """
    process = Process(device, int(os.getenv("RANK", "0")), int(os.getenv("WORLD_SIZE", "1")))
    with ExitStack() as stack:
        if process.rank > 0:
            silence = stack.enter_context(Path(os.devnull).open("w"))
            stack.enter_context(redirect_stdout(silence))
        if process.world_size > 1:
            if device.type == "cuda":
                torch.cuda.set_device(device)
                distributed.init_process_group("nccl", device_id=device)
            else:
                distributed.init_process_group("gloo")
            stack.callback(distributed.destroy_process_group)
            # What still holds the group would let its threads outlive the interpreter, which aborts
            # (pytorch/pytorch#179291): DistributedDataParallel's reference cycles must go first.
            stack.callback(gc.collect)
        try:
            yield process
        except RuntimeError as error:
            if _PEER_LOST.search(str(error)):
                raise SystemExit(1) from None
            raise


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
