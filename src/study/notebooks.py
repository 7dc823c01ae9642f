"""Run the notebooks from top to bottom and keep their outputs.

bash run.sh notebooks             all of them, in full; their outputs are replaced
bash run.sh notebooks --quick     with less data, to see that they run; nothing is written
"""

import argparse
import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from tqdm import tqdm

from errors import DataError, DigitsError
from model.checkpoint import write_atomically
from model.config import REPOSITORY
from model.data.mnist import load_mnist

NOTEBOOKS = REPOSITORY / "notebooks"
LARGEST = 2_000_000  # bytes of a notebook with its outputs
PATIENCE = 1200  # seconds for one cell


def run(path: Path) -> NotebookNode:
    """Run all cells of a notebook in a fresh kernel, in the notebook's own folder.

    Raises:
        DataError: a cell fails; the message has its code and its error.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=PATIENCE,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    print(f"Running {path.name}", flush=True)
    with tqdm(total=len(notebook.cells), desc=path.name, unit="cell", disable=None) as bar:
        client.on_cell_complete = lambda **_: bar.update()
        try:
            client.execute()
        except CellExecutionError as error:
            raise DataError(f"{path.name} does not run:\n{error}") from error
    return notebook


def without_traces(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook without traces of this run: times, versions, progress, folders."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        for output in cell.outputs:
            if "text" in output:
                output.text = output.text.replace(f"{REPOSITORY}{os.sep}", "")
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook atomically.

    Raises:
        DataError: it is larger than LARGEST.
    """
    text = nbformat.writes(notebook) + "\n"
    if len(text) > LARGEST:
        raise DataError(
            f"{path.name} would have {len(text) / 1e6:.1f} MB with its outputs; at most "
            f"{LARGEST / 1e6:g} MB are wanted. Make its figures smaller."
        )
    write_atomically(path, lambda file: file.write(text.encode()))
    print(f"{path.name}: {len(text) / 1e6:.1f} MB")


def main(arguments: list[str] | None = None) -> int:
    """Run the notebooks; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="run.sh notebooks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="with less data, nothing is written")
    parser.add_argument("notebooks", nargs="*", type=Path, help="(all)")
    options = parser.parse_args(arguments)
    if options.quick:
        os.environ["NOTEBOOKS_QUICK"] = "1"  # which the notebooks read
    try:
        load_mnist()  # what has to be downloaded is then there for all of them
        for path in options.notebooks or sorted(NOTEBOOKS.glob("*.ipynb")):
            notebook = run(path.resolve())
            if not options.quick:
                write(without_traces(notebook), path)
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
