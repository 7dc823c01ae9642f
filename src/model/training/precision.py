"""Numbers and memory layout of the forward pass: float32, or bf16 where the hardware has it."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

PRECISIONS = ("auto", "bfloat16", "float32")


@dataclass(frozen=True)
class Precision:
    """How the forward pass is computed; weights stay float32 either way.

    Channels-last layout is several times faster on a CPU in both precisions.
    """

    name: str

    def autocast(self, device: torch.device) -> AbstractContextManager:
        """Return the context of the forward pass on ``device``."""
        if self.name == "float32":
            return nullcontext()
        return torch.autocast(device.type, dtype=torch.bfloat16)

    def layout(self, images: Tensor) -> Tensor:
        """Lay out pictures (N, C, H, W) as the convolutions want them."""
        return images.contiguous(memory_format=torch.channels_last)

    def prepare_model(self, model: nn.Module) -> nn.Module:
        """Lay out the weights of ``model`` in the same way."""
        return model.to(memory_format=torch.channels_last)


def choose_precision(wanted: str, device: torch.device) -> Precision:
    """Choose bf16 where the hardware computes it natively, else float32.

    Emulated bf16 is many times slower than float32, so a processor must have AVX-512 BF16 or AMX
    (a GPU: compute capability 8, NVIDIA's Ampere).
    """
    if wanted != "auto":
        return Precision(wanted)
    if device.type == "cpu":
        native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    elif device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        native = False
    return Precision("bfloat16" if native else "float32")


def choose_device(wanted: str) -> torch.device:
    """Choose the device: ``auto`` takes CUDA, then Apple's MPS, then the CPU."""
    if wanted != "auto":
        return torch.device(wanted)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
