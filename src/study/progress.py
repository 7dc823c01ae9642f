"""Progress over all cells of a command: a bar on a terminal, a plain line a cell elsewhere."""

import sys
import time

from tqdm import tqdm


class Meter:
    """Counts work in rough seconds, whose true speed it learns as it goes; a context manager."""

    def __init__(self, name: str, cells: int, work: float) -> None:
        self.name, self.cells, self.work = name, cells, work
        self.finished, self.done = 0, 0.0
        self.started = time.perf_counter()
        self.bar = tqdm(
            total=work,
            desc=name,
            disable=not sys.stderr.isatty(),
            dynamic_ncols=True,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left",
        )

    def __enter__(self) -> "Meter":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the bar."""
        self.bar.close()

    def begin(self, what: str) -> None:
        """Name the cell that is under way."""
        self.bar.set_description(f"{self.name} {self.finished + 1}/{self.cells}: {what}")

    def advance(self, work: float) -> None:
        """Count some work of the cell that is under way."""
        self.done += work
        if self.done > self.work:  # a cell that is trained longer than planned
            self.work = self.bar.total = self.done
        self.bar.update(work)

    def finish(self, what: str) -> None:
        """Report a finished cell and the time left."""
        self.finished += 1
        elapsed = time.perf_counter() - self.started
        left = elapsed * (self.work / self.done - 1) if self.done else 0.0
        line = f"[{self.finished}/{self.cells}] {what}; about {_minutes(left)} left"
        if self.bar.disable:
            print(line, flush=True)
        else:
            self.bar.write(line)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
