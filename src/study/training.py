"""Train one run of the study, by the training loop that trains the models."""

import numpy as np
import torch
from sklearn.model_selection import train_test_split

from model.data.loader import Batches
from model.data.mnist import Digits, Mnist
from model.registry import Network
from model.train import fit
from model.training.distributed import choose_device, choose_precision
from study.permutations import pixel_permutation
from study.runs import SMALL_EPOCH, Run


def train_run(run: Run, mnist: Mnist) -> Network:
    """Return the trained network, in evaluation mode on the CPU; the test set is not looked at."""
    device = choose_device("auto")
    permutation = pixel_permutation(run.pixels)
    images = choose_images(mnist.training, run)
    torch.manual_seed(run.seed)
    # Augmentation comes first, in the batches, and `fit` permutes afterwards: to rotate or to
    # shift an image whose pixels are permuted already would mean something else.
    network, _ = fit(
        run.build().to(device),
        Batches(images, run.recipe, run.batch_augmentation, run.seed, device=device),
        mnist.validation,
        run.recipe,
        permutation=None if permutation is None else permutation.to(device),
        precision=choose_precision("auto", device),
    )
    return network.cpu().eval()


def choose_images(training: Digits, run: Run) -> Digits:
    """Return an epoch's images, each digit in proportion; a few come repeatedly."""
    if run.images >= len(training):
        return training
    chosen, _ = train_test_split(
        np.arange(len(training)),
        train_size=run.images,
        stratify=training.labels,
        random_state=run.seed,
    )
    repeats = max(1, min(SMALL_EPOCH, len(training)) // run.images)
    return training[torch.from_numpy(chosen).repeat(repeats)]
