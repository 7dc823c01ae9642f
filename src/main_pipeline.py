"""Train a network: load data, train, calibrate, evaluate and save it.

bash run.sh cnn                         the CNN -> models/mnist-0.0.1.pt
bash run.sh mlp --epochs 5 --seed 1     the MLP, five epochs, another seed
bash run.sh cnn --permute 0             pixels permuted -> models/mnist-cnn-permuted-0.0.1.pt
bash run.sh cnn --data sample           on 5,000 digits, without any download
bash run.sh cnn --processes 2           data-parallel on this machine
bash run.sh cnn --strokes mine.jsonl    with your own drawings among the data
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from arguments import at_least
from errors import DigitsError
from model.config import AUGMENTATION, MODELS_DIR, RECIPES, VERSION
from model.data.augment import AUGMENTATIONS
from model.registry import NETWORKS
from model.training.distributed import PRECISIONS
from model.training.options import Options, check

GRACE_SECONDS = 5  # for a worker to end when it is told to


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; exits with status 2 and the usage on a wrong one."""
    parser = argparse.ArgumentParser(
        prog="run.sh",
        usage="bash run.sh cnn|mlp|deep [OPTIONS]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    epochs = ", ".join(f"{name}: {recipe.epochs}" for name, recipe in RECIPES.items())
    add("network", choices=NETWORKS)
    add("--epochs", type=at_least(1), help=f"passes over the data ({epochs})")
    add("--seed", type=at_least(0), default=0, help="of weights, order and augmentation (0)")
    sources = "auto, mnist, sample (5,000 digits) or a directory with MNIST's four files (auto)"
    add("--data", default="auto", help=sources)
    changes = f"random changes of the images ({AUGMENTATION})"
    add("--augment", choices=AUGMENTATIONS, default=AUGMENTATION, help=changes)
    permuted = "permute the 784 pixels, the same way for all"
    add("--permute", type=at_least(0), metavar="SEED", help=permuted)
    drawings = "drawings to train on as well, as often as on synthetic digits"
    add("--strokes", type=Path, metavar="FILE", help=drawings)
    add("--no-synthetic", action="store_true", help="train on MNIST's digits alone")
    add("--version", default=VERSION, help=f"of the model that is written ({VERSION})")
    add("--output", type=Path, default=MODELS_DIR, help="directory to write to (models)")
    add("--device", default="auto", help="auto, cpu, cuda or mps (auto)")
    precision = "of the forward pass; auto takes bfloat16 where the processor computes it (auto)"
    add("--precision", choices=PRECISIONS, default="auto", help=precision)
    processes = "train data-parallel in as many processes (1)"
    add("--processes", type=at_least(1), default=1, help=processes)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the pipeline; return the exit status."""
    chosen = vars(parse(arguments))
    processes = chosen.pop("processes")
    is_worker = "RANK" in os.environ
    try:
        if is_worker:  # whoever started this process ends it by SIGTERM
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        options = Options(**chosen)
        check(options)
        if processes > 1 and not is_worker:
            return launch(processes, sys.argv[1:] if arguments is None else arguments)
        from model.training.pipeline import run  # it takes seconds to import, a refusal none

        run(options)
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        if not is_worker:
            print("\nStopped; no model was left half-written.", file=sys.stderr)
        return 130
    return 0


def launch(processes: int, arguments: list[str]) -> int:
    """Run this pipeline in several processes of this machine, as ``torchrun`` would.

    One that fails ends the others, and so does Ctrl-C. Unlike ``torchrun`` this reports nothing
    but what they say themselves.

    Returns:
        0, or 1 if one failed.
    """
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": str(processes), "MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
    environment = {"OMP_NUM_THREADS": "1", **os.environ, **shared}
    workers: list[subprocess.Popen[bytes]] = []
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        for rank in map(str, range(processes)):
            # A session of its own: Ctrl-C reaches this process alone, which then ends the others.
            worker = subprocess.Popen(
                [sys.executable, __file__, *arguments],
                env={**environment, "RANK": rank, "LOCAL_RANK": rank},
                start_new_session=True,
            )
            workers.append(worker)
        statuses: list[int | None] = [None]
        while None in statuses and not any(statuses):
            time.sleep(0.1)
            statuses = [worker.poll() for worker in workers]
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            try:
                worker.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:  # it waits inside torch, deaf to signals
                worker.kill()
                worker.wait()
    for index, status in enumerate(statuses):
        if status and status < 0:
            name = signal.Signals(-status).name
            print(f"error: process {index} of {processes} was ended by {name}", file=sys.stderr)
    return int(any(statuses))


if __name__ == "__main__":
    sys.exit(main())
