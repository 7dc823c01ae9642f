"""Find the order of permuted pixels again, from images without labels.

Pixels that lie together tend to have ink together. N. Le Roux, Y. Bengio, P. Lamblin, M. Joliveau
and B. Kegl showed that this is enough to lay them out ("Learning the 2-D topology of images",
NIPS 2007). Here a grid grows from one pixel. What comes out is in order up to quarter turns, a
mirror image and a shift: the images alone cannot tell these.
"""

from itertools import product

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from sklearn.manifold import Isomap
from torch import Tensor

from model.config import IMAGE_SIZE

IMAGES = 10_000  # that are looked at
RARE = 0.003  # a pixel that has ink in fewer images misleads more than it tells
RIDGE = 0.03  # added to the diagonal: without it the inverse amplifies noise
DIAGONAL = 0.2  # the weight of a pixel across a corner, beside 1 of one across a side
NEIGHBOURS = [(y, x) for y, x in product((-1, 0, 1), repeat=2) if y or x]
CELLS = np.array([*product(range(IMAGE_SIZE), repeat=2)])


def recover(images: Tensor, isomap: bool = False) -> Tensor:
    """Return the layout (784,) of permuted images (N, 784): images[:, layout] are in order."""
    pixels, correlation, partial = compare(images)
    places = embed(correlation) if isomap else grow(correlation, partial)[0]
    return torch.from_numpy(lay_out(pixels, places))


def compare(images: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tell which pixels of images (N, 784) have ink together.

    Returns the pixels (n,) that have ink often enough, their correlations (n, n), and their partial
    correlations (n, n): what two pixels share beyond all the others.
    """
    pixels = torch.nonzero((images > 0).float().mean(dim=0) >= RARE).flatten().numpy()
    correlation = torch.corrcoef(images[:, pixels].T.double()).numpy()
    inverse = np.linalg.inv(correlation + RIDGE * np.eye(len(pixels)))
    scale = np.sqrt(np.diag(inverse))
    partial = -inverse / np.outer(scale, scale)
    np.fill_diagonal(partial, 0)
    return pixels, correlation, partial


def grow(correlation: np.ndarray, partial: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lay one pixel after the other, each time the one that fits best into a cell.

    Returns the row and column (n, 2) of each pixel, from any origin, and the sequence (n,) in which
    the pixels were laid.
    """
    count, size = len(partial), 3 * IMAGE_SIZE
    fit = np.zeros((count, size, size))  # of each pixel to each cell, by the cells around it
    is_free = np.pad(np.ones((size - 2, size - 2), bool), 1)  # the rim stays empty
    is_next = np.zeros((size, size), bool)  # free, and at the side of one that is not
    places, sequence = np.zeros((count, 2), int), np.zeros(count, int)
    # The first pixel is the one whose fourth neighbour is surest.
    pixel, cell = int(np.sort(partial)[:, -4].argmax()), (size // 2, size // 2)
    for step in range(count):
        places[pixel], sequence[step] = cell, pixel
        fit[pixel], is_free[cell], is_next[cell] = -np.inf, False, False
        for down, right in NEIGHBOURS:
            near = cell[0] + down, cell[1] + right
            if down and right:
                fit[:, *near] += DIAGONAL * correlation[pixel]
            else:
                fit[:, *near] += partial[pixel]
                is_next[near] = is_free[near]
        cells = np.argwhere(is_next)
        pixel, number = divmod(int(fit[:, is_next].argmax()), len(cells))
        cell = cells[number][0], cells[number][1]
    return places, sequence


def embed(correlation: np.ndarray) -> np.ndarray:
    """Return places (n, 2) by Isomap, to compare: J. B. Tenenbaum et al., Science 290, 2000.

    Its map is turned to the axes and enlarged to one pixel in each cell. Then the pixels are
    assigned to cells, all of them as near as possible.
    """
    # "dense" because the other solvers start from random numbers
    isomap = Isomap(n_neighbors=4, metric="precomputed", eigen_solver="dense")
    points = isomap.fit_transform(1 - correlation) @ np.array([1, 1j])
    # Steps to neighbours go in four directions. To the fourth power they are one direction.
    steps = points[isomap.nbrs_.kneighbors(return_distance=False)] - points[:, None]
    points = (points - points.mean()) * np.exp(-0.25j * np.angle(np.sum(steps**4)))
    # n cells in a square lie sqrt(n / 6) from its centre, by the root of the mean square.
    points *= np.sqrt(len(points) / 6) / points.std()
    away = np.stack([points.real, points.imag], 1)[:, None] + (IMAGE_SIZE - 1) / 2 - CELLS
    return CELLS[linear_sum_assignment((away**2).sum(axis=2))[1]]


def lay_out(pixels: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return which pixel lies in each cell (784,), with the places in the image's middle.

    Other pixels, and those that would lie outside, fill the cells that are left.
    """
    centred = places - places.mean(axis=0).round().astype(int) + IMAGE_SIZE // 2
    kept = ((centred >= 0) & (centred < IMAGE_SIZE)).all(axis=1)
    layout = np.full((IMAGE_SIZE, IMAGE_SIZE), -1)
    layout[*centred[kept].T] = pixels[kept]
    layout[layout < 0] = np.setdiff1d(np.arange(IMAGE_SIZE**2), pixels[kept])
    return layout.ravel()
