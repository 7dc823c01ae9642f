"""The order of permuted pixels is found again."""

import numpy as np
import pytest
import torch

from model.data.mnist import load_mnist, make_permutation
from study.pixel_order import compare, embed, grow, lay_out


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return load_mnist("sample").training.images.flatten(1)


def true_neighbours(layout: np.ndarray, inked: np.ndarray) -> float:
    """The part of cells side by side, both inked, whose pixels lie side by side in the image."""
    cells = layout.reshape(28, 28)
    beside = [(cells[1:], cells[:-1]), (cells[:, 1:], cells[:, :-1])]
    first, second = np.hstack([(one.ravel(), other.ravel()) for one, other in beside])
    both = np.isin(first, inked) & np.isin(second, inked)
    distance = abs(first // 28 - second // 28) + abs(first % 28 - second % 28)
    return (distance[both] == 1).mean()


@pytest.mark.parametrize(("isomap", "least"), [(False, 0.9), (True, 0.5)])
def test_pixels_side_by_side_are_found_side_by_side(images, isomap, least):
    permutation = make_permutation(1).numpy()
    pixels, correlation, partial = compare(images[:, permutation])
    places = embed(correlation) if isomap else grow(correlation, partial)[0]
    assert len(np.unique(places, axis=0)) == len(pixels)
    layout = lay_out(pixels, places)
    assert sorted(layout) == list(range(784))
    inked = permutation[pixels]
    assert true_neighbours(permutation, inked) < 0.02
    assert true_neighbours(permutation[layout], inked) >= least


def test_what_is_found_depends_on_the_images_alone_and_not_on_the_permutation(images):
    permutation = make_permutation(2).numpy()
    found = []
    for order in (np.arange(784), permutation):
        pixels, *relations = compare(images[:, order])
        places, sequence = grow(*relations)
        found.append([(order[pixels[one]], *places[one]) for one in sequence])
    assert found[0] == found[1]


def test_places_are_centred_and_what_has_none_fills_the_rest():
    layout = lay_out(np.array([5, 7, 9]), np.array([[50, 50], [50, 51], [90, 50]])).reshape(28, 28)
    assert sorted(layout.ravel()) == list(range(784))
    row, column = np.argwhere(layout == 5)[0]
    assert layout[row, column + 1] == 7
