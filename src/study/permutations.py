"""Orders of the pixels: unpermuted, all permuted, or permuted block by block."""

import torch
from torch import Tensor

from model.config import IMAGE_SIZE
from model.training.pipeline import make_permutation

PERMUTATION_SEED = 0  # one and the same permutation for every network, seed and augmentation
BLOCKS = (2, 4, 7, 14)  # pixels; they divide 28
UNPERMUTED, PERMUTED = "in order", "permuted"  # as comparison.json names them
# From order over permuted blocks to no order, and over whole blocks that change places back to it
ORDERS = (
    UNPERMUTED,
    *(f"within {block}" for block in BLOCKS),
    PERMUTED,
    *(f"among {block}" for block in BLOCKS),
)


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
        cycle = torch.randperm(len(blocks), generator=generator)  # each goes where the next one was
        blocks = blocks.index_copy(0, cycle, blocks[cycle.roll(1)])
    return blocks.reshape(number, number, block, block).transpose(1, 2).flatten()
