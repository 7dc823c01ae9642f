"""Orders of the pixels: unpermuted, all permuted, or permuted block by block."""

import torch
from torch import Tensor

from model.config import IMAGE_SIZE
from model.training.pipeline import make_permutation

PERMUTATION_SEED = 0  # one and the same permutation for every network, seed and augmentation
BLOCKS = (2, 4, 7, 14)  # pixels; they divide 28
UNPERMUTED, PERMUTED = "in order", "permuted"  # as comparison.json names them


def intra_block(block: int) -> str:
    """Return the name of the order in which pixels are permuted inside each block."""
    return {1: UNPERMUTED, IMAGE_SIZE: PERMUTED}.get(block, f"within {block}")


def inter_block(block: int) -> str:
    """Return the name of the order in which whole blocks change places."""
    return {1: PERMUTED, IMAGE_SIZE: UNPERMUTED}.get(block, f"among {block}")


def pixel_permutation(name: str) -> Tensor | None:
    """Return the permutation (784,) of that name, None for unpermuted pixels.

    Args:
        name: "in order"; "permuted": all 784 pixels at random; "within B": at random inside each
            block of B x B pixels, each block in its own way; "among B": whole blocks of B x B
            pixels change places, none stays, and nothing changes inside them.
    """
    if name == UNPERMUTED:
        return None
    if name == PERMUTED:
        return make_permutation(PERMUTATION_SEED)
    kind, side = name.split()
    block = int(side)
    number = IMAGE_SIZE // block
    generator = torch.Generator().manual_seed(PERMUTATION_SEED)
    pixels = torch.arange(IMAGE_SIZE * IMAGE_SIZE).reshape(number, block, number, block)
    blocks = pixels.transpose(1, 2).reshape(-1, block * block)  # a block per row
    if kind == "within":
        orders = [torch.randperm(block * block, generator=generator) for _ in blocks]
        blocks = torch.stack([row[order] for row, order in zip(blocks, orders, strict=True)])
    else:
        blocks = blocks[_derangement(len(blocks), generator)]
    return blocks.reshape(number, number, block, block).transpose(1, 2).flatten()


def permute(image: Tensor, name: str) -> Tensor:
    """Return an image (28, 28) with its pixels in the order of that name."""
    permutation = pixel_permutation(name)
    return image if permutation is None else image.flatten()[permutation].reshape(image.shape)


def _derangement(count: int, generator: torch.Generator) -> Tensor:
    """Return a random permutation that leaves nothing in its place (about 1 in e is one)."""
    while True:
        order = torch.randperm(count, generator=generator)
        if (order != torch.arange(count)).all():
            return order
