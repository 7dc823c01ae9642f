"""Keep a better model that a training run is about to replace."""

import shutil
from pathlib import Path

from errors import ModelFileError
from model.checkpoint import ModelCard, read_card


def keep_previous(path: Path, new: ModelCard) -> str | None:
    """Copy the model at ``path`` to ``previous/`` if it is better than the new one.

    Better: its card says more training pictures or a higher test accuracy.

    Returns:
        A line for the user: what is replaced, both accuracies, how to bring it back; or None.
    """
    if not path.exists():
        return None
    previous = path.parent / "previous"
    try:
        old = read_card(path)
        old_size, old_accuracy = old["data"]["training"], old["results"]["test_accuracy"]
        accuracy = f"{old_accuracy:.2%}, {old_size} training pictures"
    except (ModelFileError, KeyError, TypeError, ValueError):
        accuracy = "its card cannot be read"  # nothing says that it is worse: keep it
    else:
        size, new_accuracy = new["data"]["training"], new["results"]["test_accuracy"]
        if old_size <= size and old_accuracy <= new_accuracy:
            return None
    previous.mkdir(exist_ok=True)
    for file in path.parent.glob(f"{path.stem}*"):
        if file.is_file() and file.name.startswith((f"{path.stem}.", f"{path.stem}-")):
            shutil.copy2(file, previous / file.name)
    return (
        f"Replaced a model ({accuracy}) by this one ({new['results']['test_accuracy']:.2%}, "
        f"{new['data']['training']} training pictures); bring it back with: "
        f"cp {previous}/{path.stem}* {path.parent}/"
    )
