"""Orders of the pixels: as they are, all permuted, or permuted patch by patch."""

import torch
from torch import Generator, Tensor

from model.config import IMAGE_SIZE
from model.training.pipeline import make_permutation

PERMUTATION_SEED = 0  # one and the same permutation for every network, seed and augmentation
BLOCKS = (2, 4, 7, 14)  # pixels; they divide 28
IN_ORDER, PERMUTED = "in order", "permuted"


def within(block: int) -> str:
    """Return the name of the order in which pixels are permuted inside each block."""
    return f"within {block}"


def among(block: int) -> str:
    """Return the name of the order in which whole blocks change places."""
    return f"among {block}"


def pixel_permutation(name: str) -> Tensor | None:
    """Return the permutation (784,) of that name, None for the pixels in order.

    Args:
        name: "in order"; "permuted": all 784 pixels at random; "within B": at random inside each
            block of B x B pixels, each block in its own way; "among B": whole blocks of B x B
            pixels change places, none stays, and nothing changes inside them.
    """
    if name == IN_ORDER:
        return None
    if name == PERMUTED:
        return make_permutation(PERMUTATION_SEED)
    kind, side = name.split()
    block = int(side)
    generator = torch.Generator().manual_seed(PERMUTATION_SEED)
    indices = _to_blocks(
        torch.arange(IMAGE_SIZE * IMAGE_SIZE).reshape(IMAGE_SIZE, IMAGE_SIZE), block
    )
    if kind == "within":
        indices = torch.stack([row[_shuffled(len(row), generator)] for row in indices])
    else:
        indices = indices[_derangement(len(indices), generator)]
    return _from_blocks(indices, block).flatten()


def _shuffled(count: int, generator: Generator) -> Tensor:
    return torch.randperm(count, generator=generator)


def _derangement(count: int, generator: Generator) -> Tensor:
    """Return a random permutation that leaves nothing in its place (about 1 in e is one)."""
    while True:
        order = _shuffled(count, generator)
        if (order != torch.arange(count)).all():
            return order


def _to_blocks(picture: Tensor, block: int) -> Tensor:
    """Cut (28, 28) into blocks, one a row: (number of blocks, block * block)."""
    number = IMAGE_SIZE // block
    return picture.reshape(number, block, number, block).transpose(1, 2).reshape(-1, block * block)


def _from_blocks(blocks: Tensor, block: int) -> Tensor:
    """Undo `_to_blocks`."""
    number = IMAGE_SIZE // block
    return (
        blocks.reshape(number, number, block, block).transpose(1, 2).reshape(IMAGE_SIZE, IMAGE_SIZE)
    )
