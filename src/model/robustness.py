"""What harmless changes of a picture cost: how many pictures are no longer read with each."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from tqdm import tqdm

from model.data.changes import CHANGES, changed
from model.data.pictures import content

Read = Callable[[str, bytes], tuple[str, bool, np.ndarray | None]]


def lost_by_changes(found: pd.DataFrame, read: Read) -> dict[str, dict[str, object]]:
    """Change the pictures that are read right and accepted, and read them again.

    Args:
        found: pictures with the columns label, data and good.
        read: from the label and the content of a file to what is read, and whether it is accepted.

    Returns:
        For each change, in %: lost, and among these misread (accepted as another).
    """
    good = found[found["good"] & (found["label"] != "")]
    table: dict[str, dict[str, object]] = {name: {} for name in CHANGES}
    for is_number, pictures in good.groupby(good["label"].str.len() > 1):
        kind = f"{len(pictures)} {'numbers' if is_number else 'digits'}"
        files = list(zip(pictures["label"], map(content, pictures["data"]), strict=True))
        for name, change in tqdm(CHANGES.items(), f"changing {kind}", disable=None):
            answers = [(label, *read(label, changed(data, change))[:2]) for label, data in files]
            right = np.mean([accepted and text == label for label, text, accepted in answers])
            misread = np.mean([accepted and text != label for label, text, accepted in answers])
            table[name] |= {f"{kind}: lost": 100 * (1 - right), f"{kind}: misread": 100 * misread}
    return table
