"""Data-parallel training: two real processes reach what one reaches."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from errors import OptionError
from model.mlp import MLP
from model.train import accuracy, predict_logits
from model.training.distributed import choose_device, choose_precision

HERE = Path(__file__).parent
SOURCES = Path(__file__).resolve().parents[3] / "src"
TIMEOUT = 180  # seconds after which processes that wait for each other are given up


def run(script, processes, *arguments):
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone"]
        command += [f"--nproc-per-node={processes}"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, str(HERE / script), *map(str, arguments)],
        check=True,
        env=environment,
        timeout=TIMEOUT,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_two_processes_reach_the_loss_and_gradients_of_one(name, tmp_path):
    paths = [tmp_path / "alone.pt", tmp_path / "together.pt"]
    for processes, path in enumerate(paths, start=1):
        run("distributed_step.py", processes, name, path)
    alone, together = (torch.load(path, weights_only=True) for path in paths)
    assert together["loss"] == pytest.approx(alone["loss"], abs=1e-5)
    assert alone["gradients"].keys() == together["gradients"].keys()
    for key, gradient in alone["gradients"].items():
        assert gradient.abs().max() > 1e-5, f"{key} has no gradient to compare"
        torch.testing.assert_close(together["gradients"][key], gradient, rtol=0, atol=1e-5)


def test_two_processes_fit_one_network_which_is_that_of_one_process(tmp_path):
    weights = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        run("distributed_fit.py", processes, "mlp", folder)
        weights += [torch.load(path, weights_only=True) for path in sorted(folder.glob("*.pt"))]
    alone, first, second = weights
    assert all(torch.equal(first[name], second[name]) for name in first)

    images = torch.randint(256, (500, 28, 28), generator=torch.Generator().manual_seed(1)).byte()
    logits = []
    for state in (alone, first):
        network = MLP()
        network.load_state_dict(state)
        logits.append(predict_logits(network, images))
    assert logits[0].std() > 0.1
    assert accuracy(logits[0], logits[1].argmax(dim=1)) > 0.98


def test_a_convolution_is_laid_out_before_the_processes_share_it(tmp_path):
    """Else torch warns that the strides of gradients and buckets differ."""
    result = run("distributed_fit.py", 2, "cnn", tmp_path)
    assert "strides" not in result.stderr


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
