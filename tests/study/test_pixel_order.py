"""The order of permuted pixels is found again."""

import numpy as np
import pytest
import torch

from model.data.mnist import load_mnist, make_permutation
from study.pixel_order import compare, embed, grow, lay_out, recover


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
    permutation = make_permutation(1)
    layout = recover(images[:, permutation], isomap)
    assert sorted(layout.tolist()) == list(range(784))
    inked = compare(images)[0]
    assert true_neighbours(permutation.numpy(), inked) < 0.02
    assert true_neighbours(permutation[layout].numpy(), inked) >= least


def test_the_permutation_does_not_change_what_is_found(images):
    """The images alone count: no order of the pixels is easier than another."""
    pixels, *kinship = compare(images)
    permutation = make_permutation(2)
    permuted, *permuted_kinship = compare(images[:, permutation])
    places = dict(zip(pixels.tolist(), grow(*kinship)[0].tolist(), strict=True))
    found = grow(*permuted_kinship)[0].tolist()
    assert dict(zip(permutation[permuted].tolist(), found, strict=True)) == places


def test_the_grid_grows_from_cell_to_cell_beside(images):
    _, correlation, partial = compare(images)
    places, sequence = grow(correlation, partial)
    assert sorted(sequence.tolist()) == list(range(len(places)))
    assert len(np.unique(places, axis=0)) == len(places)
    laid = places[sequence]
    for number in range(1, len(laid)):
        assert (np.abs(laid[:number] - laid[number]).sum(axis=1) == 1).any()


def test_isomap_gives_each_pixel_a_cell_and_the_same_each_time(images):
    _, correlation, _ = compare(images)
    places = embed(correlation)
    assert np.array_equal(places, embed(correlation))
    assert len(np.unique(places, axis=0)) == len(places)


def test_places_are_centred_and_what_has_none_fills_the_rest():
    layout = lay_out(np.array([5, 7, 9]), np.array([[50, 50], [50, 51], [90, 50]])).reshape(28, 28)
    assert sorted(layout.ravel()) == list(range(784))
    row, column = np.argwhere(layout == 5)[0]
    assert layout[row, column + 1] == 7
