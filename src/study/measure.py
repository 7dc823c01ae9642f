"""Train the networks of the study and count what they misread."""

import contextlib
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm import tqdm

from errors import DataError, ImageError
from model.card import write_atomically
from model.config import IMAGE_SIZE, RECIPES
from model.data.batches import Batches
from model.data.mnist import Digits, make_permutation
from model.data.pictures import content, draw_pictures, load_pictures, resize_plainly
from model.data.strokes import read_strokes
from model.networks import NETWORKS
from model.preprocessing.normalize import preprocess
from model.train import predict_logits, train
from study.pixel_order import IMAGES, recover
from study.plan import IN_ORDER, ISOMAP, PERMUTED, RESIZED, SERVED, SMALL_HIDDEN, SMALL_MLP, Run


def measure(
    runs: list[Run], training: Digits, validation: Digits, sets: dict[str, Digits], path: Path
) -> None:
    """Train the networks whose results on a test set the file lacks; write it after each."""
    results: list[Any] = pd.read_csv(path).to_dict("records") if path.is_file() else []
    done = {tuple(row[name] for name in (*Run._fields, "test_set")) for row in results}
    path.parent.mkdir(parents=True, exist_ok=True)
    for run in tqdm(runs, unit="network", disable=None):
        missing = [name for name in sets if (*run, name) not in done]
        if not missing:
            continue
        started = time.perf_counter()
        network = train_run(run, training, validation)
        seconds = round(time.perf_counter() - started, 1)
        permutation = pixel_permutation(run, training)
        for name in missing:
            read = predict_logits(network, sets[name].images, permutation).argmax(dim=1)
            errors = int((read != sets[name].labels).sum())
            counts = {"test_set": name, "digits": len(read), "errors": errors, "seconds": seconds}
            results.append({**run._asdict(), **counts})
        write_atomically({path: pd.DataFrame(results).to_csv(index=False).encode()})


def read_results(path: Path) -> pd.DataFrame:
    """Return the table that `measure` wrote, with a column `misread` in %."""
    if not path.is_file():
        raise DataError(f"There is no {path}: make it by `bash run.sh compare`.")
    table = pd.read_csv(path).sort_values([*Run._fields, "test_set"], ignore_index=True)
    return table.assign(misread=100 * table["errors"] / table["digits"])


def drawn_sets(paths: list[Path]) -> dict[str, Digits]:
    """Return the digits of each file of strokes or folder, preprocessed and only resized."""
    sets = {}
    for path in paths:
        found = load_pictures(path) if path.is_dir() else draw_pictures(read_strokes(path), 0)
        digits = found[found["label"].str.len() == 1]
        if digits.empty:
            raise DataError(f"{path} holds no single digit: name strokes or pictures of digits.")
        labels = torch.tensor(digits["label"].astype(int).to_list())
        for way, ending in ((preprocessed, ""), (resize_plainly, RESIZED)):
            name = path.name.partition(".")[0] + ending
            images = [way(content(data)) for data in tqdm(digits["data"], name, disable=None)]
            sets[name] = Digits(torch.from_numpy(np.stack(images)), labels)
    return sets


def preprocessed(data: bytes) -> np.ndarray:
    """Return the image (28, 28) that preprocessing makes; black if it cannot."""
    with contextlib.suppress(ImageError):
        return preprocess(data).image
    return np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)


def train_run(run: Run, training: Digits, validation: Digits) -> nn.Module:
    """Return the network of a run, trained by the loop that trains the models."""
    name = run.network.split(",")[0]
    recipe = replace(RECIPES[name], epochs=run.epochs)
    if run.augmentation != SERVED:
        recipe = replace(recipe, synthetic_fraction=0.0, outlier_ratio=0.0)
    augmentation = run.augmentation.split(" + ")[0]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    batches = Batches(training, None, recipe, augmentation, run.seed, device=device)
    torch.manual_seed(run.seed)
    size = {"hidden": SMALL_HIDDEN} if run.network == SMALL_MLP else {}
    network = NETWORKS[name](**size).to(device)
    with contextlib.redirect_stdout(None):  # the bar over all networks is enough
        train(network, batches, validation, recipe, pixel_permutation(run, training))
    return network


def pixel_permutation(run: Run, training: Digits) -> Tensor | None:
    """Return which pixel of an image (784,) the network sees at each place; None in order.

    A recovered one depends on the permutation's seed and the first training images alone.
    """
    if run.pixels == IN_ORDER:
        return None
    permutation = make_permutation(run.permutation)
    if run.pixels == PERMUTED:
        return permutation
    permuted = training.images[:IMAGES].flatten(1)[:, permutation]
    return permutation[recover(permuted, isomap=run.pixels == ISOMAP)]
