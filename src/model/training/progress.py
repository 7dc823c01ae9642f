"""Progress of training: a bar on a terminal, one plain line an epoch elsewhere."""

import sys
import time
from types import TracebackType
from typing import Self

from tqdm import tqdm

from model.train import Epoch


class Progress:
    """Shows epoch, loss, validation accuracy and the time left; a context manager."""

    def __init__(self, name: str, epochs: int, steps: int, *, quiet: bool = False) -> None:
        self.name, self.epochs = name, epochs
        self.quiet = quiet
        self.bar = tqdm(
            total=epochs * steps,
            desc=name,
            unit="step",
            dynamic_ncols=True,
            disable=quiet or not sys.stderr.isatty(),
        )
        self.started = time.perf_counter()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the bar."""
        self.bar.close()

    def step(self) -> None:
        """Count one step."""
        self.bar.update()

    def epoch(self, epoch: Epoch) -> None:
        """Show what an epoch reached."""
        shown = f"loss {epoch.training_loss:.3f}, validation {epoch.validation_accuracy:.2%}"
        self.bar.set_description(f"{self.name} epoch {epoch.number}/{self.epochs}, {shown}")
        if not self.quiet and self.bar.disable:
            elapsed = time.perf_counter() - self.started
            left = elapsed / epoch.number * (self.epochs - epoch.number)
            number = f"{self.name} epoch {epoch.number}/{self.epochs}"
            print(f"{number}: {shown}, {epoch.seconds:.0f} s, {left:.0f} s left", flush=True)
