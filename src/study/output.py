"""Write what a run found: results, tables, figures, the README's section."""

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from model.checkpoint import write_atomically
from model.evaluate import save_figure
from study import axes_figures, figures
from study.cells import DEFAULT_NETWORKS
from study.comparison import FILE_NAME, Comparison, write_comparison
from study.report import full_report, update_readme
from study.store import Store
from study.tables import networks_in

PATCHES_PICTURE = 0  # the test picture (a 7) that the figure of the patches shows


def write_outputs(comparison: Comparison, store: Store, output: Path, *, axes: bool) -> None:
    """Write comparison.json, comparison.md and the figures of grid or axes into `output`."""
    write_comparison(comparison, output / FILE_NAME)
    _write_tables(comparison, output)
    test = store.mnist.test
    drawings: dict[str, Callable[[], Figure]]
    if axes:
        picture = test.images[PATCHES_PICTURE]
        drawings = {
            "patches": lambda: axes_figures.plot_patches(comparison, picture),
            "training-size": lambda: axes_figures.plot_sizes(comparison),
            "robustness": lambda: axes_figures.plot_robustness(comparison),
        }
    else:
        drawings = {
            "accuracy": lambda: figures.plot_accuracy(comparison),
            "learning-curves": lambda: figures.plot_learning_curves(comparison),
            "permuted-digits": lambda: figures.plot_permuted_digits(test),
        }
        if set(DEFAULT_NETWORKS) <= set(networks_in(comparison)):
            drawings |= {
                "confusion-matrices": lambda: figures.plot_confusions(comparison, test.labels),
                "misread-digits": lambda: figures.plot_misread(comparison, test),
            }
        if all(map(store.has_network, figures.cells_with_filters())):
            drawings["filters"] = lambda: figures.plot_filters(store.network)
    (output / "figures").mkdir(exist_ok=True)
    for name, draw in drawings.items():
        save_figure(draw(), output / "figures" / f"{name}.png")
    print(f"Results: {output / FILE_NAME}, comparison.md and figures/ beside it")


def write_report(comparison: Comparison, output: Path, readme: Path) -> None:
    """Write the tables into `output` and the README's section of results."""
    _write_tables(comparison, output)
    update_readme(readme, comparison)
    print(f"Tables: {output / 'comparison.md'}; results in {readme}")


def _write_tables(comparison: Comparison, output: Path) -> None:
    text = full_report(comparison)
    write_atomically(output / "comparison.md", lambda file: file.write(text.encode()))
