"""Data-parallel training: two real processes reach what one reaches."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

STEP = Path(__file__).with_name("distributed_step.py")
SOURCES = Path(__file__).resolve().parents[3] / "src"


def step(name, processes, path):
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone"]
        command += [f"--nproc-per-node={processes}"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, str(STEP), name, str(path)], check=True, env=environment)
    return torch.load(path, weights_only=True)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_two_processes_reach_the_loss_and_gradients_of_one(name, tmp_path):
    alone = step(name, 1, tmp_path / "alone.pt")
    together = step(name, 2, tmp_path / "together.pt")
    assert together["loss"] == pytest.approx(alone["loss"], abs=1e-5)
    assert alone["gradients"].keys() == together["gradients"].keys()
    for key, gradient in alone["gradients"].items():
        assert gradient.abs().max() > 1e-5, f"{key} has no gradient to compare"
        torch.testing.assert_close(together["gradients"][key], gradient, rtol=0, atol=1e-5)


def test_the_pipeline_trains_in_two_processes_and_one_of_them_logs_and_saves(tmp_path):
    command = [sys.executable, str(SOURCES / "main_pipeline.py"), "mlp", "--processes", "2"]
    command += ["--data", "sample", "--epochs", "1", "--output", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
    assert result.stdout.count("mlp epoch 1/1") == 1
    assert result.stdout.count("written to") == 1
    card = json.loads((tmp_path / "mnist-mlp-0.0.1.json").read_text())
    assert card["training"]["processes"] == 2
    assert card["data"]["complete"] is False
