"""The comparison of training speeds times both ways on the same images and tells the ratio."""

import torch
from tests.support.pictures import random_digits

from bench.train import BaselineImages, measure, table
from model.data.mnist import Digits


def test_baseline_and_pipeline_are_timed_and_the_ratio_is_told():
    result = measure("mlp", random_digits(512), rounds=1)
    assert {"baseline loop, float32", "pipeline, float32"} <= set(result["seconds"])
    assert all(0 < seconds < float("inf") for seconds in result["seconds"].values())


def test_the_table_tells_how_many_times_faster():
    seconds = {"baseline loop, float32": 90.0, "pipeline, float32": 30.0, "pipeline, bf16": 12.0}
    lines = table({"network": "cnn", "threads": 2, "seconds": seconds}).splitlines()
    assert [line.split("|")[3].strip() for line in lines[2:]] == ["1.0", "3.0", "7.5"]


def test_the_baseline_normalises_as_the_pipeline_does():
    digits = Digits(torch.zeros(1, 28, 28, dtype=torch.uint8), torch.tensor([3]))
    x, label = BaselineImages(digits)[0]
    torch.testing.assert_close(x, torch.full((1, 28, 28), -0.1307 / 0.3081))
    assert label == 3
