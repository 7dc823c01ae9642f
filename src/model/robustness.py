"""What harmless changes of a picture cost: how many pictures are no longer read with each."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from tqdm import tqdm

from model.data.changes import CHANGES, changed
from model.data.pictures import content

KINDS = {False: "digits", True: "numbers"}  # by whether the label has several digits

Read = Callable[[str, bytes], tuple[str, bool, np.ndarray | None]]


def lost_by_changes(found: pd.DataFrame, read: Read) -> pd.DataFrame:
    """Change the pictures that are read right and accepted, and read them again.

    Args:
        found: pictures with the columns label, data and good.
        read: from the label and the content of a file to what is read, and whether it is accepted.

    Returns:
        A row for each picture and change: change, kind, lost, and misread (accepted as another).
    """
    good = found[found["good"] & (found["label"] != "")]
    labels = tqdm(good["label"], "changing", disable=None)
    rows = []
    for label, data in zip(labels, map(content, good["data"]), strict=True):
        for name, change in CHANGES.items():
            text, accepted, _ = read(label, changed(data, change))
            right = text == label
            rows.append(
                (name, KINDS[len(label) > 1], not (right and accepted), accepted and not right)
            )
    return pd.DataFrame(rows, columns=["change", "kind", "lost", "misread"])


def page_of_changes(command: str, lost: pd.DataFrame) -> str:
    """Return the table of all changes, in %, as a page in Markdown."""
    columns: dict[str, pd.Series] = {}
    for kind, group in lost.groupby("kind"):
        by_change = group.groupby("change", sort=False)[["lost", "misread"]]
        pictures = len(group) // len(CHANGES)
        for what, share in (100 * by_change.mean()).items():
            columns[f"{pictures} {kind}: {what}"] = share
    table = pd.DataFrame(columns).to_markdown(floatfmt=".1f")
    return f"""# What harmless changes of a picture cost

Written by `{command}`.

Each picture that is read right and accepted is changed and read again. The table says how many are
lost with each change, in %. Some of these are misread: accepted as something else. The others are
rejected. `src/model/data/changes.py` says what each change does.

{table}
"""
