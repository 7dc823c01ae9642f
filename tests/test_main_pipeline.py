"""The pipeline's command line: refused options, interrupts at any time, several processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import main_pipeline
from model.checkpoint import load_checkpoint

SOURCES = Path(main_pipeline.__file__).parent
TIMEOUT = 180  # seconds after which processes that wait for each other are given up


@pytest.fixture(autouse=True)
def interrupts():
    """Ctrl-C arrives, also where the tests run in the background, where a shell ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def old_model(trained, tmp_path):
    """The files of a model that lies in ``tmp_path``, where the pipeline will write."""
    shutil.copytree(trained("mlp", "--epochs", "1", "--seed", "1"), tmp_path, dirs_exist_ok=True)
    return files(tmp_path)


@pytest.mark.parametrize(
    "wrong", ["nosuch", "cnn --epochs 0", "cnn --seed -1", "cnn --augment wild", ""]
)
def test_a_wrong_command_line_ends_with_the_usage_and_status_2(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        main_pipeline.main(wrong.split())
    assert ended.value.code == 2
    assert "usage: bash run.sh cnn" in capsys.readouterr().err


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize(
    ("options", "complaint", "advice"),
    [
        (["--output", "a file/models"], "--output a file/models", "choose another folder"),
        (["--device", "nonsense"], "--device nonsense", "Give auto"),
        (["--device", "cuda:99"], "--device cuda:99", "Give auto"),
        (["--version", "1.0"], "--version 1.0", "such as 0.0.1"),
        (["--strokes", "mine.jsonl", "--no-synthetic"], "", "omit --no-synthetic"),
    ],
)
def test_an_option_that_cannot_be_fulfilled_is_refused_before_data_and_training(
    tmp_path, monkeypatch, capsys, options, complaint, advice, processes
):
    def forbidden(*arguments):
        raise AssertionError("it went on")

    monkeypatch.setattr("model.training.pipeline.load_mnist", forbidden)
    monkeypatch.setattr("main_pipeline.launch", forbidden)
    monkeypatch.chdir(tmp_path)
    Path("a file").touch()
    arguments = ["cnn", "--output", str(tmp_path), "--processes", processes, *options]
    assert main_pipeline.main(arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {complaint}")
    assert advice in line


@pytest.mark.parametrize(
    ("strokes", "said"),
    [([], "nowhere"), (["--strokes", "lost.jsonl"], "lost.jsonl cannot be read")],
)
def test_data_that_is_not_there_is_one_line_and_strokes_are_read_first(
    tmp_path, capsys, strokes, said
):
    missing = str(tmp_path / "nowhere")
    assert main_pipeline.main(["cnn", "--data", missing, "--output", str(tmp_path), *strokes]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert said in line


@pytest.mark.parametrize(
    "moment",
    [
        "model.training.pipeline.load_mnist",
        "model.train.F.cross_entropy",
        "model.training.pipeline.calibrate",
        "model.training.plots.save_figure",
        "torch.save",
    ],
)
def test_an_interrupt_at_any_moment_leaves_the_old_model_whole(
    old_model, with_few_digits, tmp_path, monkeypatch, capsys, moment
):
    def interrupted(*arguments, **options):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(moment, interrupted)
    assert main_pipeline.main(["mlp", "--epochs", "1", "--output", str(tmp_path)]) == 130
    assert files(tmp_path) == old_model
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []
    assert "Stopped" in capsys.readouterr().err


def test_an_interrupt_while_the_files_move_leaves_the_new_model_whole(
    old_model, with_few_digits, tmp_path, monkeypatch
):
    move = Path.replace

    def interrupted(self, target):
        if "previous" in str(target):
            signal.raise_signal(signal.SIGINT)
        return move(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    arguments = ["mlp", "--epochs", "1", "--output", str(tmp_path), "--seed", "2"]
    assert main_pipeline.main(arguments) == 130
    assert load_checkpoint(tmp_path / "mnist-mlp-0.0.1.pt").card["training"]["seed"] == 2


# --- Several processes ----------------------------------------------------------------------------


def start(*arguments):
    command = [sys.executable, str(SOURCES / "main_pipeline.py"), "mlp", "--processes", "2"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*command, *arguments], env=environment, text=True, **pipes)


def test_two_processes_train_and_one_of_them_logs_and_saves(tmp_path):
    process = start("--data", "sample", "--epochs", "1", "--output", str(tmp_path))
    output, errors = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, errors) == (0, "")
    assert output.count("mlp epoch 1/1") == 1
    assert output.count("written to") == 1
    card = json.loads((tmp_path / "mnist-mlp-0.0.1.json").read_text())
    assert card["training"]["processes"] == 2
    assert card["data"]["complete"] is False


@pytest.fixture
def training(tmp_path):
    """Training whose first epoch is done, and the ids of its two processes."""
    if sys.platform != "linux":
        pytest.skip("no /proc: run it on Linux")
    process = start("--data", "sample", "--output", str(tmp_path))
    if not any("epoch 1/" in line for line in process.stdout):
        raise AssertionError(process.stderr.read())
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return process, list(map(int, children.split()))


def test_if_one_of_two_processes_is_killed_there_is_one_message(training):
    process, workers = training
    os.kill(workers[1], signal.SIGKILL)
    _, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 1
    assert errors.splitlines() == ["error: process 1 of 2 was ended by SIGKILL"]
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_an_interrupt_ends_both_processes_and_nothing_is_written(training, tmp_path):
    process, workers = training
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130
    assert errors.splitlines() == ["", "Stopped; no model was left half-written."]
    assert list(tmp_path.iterdir()) == []
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
