"""Write what a run found: results, tables, figures, the README's section."""

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from model.checkpoint import write_atomically
from model.training.plots import save_figure
from study import figures, sweep_figures
from study.comparison import FILE_NAME, Comparison, write_comparison
from study.report import full_report, update_readme
from study.runs import DEFAULT_NETWORKS, HANDWRITING, Cell
from study.store import Store
from study.tables import PIXELS, has_patches, has_sizes, robustness_tables, seeds_of

PATCHES_PICTURE = 0  # the test picture (a 7) that the figure of the patches shows


def write_outputs(comparison: Comparison, store: Store, output: Path) -> None:
    """Write comparison.json, comparison.md and the figures of what it has into `output`."""
    write_comparison(comparison, output / FILE_NAME)
    _write_tables(comparison, output)
    test = store.mnist.test
    drawings: dict[str, Callable[[], Figure]] = {
        "accuracy": lambda: figures.plot_accuracy(comparison),
        "learning-curves": lambda: figures.plot_learning_curves(comparison),
        "permuted-digits": lambda: figures.plot_permuted_digits(test),
    }
    if _has_all(comparison, DEFAULT_NETWORKS, "none"):
        drawings["confusion-matrices"] = lambda: figures.plot_confusions(comparison, test.labels)
    if _has_all(comparison, ("cnn",), HANDWRITING):
        drawings["misread-digits"] = lambda: figures.plot_misread(comparison, test)
    shown = comparison.results(figures.cells_with_filters())
    if len(shown) == len(figures.cells_with_filters()) and all(
        store.has_network(Cell(**result["cell"])) for result in shown
    ):
        drawings["filters"] = lambda: figures.plot_filters(store.network)
    if has_patches(comparison):
        picture = test.images[PATCHES_PICTURE]
        drawings["patches"] = lambda: sweep_figures.plot_patches(comparison, picture)
    if has_sizes(comparison):
        drawings["training-size"] = lambda: sweep_figures.plot_sizes(comparison)
    if robustness_tables(comparison):
        drawings["robustness"] = lambda: sweep_figures.plot_robustness(comparison)
    (output / "figures").mkdir(exist_ok=True)
    for name, draw in drawings.items():
        figure = draw()
        save_figure(figure, output / "figures" / f"{name}.png")
        plt.close(figure)
    print(f"Results: {output / FILE_NAME}, comparison.md and figures/ beside it")


def _has_all(comparison: Comparison, networks: Sequence[str], augmentation: str) -> bool:
    """Whether there are results of these networks both in order and permuted."""
    return all(
        comparison.results(seeds_of(network, pixels, augmentation))
        for network in networks
        for pixels in PIXELS
    )


def write_report(comparison: Comparison, output: Path, readme: Path) -> None:
    """Write the tables into `output` and the README's section of results."""
    _write_tables(comparison, output)
    update_readme(readme, comparison)
    print(f"Tables: {output / 'comparison.md'}; results in {readme}")


def _write_tables(comparison: Comparison, output: Path) -> None:
    text = full_report(comparison)
    write_atomically(output / "comparison.md", lambda file: file.write(text.encode()))
