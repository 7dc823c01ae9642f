"""The study's loop: it trains what is missing, counts errors and can be stopped."""

import copy
import io

import numpy as np
import pytest
import torch
from PIL import Image
from tests.support.pictures import random_digits

from model.config import REPOSITORY, Recipe
from model.data.batches import Batches
from model.data.mnist import make_permutation
from model.networks import MLP
from model.preprocessing.normalize import preprocess
from model.train import predict_logits, train
from study.measure import (
    drawn_sets,
    measure,
    pixel_permutation,
    preprocessed,
    read_results,
    train_run,
)
from study.plan import IN_ORDER, PERMUTED, SMALL_MLP, Run

TRAINING, VALIDATION, TEST = (random_digits(count, count) for count in (60, 20, 30))
RUN = Run("mlp", IN_ORDER, 0, "none", images=60, epochs=1, seed=0)
OTHER = Run(SMALL_MLP, PERMUTED, 1, "none", images=60, epochs=1, seed=1)


def weights(run: Run) -> torch.Tensor:
    parameters = train_run(run, TRAINING, VALIDATION).parameters()
    return torch.cat([parameter.detach().flatten() for parameter in parameters])


def test_each_network_has_a_row_with_its_errors_on_each_test_set(tmp_path):
    path = tmp_path / "new" / "comparison.csv"
    measure([RUN, OTHER], TRAINING, VALIDATION, {"noise": TEST, "more": VALIDATION}, path)
    table = read_results(path)
    assert table["network"].tolist() == ["mlp", "mlp", "mlp, small", "mlp, small"]
    assert table["test_set"].tolist() == ["more", "noise"] * 2
    for run, row in zip((RUN, OTHER), table[1::2].itertuples(), strict=True):
        permutation = pixel_permutation(run, TRAINING)
        network = train_run(run, TRAINING, VALIDATION)
        read = predict_logits(network, TEST.images, permutation).argmax(1)
        assert (row.digits, row.errors) == (30, int((read != TEST.labels).sum()))


def test_what_was_measured_is_kept_when_the_study_stops_and_is_not_measured_again(tmp_path):
    path = tmp_path / "comparison.csv"
    with pytest.raises(KeyError):
        measure([RUN, RUN._replace(network="none")], TRAINING, VALIDATION, {"noise": TEST}, path)
    first = path.read_text()
    assert len(first.splitlines()) == 2
    measure([RUN, OTHER], TRAINING, VALIDATION, {"noise": TEST}, path)
    assert path.read_text().startswith(first)
    assert read_results(path)["network"].tolist() == ["mlp", "mlp, small"]
    measure([RUN], TRAINING, VALIDATION, {"noise": TEST, "more": VALIDATION}, path)
    assert read_results(path)["test_set"].tolist() == ["more", "noise", "noise"]


def test_the_same_run_gives_the_same_network_and_another_seed_or_order_another():
    assert torch.equal(weights(RUN), weights(RUN))
    for other in (RUN._replace(seed=1), RUN._replace(pixels=PERMUTED)):
        assert not torch.equal(weights(RUN), weights(other))


def test_an_mlp_cannot_tell_permuted_pixels_from_ordered_ones():
    """Its first layer's columns permuted alike, it is trained to the same answers.

    So training and test permute in the same way, and augmentation comes before the permutation.
    """
    permutation = make_permutation(0)
    in_order = MLP(hidden=(16, 8), dropout=0.0)
    permuted = copy.deepcopy(in_order)
    with torch.no_grad():
        permuted.layers[1].weight.copy_(in_order.layers[1].weight[:, permutation])
    recipe = Recipe(epochs=3, batch_size=20, synthetic_fraction=0.0, outlier_ratio=0.0)
    untrained = predict_logits(in_order, TEST.images)
    answers = []
    for network, pixels in ((in_order, None), (permuted, permutation)):
        batches = Batches(TRAINING, None, recipe, "slight", seed=0)
        train(network, batches, VALIDATION, recipe, pixels)
        answers.append(predict_logits(network, TEST.images, pixels))
    torch.testing.assert_close(*answers, atol=1e-3, rtol=0)
    assert not torch.allclose(answers[0], untrained, atol=1e-2)


def test_a_folder_of_pictures_is_read_preprocessed_and_only_resized():
    sets = drawn_sets([REPOSITORY / "data" / "digits"])
    assert list(sets) == ["digits", "digits, resized"]
    assert all(digits.labels.tolist() == list(range(10)) for digits in sets.values())
    data = (REPOSITORY / "data" / "digits" / "7.png").read_bytes()
    assert np.array_equal(sets["digits"].images[7], preprocess(data).image)
    canvas = np.asarray(Image.open(io.BytesIO(data)).convert("L"), dtype=float)
    block_means = canvas.reshape(28, 10, 28, 10).mean(axis=(1, 3))
    difference = sets["digits, resized"].images[7].double().numpy() - block_means
    assert np.abs(difference).mean() < 3  # of 255: the contrast is stretched a little


def test_a_picture_that_cannot_be_preprocessed_is_misread_and_stops_nothing():
    assert not preprocessed(b"no picture").any()
