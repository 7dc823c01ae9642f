"""Train the network for lines: ``bash run.sh line``.

Training can be stopped at any time. The same command goes on from the last checkpoint. One process
composes lines, another one trains. A seed always gives the same lines.
"""

import argparse
import io
import platform
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, IterableDataset
from tqdm import tqdm

from errors import BlankImageError, DigitsError
from model.card import LINE, LineCard, find_model, model_path, write_atomically
from model.classifier import Classifier, start
from model.config import MODELS_DIR, VERSION
from model.data.mnist import load_mnist
from model.export import package, replace_model, trace
from model.numbers import line
from model.numbers.compose import Composer
from model.numbers.line import LineNetwork
from model.numbers.network import LineNet
from model.numbers.read import NOT_A_NUMBER, read_numbers
from model.numbers.write import GAPS, Number, numbers_of_writers, synthetic_samples
from model.preprocessing.normalize import normalize
from model.readme import write_model_card
from model.train import has_bfloat16

Batch = tuple[Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Recipe:
    """How the network for lines is trained: AdamW with a one-cycle schedule."""

    steps: int = 18_000
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    ema_decay: float = 0.995
    warm_up: float = 0.2  # the part of all steps before the peak of the learning rate
    seed: int = 0


POOL = 16  # batches that are composed at once and sorted by width, so that little is padding
MAX_WIDTH = 320  # pixels; training cuts off what is longer
HELD_BACK = 32  # batches of lines from MNIST's validation part
CHECKPOINT_EVERY = 32 * POOL  # steps
CALIBRATION = 1000  # composed lines to calibrate with, and as many numbers of synthetic strokes
MAX_WRONG = 0.05  # of the accepted numbers; people's own numbers are easier than composed ones


class Lines(IterableDataset[Batch]):
    """Endless batches of composed lines; pool number n is the same in every run."""

    def __init__(self, composer: Composer, recipe: Recipe, pool: int = 0) -> None:
        self.composer, self.recipe, self.pool = composer, recipe, pool

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(1)
        size, pool = self.recipe.batch_size, self.pool
        while True:
            rng = np.random.default_rng([self.recipe.seed, pool])
            lines = [self.composer.compose(rng) for _ in range(POOL * size)]
            lines.sort(key=lambda composed: composed[0].shape[1])
            for first in rng.permutation(POOL) * size:
                yield collate(lines[first : first + size])
            pool += 1


def collate(lines: list[tuple[np.ndarray, list[int]]]) -> Batch:
    """Return lines (N, 1, 32, W) float32 in [0, 1], all classes in a row, and both lengths (N,)."""
    widths = [min(MAX_WIDTH, image.shape[1]) for image, _ in lines]
    images = torch.zeros(len(lines), 1, line.LINE_HEIGHT, -(-max(widths) // 8) * 8)
    for row, (image, _), width in zip(images, lines, widths, strict=True):
        row[0, :, :width] = torch.from_numpy(image[:, :width] / 255)
    classes = torch.tensor([number for _, numbers in lines for number in numbers], dtype=torch.long)
    lengths = torch.tensor([len(numbers) for _, numbers in lines])
    return images, classes, torch.tensor(widths) // line.STRIDE, lengths


def train(composer: Composer, recipe: Recipe, checkpoint: Path) -> nn.Module:
    """Train a network by CTC, from the checkpoint if there is one; return its moving average."""
    torch.manual_seed(recipe.seed)
    network = LineNet().to(memory_format=torch.channels_last)
    peak, total = recipe.learning_rate, max(recipe.steps + 1, 20)
    optimizer = AdamW(network.parameters(), peak, weight_decay=recipe.weight_decay)
    schedule = OneCycleLR(optimizer, peak, total_steps=total, pct_start=recipe.warm_up)
    ema = get_ema_multi_avg_fn(recipe.ema_decay)
    average = AveragedModel(network, multi_avg_fn=ema, use_buffers=True)
    parts: dict[str, Any] = {"network": network, "optimizer": optimizer}
    parts |= {"schedule": schedule, "average": average}
    done = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        done = saved["step"]
        for name, part in parts.items():
            part.load_state_dict(saved[name])
        print(f"going on from {checkpoint}, after step {done}", flush=True)
    lines_to_come = Lines(composer, recipe, done // POOL)
    batches = DataLoader(lines_to_come, batch_size=None, num_workers=1, prefetch_factor=POOL)
    bfloat16 = has_bfloat16(torch.device("cpu"))
    steps = tqdm(range(done + 1, recipe.steps + 1), initial=done, total=recipe.steps, disable=None)
    for step, (lines, classes, columns, lengths) in zip(steps, batches, strict=False):
        network.train()
        torch.manual_seed(recipe.seed * 2**32 + step)  # dropout is the same after a stop
        lines = lines.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            logits = network(lines)
        log_p = logits.float().log_softmax(dim=-1).transpose(0, 1)
        loss = F.ctc_loss(log_p, classes, columns, lengths, zero_infinity=True)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        average.update_parameters(network)
        if step % CHECKPOINT_EVERY == 0:
            state = {name: part.state_dict() for name, part in parts.items()}
            write_atomically({checkpoint: to_bytes({"step": step, **state})})
            print(f"step {step}/{recipe.steps}: loss {loss.item():.3f}", flush=True)
    return average.module.eval()


def to_bytes(state: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


@torch.inference_mode()
def accuracy(network: nn.Module, batches: list[Batch]) -> float:
    """Return the share (0-1) of lines whose likeliest classes by column spell the line."""
    right = []
    for lines, classes, columns, lengths in batches:
        best = network(lines).argmax(dim=-1)
        for row, count, wanted in zip(best, columns, classes.split(lengths.tolist()), strict=True):
            spelled = row[:count].unique_consecutive()
            right.append(torch.equal(spelled[spelled != line.BLANK], wanted))
    return sum(right) / len(right)


def to_onnx(network: nn.Module, card: LineCard) -> bytes:
    """Return the contents of an ``.onnx`` file, from lines (N, 1, 32, W) to probabilities."""
    served = nn.Sequential(network, nn.Softmax(dim=-1)).eval()
    sizes = {0: torch.export.Dim("N"), 3: 8 * torch.export.Dim("W8")}
    lines = torch.zeros(2, 1, line.LINE_HEIGHT, 2 * line.LINE_HEIGHT)
    program = trace(served, lines, [line.PROBABILITIES], sizes)
    return package(program.model_proto, card.model_dump_json())


def calibrate(
    classifier: Classifier, network: LineNetwork, composer: Composer, seed: int
) -> dict[str, float]:
    """Return slope, intercept and threshold of the confidence in a number; see ``LineCard``.

    They are fitted to composed lines, and to numbers of synthetic strokes. Nothing was trained on
    these. The card of ``network`` must leave confidences as they are: slope 1, intercept 0.
    """
    rng = np.random.default_rng([seed, 2**40])
    numbers = []
    for _ in range(CALIBRATION):
        image, classes = composer.compose(rng)
        digits = "".join(str(number - line.FIRST_DIGIT) for number in classes)
        text = None if line.OTHER in classes else digits
        numbers.append(Number(text, np.pad(image, line.SIDE)))
    samples = synthetic_samples(CALIBRATION, seed + 1)
    for gaps in GAPS.values():
        numbers += numbers_of_writers(samples, CALIBRATION // 2, gaps, seed)
    odds, right = [], []
    for number in tqdm(numbers, "calibrating", disable=None):
        with suppress(BlankImageError):
            read = read_numbers(classifier, network, normalize(Image.fromarray(number.image)))
            if len(read) == 1 and len(read[0].digits) > 1 and read[0].reason != NOT_A_NUMBER:
                share = np.clip(read[0].confidence, line.TINY, 1 - line.TINY)
                odds.append(np.log(share / (1 - share)))
                right.append("".join(str(one.digit) for one in read[0].digits) == number.text)
    order = np.argsort(odds)[::-1]
    wrong = np.cumsum(~np.array(right, bool)[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(wrong <= MAX_WRONG)
    if len(enough) == 0 or all(right):
        raise DigitsError("The network reads too few numbers to be calibrated: give more --steps.")
    fitted = LogisticRegression(C=np.inf).fit(np.reshape(odds, (-1, 1)), right)
    slope, intercept = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    threshold = float(1 / (1 + np.exp(-slope * odds[order[enough[-1]]] - intercept)))
    return {"slope": slope, "intercept": intercept, "threshold": threshold}


def main(arguments: list[str] | None = None) -> int:
    """Train, calibrate and save the network for lines; return the exit status."""
    parser = argparse.ArgumentParser("run.sh line", description=__doc__)
    add, steps = parser.add_argument, Recipe.steps
    add("--steps", type=int, default=steps, help="batches of 64 lines (%(default)s)")
    add("--seed", type=int, default=0, help="of weights and lines (0)")
    add("--data", default="auto", help="as of run.sh cnn (auto)")
    add("--output", type=Path, default=MODELS_DIR, help="folder to write to (models)")
    options = parser.parse_args(arguments)
    if options.steps < 1 or options.seed < 0:
        parser.error("--steps: give 1 or more; --seed: give 0 or more")
    try:
        run(Recipe(steps=options.steps, seed=options.seed), options.data, options.output)
    except (DigitsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from the last checkpoint.", file=sys.stderr)
        return 130
    return 0


def run(recipe: Recipe, data: str, folder: Path) -> None:
    """Train, calibrate with the cnn as the judge of digits, and save."""
    classifier, mnist = Classifier.load(find_model("cnn")), load_mnist(data)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / f"line-{recipe.steps}-{recipe.seed}.checkpoint"
    network = train(Composer(mnist.training, recipe.seed), recipe, checkpoint)
    unseen = Composer(mnist.validation, recipe.seed + 1)
    right = accuracy(network, list(islice(Lines(unseen, recipe, pool=2**36), HELD_BACK)))
    weights = to_bytes(network.state_dict())
    card = LineCard(
        name=LINE,
        version=VERSION,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        data={"source": mnist.source, "training": len(mnist.training)},
        training=asdict(recipe),
        results={"lines_held_back": right},
        slope=1.0,
        intercept=0.0,
        threshold=0.0,
        versions={"python": platform.python_version(), "torch": torch.__version__},
    )
    plain = LineNetwork(start(to_onnx(network, card)), card)
    card = card.model_copy(update=calibrate(classifier, plain, unseen, recipe.seed))
    path = model_path(LINE, VERSION, folder)
    served = to_onnx(network, card)
    replace_model(path, {path.with_suffix(".pt").name: weights, path.name: served})
    write_model_card(folder)
    checkpoint.unlink(missing_ok=True)
    print(f"{right:.2%} of the lines held back are read; written to {path}")


if __name__ == "__main__":
    sys.exit(main())
