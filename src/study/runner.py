"""Run the cells of a command: those that are not finished, with progress over all of them."""

from dataclasses import dataclass
from pathlib import Path

import torch

from study.comparison import Comparison, describe, read_comparison
from study.corruptions import LEVELS, measure_robustness
from study.permutations import pixel_permutation
from study.progress import Meter
from study.runs import COST, READING_COST, Cell, robustness
from study.store import Result, Store
from study.strokes import Recordings
from study.training import accuracy, is_served, leave_permuted_model, train_cell

EXTRAS = ("recordings_accuracy", "robustness")  # measured on some networks, after training


@dataclass
class Study:
    """Where finished cells lie, and how others are trained.

    Attributes:
        store: finished cells, and the data they are trained on.
        device, precision: what computes the training, and how.
        most_doublings: how often a cell that has not levelled off is trained twice as long.
        recordings: pen strokes for every network to read, if there are any.
    """

    store: Store
    device: torch.device
    precision: str
    most_doublings: int
    recordings: Recordings | None = None

    def run(self, name: str, cells: list[Cell], with_robustness: bool = False) -> dict[str, Result]:
        """Finish all cells and what is measured on their networks; return results by key."""
        training = len(self.store.mnist.training)
        tried = {cell.key for cell in robustness()} if with_robustness else set()
        missing = [cell for cell in cells if self.store.load(cell) is None]
        unmeasured = [cell for cell in cells if cell.key in tried and not self._is_tried(cell)]
        work = [cell.cost(training) for cell in missing]
        work += [self._robustness_cost(cell) for cell in unmeasured]
        print(f"{name}: {len(cells)} cells, {len(cells) - len(missing)} of them finished before")
        with Meter(name, len(work), sum(work)) as meter:
            for cell in missing:
                self._train(cell, meter)
            for cell in unmeasured:
                meter.begin(f"changed pictures for {cell.title}")
                network = self.store.network(cell)
                changed = measure_robustness(network, self.store.mnist.test)
                self._extend(cell, {"robustness": changed})
                meter.advance(self._robustness_cost(cell))
                meter.finish(f"changed pictures for {cell.title}")
        if self.recordings is not None:
            for cell in cells:
                self._read_recordings(cell, self.recordings)
        return {cell.key: self._finished(cell) for cell in cells}

    def leave_permuted_models(self, cells: list[Cell], output: Path) -> None:
        """Save the permuted networks of the first seed as models that can be served."""
        for cell in filter(is_served, cells):
            leave_permuted_model(cell, self.store, self._finished(cell), output)

    def merge(self, results: dict[str, Result], known: list[Cell], path: Path) -> Comparison:
        """Return these results and those of other commands that `path` has, if they are valid."""
        common, old = describe(self.store.mnist), {}
        if path.is_file():
            before = read_comparison(path)
            common |= {key: before.common[key] for key in ("recordings",) if key in before.common}
            old = {
                cell.key: before.cells[cell.key]
                for cell in known
                if cell.key in before.cells
                and before.cells[cell.key]["fingerprint"] == self.store.fingerprint(cell)
            }
            dropped = set(before.cells) - set(old) - set(results)
            if dropped:
                print(f"Settings have changed since {len(dropped)} results in {path}: dropped.")
            lost = [
                key
                for key, result in results.items()
                if {*before.cells.get(key, {})} & {*EXTRAS} - {*result}
            ]
            if lost:
                print(
                    f"{len(lost)} networks were trained anew and lose what was measured on their "
                    "forerunners: give --drawn FILE, or run --axes, to measure it again."
                )
        if self.recordings is not None:
            common["recordings"] = self.recordings.describe()
        return Comparison(common, {**old, **results})

    def _train(self, cell: Cell, meter: Meter) -> None:
        training = len(self.store.mnist.training)
        a_step = cell.cost(training) / cell.steps(training)
        meter.begin(cell.title)
        network, result = train_cell(
            cell,
            self.store.mnist,
            self.device,
            self.precision,
            self.most_doublings,
            on_step=lambda: meter.advance(a_step),
        )
        self.store.save(cell, result, network)
        longer = "" if result["epochs"] == cell.epochs else f" instead of {cell.epochs}"
        meter.finish(
            f"{cell.title}: {result['test_accuracy']:.2%} of the test pictures, "
            f"{result['epochs']} epochs{longer}, {result['seconds']:.0f} s"
        )

    def _read_recordings(self, cell: Cell, recordings: Recordings) -> None:
        if self._finished(cell).get("recordings") == recordings.sha256:
            return
        permutation = pixel_permutation(cell.pixels)
        part = accuracy(self.store.network(cell), recordings.digits, permutation)
        self._extend(cell, {"recordings": recordings.sha256, "recordings_accuracy": part})

    def _finished(self, cell: Cell) -> Result:
        result = self.store.load(cell)
        if result is None:
            raise RuntimeError(f"{cell.key} is not finished")
        return result

    def _extend(self, cell: Cell, more: Result) -> None:
        self.store.save(cell, {**self._finished(cell), **more})

    def _is_tried(self, cell: Cell) -> bool:
        result = self.store.load(cell)
        return result is not None and "robustness" in result

    def _robustness_cost(self, cell: Cell) -> float:
        pictures = sum(map(len, LEVELS.values())) * len(self.store.mnist.test)
        return READING_COST * COST[cell.registry_name] * pictures / 1000
