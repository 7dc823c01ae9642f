"""Data-parallel training: two real processes reach what one reaches."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.model.training import distributed_jobs
from tests.support.pictures import random_digits

from errors import OptionError
from model.mlp import MLP
from model.train import accuracy, predict_logits
from model.training.distributed import choose_device, choose_precision

REPOSITORY = Path(__file__).resolve().parents[3]
TIMEOUT = 180  # seconds after which processes that wait for each other are given up


def load(path: Path) -> dict[str, Any]:
    return torch.load(path, weights_only=True)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one process reaches, by network."""
    folder = tmp_path_factory.mktemp("alone")
    distributed_jobs.main(folder)
    return load(folder / "0.pt")


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], str]:
    """What each of two processes reaches, by network, and what they complained of."""
    folder = tmp_path_factory.mktemp("together")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    result = subprocess.run(
        [*command, distributed_jobs.__file__, str(folder)],
        check=True,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}/src:{REPOSITORY}", "OMP_NUM_THREADS": "1"},
        timeout=TIMEOUT,
        capture_output=True,
        text=True,
    )
    return [load(folder / f"{rank}.pt") for rank in (0, 1)], result.stderr


@pytest.mark.parametrize("name", distributed_jobs.NAMES)
def test_two_processes_reach_the_loss_and_gradients_of_one(name, alone, together):
    expected, found = alone[name]["step"], together[0][0][name]["step"]
    assert found["loss"] == pytest.approx(expected["loss"], abs=1e-5)
    assert expected["gradients"].keys() == found["gradients"].keys()
    for key, gradient in expected["gradients"].items():
        assert gradient.abs().max() > 1e-5, f"{key} has no gradient to compare"
        torch.testing.assert_close(found["gradients"][key], gradient, rtol=0, atol=1e-5)


def test_two_processes_fit_one_network_which_is_that_of_one_process(alone, together):
    first, second = (results["mlp"]["weights"] for results in together[0])
    assert all(torch.equal(first[name], second[name]) for name in first)

    images = random_digits(500, seed=1).images
    logits = []
    for state in (alone["mlp"]["weights"], first):
        network = MLP()
        network.load_state_dict(state)
        logits.append(predict_logits(network, images))
    assert logits[0].std() > 0.1
    assert accuracy(logits[0], logits[1].argmax(dim=1)) > 0.98


def test_if_the_first_process_fails_the_other_ends_without_a_word(together):
    assert [results["end"] for results in together[0]] == [
        "ValueError('process 0 went on')",
        "SystemExit(1)",
    ]


def test_a_convolution_is_laid_out_before_the_processes_share_it(together):
    """Else torch warns that the strides of gradients and buckets differ."""
    assert "strides" not in together[1]


@pytest.mark.parametrize(
    ("avx512", "amx", "precision"),
    [(False, False, "float32"), (True, False, "bfloat16"), (False, True, "bfloat16")],
)
def test_bf16_is_chosen_where_the_processor_computes_it(monkeypatch, avx512, amx, precision):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert choose_precision("auto", torch.device("cpu")) == precision
    assert choose_precision("float32", torch.device("cpu")) == "float32"


@pytest.mark.parametrize("wanted", ["nonsense", "meta", "cuda:99"])
def test_a_device_that_cannot_be_used_is_refused_with_what_to_give(wanted):
    with pytest.raises(OptionError, match=f"--device {wanted} .*Give auto"):
        choose_device(wanted)
    assert choose_device("cpu") == torch.device("cpu")
