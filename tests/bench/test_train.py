"""The comparison of training speeds runs both ways on the same pictures and tells the ratio."""

import torch

from bench.train import PlainPictures, measure, table
from model.data.mnist import Digits
from model.training.distributed import choose_precision


def test_both_ways_are_timed_and_compared(monkeypatch):
    images = torch.randint(256, (512, 28, 28), generator=torch.Generator().manual_seed(0))
    training = Digits(images.to(torch.uint8), torch.arange(512) % 10)
    mnist = type("Mnist", (), {"training": training})
    monkeypatch.setattr("bench.train.load_mnist", lambda source: mnist)
    result = measure("mlp", pictures=512, rounds=1, data="auto")
    names = {"float32", choose_precision("auto", torch.device("cpu"))}
    assert set(result["seconds"]) == {"plain loop, float32", *(f"ours, {name}" for name in names)}
    assert all(0 < seconds < float("inf") for seconds in result["seconds"].values())


def test_the_table_tells_how_many_times_faster():
    seconds = {"plain loop, float32": 90.0, "ours, float32": 30.0, "ours, bfloat16": 12.0}
    lines = table({"network": "cnn", "seconds": seconds}).splitlines()
    assert [line.split("|")[3].strip() for line in lines[2:]] == ["1.0", "3.0", "7.5"]


def test_the_plain_pictures_are_normalised_like_ours(monkeypatch):
    digits = Digits(torch.zeros(1, 28, 28, dtype=torch.uint8), torch.tensor([3]))
    picture, label = PlainPictures(digits)[0]
    torch.testing.assert_close(picture, torch.full((1, 28, 28), -0.1307 / 0.3081))
    assert label == 3
