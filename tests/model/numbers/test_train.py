from itertools import islice

import numpy as np
import pytest
import torch

from errors import DigitsError
from model.card import LineCard
from model.numbers import train as training
from model.numbers.compose import Composer
from model.numbers.line import LINE_HEIGHT, LineNetwork
from model.numbers.network import LineNet
from model.numbers.train import Lines, Recipe, to_onnx, train

RECIPE = Recipe(steps=6, batch_size=4)


@pytest.fixture(scope="module")
def composer(few_digits) -> Composer:
    return Composer(few_digits.training, seed=0, synthetic=100, signs=50)


def stopped():
    """Lines held back, on whose first reading a person stops the training."""
    raise KeyboardInterrupt
    yield


def test_a_stopped_training_goes_on_to_the_weights_of_an_uninterrupted_one(
    composer, tmp_path, monkeypatch
):
    held_back = list(islice(Lines(composer, RECIPE, first_step=2**40), 1))
    whole = train(composer, held_back, RECIPE, tmp_path / "whole")
    monkeypatch.setattr(training, "REPORT_EVERY", 3)
    with pytest.raises(KeyboardInterrupt):
        train(composer, stopped(), RECIPE, tmp_path / "part")
    resumed = train(composer, held_back, RECIPE, tmp_path / "part")
    torch.testing.assert_close(resumed.state_dict(), whole.state_dict())


def test_a_checkpoint_of_another_recipe_is_refused_with_what_to_do(composer, tmp_path):
    path = tmp_path / "checkpoint"
    torch.save({"recipe": {"steps": 9}, "step": 3}, path)
    with pytest.raises(DigitsError, match="Delete it, or give its --steps and --seed"):
        train(composer, [], RECIPE, path)


def test_the_onnx_file_gives_the_networks_own_probabilities(tmp_path):
    torch.manual_seed(0)
    network = LineNet(channels=(4, 4, 4, 4, 8)).eval()
    numbers = dict.fromkeys(("parameters", "slope", "intercept", "threshold"), 1)
    entries = {name: {} for name in ("data", "training", "results", "versions")}
    card = LineCard(name="line", version="0.0.1", **numbers, **entries)
    path = tmp_path / "mnist-line-0.0.1.onnx"
    path.write_bytes(to_onnx(network, card, b"weights"))
    served = LineNetwork.load(path)
    assert served.card == card
    for width in (16, 40, 320):
        line = np.random.default_rng(width).integers(256, size=(LINE_HEIGHT, width), dtype=np.uint8)
        with torch.inference_mode():
            wanted = network(torch.from_numpy(line / np.float32(255))[None, None]).softmax(dim=-1)
        assert served.probabilities(line) == pytest.approx(wanted[0].numpy(), abs=1e-5)
