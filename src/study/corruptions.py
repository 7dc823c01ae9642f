"""How accuracy falls when normalised pictures are shifted, turned, scaled or made noisy."""

import torch
from torch import Tensor, nn

from model.data.augment import affine_matrices, sampling_grid, warp
from model.data.mnist import Digits
from model.train import predict_logits

# By what the test pictures are changed; 0 (scale: 1) leaves them as they are.
LEVELS: dict[str, tuple[float, ...]] = {
    "shift": (0, 1, 2, 3, 4, 5, 6, 8),  # pixels, each picture left, right, up or down in turn
    "rotation": (-60, -45, -30, -15, 0, 15, 30, 45, 60),  # degrees clockwise
    "scale": (0.4, 0.6, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.6),  # times as large
    "noise": (0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1),  # standard deviation, ink being 1
}
DIRECTIONS = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])


def change(images: Tensor, kind: str, level: float) -> Tensor:
    """Return the changed pictures.

    Args:
        images: uint8 (N, 28, 28), as preprocessing leaves them.
        kind: a key of LEVELS.
        level: how much, in the unit that LEVELS names.
    """
    count = len(images)
    if kind == "noise":
        generator = torch.Generator().manual_seed(0)  # the same noise for every network
        noise = 255 * level * torch.randn(images.shape, generator=generator)
        return (images + noise).clamp(0, 255).round().byte()
    angle, shift, scale = torch.zeros(count), torch.zeros(count, 2), torch.ones(count)
    if kind == "rotation":
        angle += level
    elif kind == "scale":
        scale *= level
    else:
        shift = level * DIRECTIONS[torch.arange(count) % len(DIRECTIONS)]
    grid = sampling_grid(affine_matrices(angle, shift, scale, torch.zeros(count)))
    return warp(images.unsqueeze(1).float(), grid).squeeze(1).round().byte()


def measure_robustness(network: nn.Module, digits: Digits) -> dict[str, list[float]]:
    """Return, for each kind of change, the accuracies (0-1) at its LEVELS; pixels in order."""

    def accuracy(kind: str, level: float) -> float:
        read = predict_logits(network, change(digits.images, kind, level)).argmax(dim=1)
        return (read == digits.labels).double().mean().item()

    return {kind: [accuracy(kind, level) for level in levels] for kind, levels in LEVELS.items()}
