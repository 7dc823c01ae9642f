"""Train a network and test it: the place to start reading."""

import time

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from model.config import WARM_UP, Recipe
from model.data.batches import Batches
from model.data.mnist import Digits, standardize


def train(
    network: nn.Module,
    batches: Batches,
    validation: Digits,
    recipe: Recipe,
    permutation: Tensor | None = None,
) -> list[dict[str, float]]:
    """Train a network by a recipe; print a line for each epoch and return what they reached.

    The network ends with the moving average of its weights. Validation loss and accuracy (0-1) are
    those of the average.
    """
    network.to(memory_format=torch.channels_last)  # several times faster on a CPU
    peak, weights = recipe.learning_rate, network.parameters()
    optimizer = AdamW(weights, lr=peak, weight_decay=recipe.weight_decay)
    # The rate rises to its peak, then falls to nearly 0; a warm-up of one step would divide by 0.
    steps, warm_up = recipe.epochs * len(batches), WARM_UP + 1e-9
    schedule = OneCycleLR(optimizer, peak, total_steps=steps, pct_start=warm_up)
    # The moving average over the steps (Polyak and Juditsky, 1992) classifies better than the last
    # step, and no epoch has to be chosen.
    average = AveragedModel(network, use_buffers=True)
    bfloat16 = has_bfloat16(batches.device)
    step, history = 0, []
    for number in range(1, recipe.epochs + 1):
        started = time.perf_counter()
        network.train()
        loss_sum, count = torch.zeros((), device=batches.device), 0
        for images, targets in tqdm(batches, f"epoch {number}", leave=False, disable=None):
            # Pixels are permuted after augmentation: a permuted image cannot be turned.
            x = standardize(images, permutation)
            with torch.autocast(x.device.type, torch.bfloat16, enabled=bfloat16):
                logits = network(x)
            loss = F.cross_entropy(logits.float(), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
            # A short memory at first, so that the average soon forgets the untrained weights
            decay = min(recipe.ema_decay, (1 + step) / (10 + step))
            average.multi_avg_fn = get_ema_multi_avg_fn(decay)
            average.update_parameters(network)
            # A tensor: to ask for its value in every step would make a GPU wait.
            loss_sum, count = loss_sum + loss.detach() * len(x), count + len(x)
        validation_loss, reached = test(average.module, validation, permutation)
        epoch = {
            "number": number,
            "training_loss": loss_sum.item() / count,
            "validation_loss": validation_loss,
            "validation_accuracy": reached,
            "seconds": time.perf_counter() - started,
        }
        history.append(epoch)
        print(
            f"epoch {number}/{recipe.epochs}: loss {epoch['training_loss']:.3f}, "
            f"validation {reached:.2%}, {epoch['seconds'] * (recipe.epochs - number):.0f} s left",
            flush=True,
        )
    network.load_state_dict(average.module.state_dict())
    return history


def test(
    network: nn.Module, digits: Digits, permutation: Tensor | None = None
) -> tuple[float, float]:
    """Return mean cross-entropy and accuracy (0-1) of a network on digits."""
    logits = predict_logits(network, digits.images, permutation)
    return F.cross_entropy(logits, digits.labels).item(), accuracy(logits, digits.labels)


@torch.inference_mode()
def predict_logits(network: nn.Module, images: Tensor, permutation: Tensor | None = None) -> Tensor:
    """Return the logits (N, 10), on the CPU, of images (N, 28, 28) uint8."""
    network.eval()
    device = next(network.parameters()).device
    parts = [part.to(device).unsqueeze(1).float().div_(255) for part in images.split(1000)]
    return torch.cat([network(standardize(part, permutation)).float().cpu() for part in parts])


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Return the fraction (0-1) of correct predictions; logits (N, 10), labels (N,)."""
    return (logits.argmax(dim=1) == labels).double().mean().item()


def has_bfloat16(device: torch.device) -> bool:
    """Return whether the hardware computes bfloat16 itself; emulated, it is many times slower."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    known = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))
