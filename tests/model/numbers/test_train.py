import numpy as np
import pytest
import torch

from model.card import LineCard, write_atomically
from model.numbers import train as training
from model.numbers.compose import Composer
from model.numbers.line import LINE_HEIGHT, LineNetwork
from model.numbers.network import LineNet
from model.numbers.train import Recipe, to_onnx, train


def test_a_stopped_training_goes_on_to_the_weights_of_an_uninterrupted_one(
    few_digits, tmp_path, monkeypatch
):
    def stop(files):
        write_atomically(files)
        raise KeyboardInterrupt

    composer = Composer(few_digits.training, seed=0, synthetic=100, signs=50)
    recipe = Recipe(steps=6, batch_size=4)
    monkeypatch.setattr(training, "POOL", 2)
    whole = train(composer, recipe, tmp_path / "whole")
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 4)
    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        context.setattr(training, "write_atomically", stop)
        train(composer, recipe, tmp_path / "part")
    resumed = train(composer, recipe, tmp_path / "part")
    torch.testing.assert_close(resumed.state_dict(), whole.state_dict())


def test_the_onnx_file_gives_the_networks_own_probabilities(tmp_path):
    torch.manual_seed(0)
    network = LineNet(channels=(4, 4, 4, 4, 8)).eval()
    numbers = dict.fromkeys(("parameters", "slope", "intercept", "threshold"), 1)
    entries = {name: {} for name in ("data", "training", "results", "versions")}
    card = LineCard(name="line", version="0.0.1", **numbers, **entries)
    path = tmp_path / "mnist-line-0.0.1.onnx"
    path.write_bytes(to_onnx(network, card))
    served = LineNetwork.load(path)
    assert served.card == card
    for width in (16, 40, 320):
        line = np.random.default_rng(width).integers(256, size=(LINE_HEIGHT, width), dtype=np.uint8)
        with torch.inference_mode():
            wanted = network(torch.from_numpy(line / np.float32(255))[None, None]).softmax(dim=-1)
        assert served.probabilities(line) == pytest.approx(wanted[0].numpy(), abs=1e-5)
