"""The pipeline: load, preprocess, build, train, evaluate, save.

bash run.sh cnn                         the CNN -> models/mnist-0.0.1.pt
bash run.sh mlp --epochs 5 --seed 1     the MLP, five epochs, another seed
bash run.sh cnn --permute 0             pixels permuted -> models/mnist-cnn-permuted-0.0.1.pt
bash run.sh cnn --data sample           on 5,000 digits, without any download
bash run.sh cnn --processes 2           data-parallel by torchrun
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from errors import DigitsError
from model.config import AUGMENTATION, DATA_DIR, MODELS_DIR, VERSION
from model.data.augment import AUGMENTATIONS
from model.registry import NETWORKS
from model.training.pipeline import Options, run
from model.training.precision import PRECISIONS


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; exits with status 2 and the usage on a wrong one."""
    parser = argparse.ArgumentParser(
        prog="run.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--epochs", type=positive, help="passes over the data (the recipe's)")
    parser.add_argument(
        "--seed", type=int, default=0, help="of weights, order and augmentation (0)"
    )
    parser.add_argument(
        "--data",
        default="auto",
        help="auto, mnist, sample (5,000 digits) or a directory with MNIST's four files (auto)",
    )
    parser.add_argument(
        "--augment", choices=AUGMENTATIONS, default=AUGMENTATION, help=f"({AUGMENTATION})"
    )
    parser.add_argument(
        "--permute", type=int, metavar="SEED", help="permute the 784 pixels, the same way for all"
    )
    parser.add_argument(
        "--no-synthetic", action="store_true", help="train on MNIST's pictures alone"
    )
    parser.add_argument(
        "--version", default=VERSION, help=f"of the model that is written ({VERSION})"
    )
    parser.add_argument(
        "--output", type=Path, default=MODELS_DIR, help="directory to write to (models)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (auto)")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto", help="(auto)")
    parser.add_argument(
        "--processes",
        type=positive,
        default=1,
        help="train data-parallel in as many processes (1)",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the pipeline; return the exit status."""
    options = parse(arguments)
    if options.processes > 1 and "RANK" not in os.environ:
        return launch(options.processes, sys.argv[1:] if arguments is None else arguments)
    try:
        run(Options(**{**vars(options), "data_dir": DATA_DIR}))
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; nothing was written.", file=sys.stderr)
        return 130
    return 0


def launch(processes: int, arguments: list[str]) -> int:
    """Start this pipeline again under ``torchrun`` in several processes of this machine."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += [f"--nproc-per-node={processes}", __file__, *arguments]
    # torchrun would say that it sets one thread a process; set here, it is our choice.
    environment = {"OMP_NUM_THREADS": "1", **os.environ}
    return subprocess.run(command, env=environment, check=False).returncode


def positive(text: str) -> int:
    """Return the number that an argument gives; argparse reports one below 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
