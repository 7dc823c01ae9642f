"""Run the study: train what is not finished, measure on its networks what was not measured."""

from dataclasses import dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from model.train import test
from study.corruptions import measure_robustness
from study.permutations import pixel_permutation
from study.results import Comparison, Result, describe, read_comparison
from study.runs import Run, robustness
from study.store import Store
from study.strokes import StrokeSet
from study.training import export_permuted_model, is_served, train_run


@dataclass
class Study:
    """Where finished runs lie, and how others are trained.

    Attributes:
        store: finished runs, and the data they are trained on.
        device, precision: what computes the training, and how.
        max_doublings: how often a run that has not levelled off is trained twice as long.
        strokes: pen strokes for every network to classify, if there are any.
    """

    store: Store
    device: torch.device
    precision: str
    max_doublings: int
    strokes: StrokeSet | None = None

    def run(self, runs: list[Run], with_robustness: bool = False) -> dict[str, Result]:
        """Finish all runs and what is measured on their networks; return results by key."""
        corrupted = {run.key for run in robustness()} if with_robustness else set()
        finished = sum(self.store.load(run) is not None for run in runs)
        print(f"{len(runs)} runs, {finished} of them finished before", flush=True)
        results = {}
        for run in tqdm(runs, unit="run", disable=None):
            result = self.store.load(run) or self._train(run)
            more: Result = {}
            if self.strokes is not None and result.get("recordings") != self.strokes.sha256:
                network, permutation = self.store.network(run), pixel_permutation(run.pixels)
                accuracy = test(network, self.strokes.digits, permutation=permutation)[1]
                more = {"recordings": self.strokes.sha256, "recordings_accuracy": accuracy}
            if run.key in corrupted and "robustness" not in result:
                network = self.store.network(run)
                more["robustness"] = measure_robustness(network, self.store.mnist.test)
            results[run.key] = self.store.save(run, {**result, **more}) if more else result
        return results

    def _train(self, run: Run) -> Result:
        network, result = train_run(
            run, self.store.mnist, self.device, self.precision, self.max_doublings
        )
        tqdm.write(
            f"{run.title}: {result['test_accuracy']:.2%} of the test images, "
            f"{result['epochs']} epochs, {result['seconds']:.0f} s"
        )
        return self.store.save(run, result, network)

    def export(self, runs: list[Run], results: dict[str, Result], output: Path) -> None:
        """Save the permuted networks of the first seed as models that can be served."""
        for run in filter(is_served, runs):
            network, result = self.store.network(run), results[run.key]
            export_permuted_model(run, network, self.store.mnist, result, output)

    def merge(self, results: dict[str, Result], path: Path) -> Comparison:
        """Return these results and those of other commands that `path` has, if they are valid."""
        common, earlier = describe(self.store.mnist), {}
        if path.is_file():
            before = read_comparison(path)
            common |= {key: before.common[key] for key in ("recordings",) if key in before.common}
            earlier = {
                key: result
                for key, result in before.cells.items()
                if result["fingerprint"] == self.store.fingerprint(Run(**result["cell"]))
            }
            if dropped := before.cells.keys() - earlier.keys() - results.keys():
                print(f"Settings have changed since {len(dropped)} results in {path}: dropped.")
        if self.strokes is not None:
            samples = len(self.strokes.samples)
            file = {"file": self.strokes.file, "sha256": self.strokes.sha256, "count": samples}
            common["recordings"] = file
        return Comparison(common, {**earlier, **results})
