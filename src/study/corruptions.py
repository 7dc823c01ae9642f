"""Normalised images shifted, rotated, scaled or made noisy."""

import torch
from torch import Tensor

from model.data.augment import affine_matrices, sampling_grid, warp

# Corruptions and their severities (after Hendrycks and Dietterich, 2019); 0 (scale: 1) is none.
SEVERITIES: dict[str, tuple[float, ...]] = {
    "shift": (0, 1, 2, 3, 4, 5, 6, 8),  # pixels, each image left, right, up or down in turn
    "rotation": (-60, -45, -30, -15, 0, 15, 30, 45, 60),  # degrees clockwise
    "scale": (0.4, 0.6, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.6),  # times as large
    "noise": (0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1),  # standard deviation, foreground being 1
}
UNITS = {"shift": "pixels", "rotation": "degrees", "scale": "times", "noise": "standard deviation"}
DIRECTIONS = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])


def corrupt(images: Tensor, corruption: str, severity: float) -> Tensor:
    """Return the corrupted images.

    Args:
        images: uint8 (N, 28, 28), as preprocessing leaves them.
        corruption: a key of SEVERITIES.
        severity: how much, in the unit that UNITS names.
    """
    count = len(images)
    if corruption == "noise":
        generator = torch.Generator().manual_seed(0)  # the same noise for every network
        noise = 255 * severity * torch.randn(images.shape, generator=generator)
        return (images + noise).clamp(0, 255).round().byte()
    angle, shift, scale = torch.zeros(count), torch.zeros(count, 2), torch.ones(count)
    if corruption == "rotation":
        angle += severity
    elif corruption == "scale":
        scale *= severity
    else:
        shift = severity * DIRECTIONS[torch.arange(count) % len(DIRECTIONS)]
    grid = sampling_grid(affine_matrices(angle, shift, scale, torch.zeros(count)))
    return warp(images.unsqueeze(1).float(), grid).squeeze(1).round().byte()
