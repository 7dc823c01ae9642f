"""What a few examples of a person's hand bring, measured on pictures with their authors."""

import numpy as np
import pandas as pd
from tqdm import tqdm

from errors import DataError
from model.adaptation import adapt
from model.classifier import Classifier
from model.data.pictures import content
from model.preprocessing.normalize import preprocess
from model.reading import read_images

DIGITS = list("0123456789")
DRAWS = 5  # of examples, for each author and count


def learn(
    classifier: Classifier, pictures: pd.DataFrame, counts: list[int]
) -> dict[str, dict[str, object]]:
    """Return, in %, what no and ``counts`` examples of each digit of an author's hand bring.

    Examples are drawn DRAWS times, and the author's other digits are read. The worst author is the
    one who is worst without examples.
    """
    authors = authors_of_enough(pictures, max(counts))
    found = []
    for index, author in enumerate(tqdm(authors, "learning", unit="author", disable=None)):
        own = pictures[(pictures["author"] == author) & (pictures["label"].str.len() == 1)]
        labels = own["label"].to_numpy(int)
        preprocessed = [preprocess(content(data)) for data in own["data"]]
        images = np.stack([one.image for one in preprocessed])
        for count in (0, *counts):
            for draw in range(DRAWS if count else 1):
                chosen = draw_examples(labels, count, [draw, index])
                adapted = adapt(classifier, images[chosen], labels[chosen]) if count else classifier
                rest = np.delete(np.arange(len(labels)), chosen)
                readings = read_images(adapted, [preprocessed[i] for i in rest])
                right = np.mean([r.prediction.digit for r in readings] == labels[rest])
                rejected = np.mean([not r.prediction.is_digit for r in readings])
                found.append((count, author, 100 * right, 100 * rejected))
    table = pd.DataFrame(found, columns=["count", "author", "right", "rejected"])
    means = table.groupby(["count", "author"]).mean().unstack()
    worst = means["right"].loc[0].idxmin()
    return {
        f"{count} examples of each digit": {
            f"right, mean of {len(authors)} authors": row["right"].mean(),
            f"right, worst: {worst}": row["right"][worst],
            "rejected": row["rejected"].mean(),
        }
        for count, row in means.iterrows()
    }


def authors_of_enough(pictures: pd.DataFrame, count: int) -> list[str]:
    """Return the authors who have more than ``count`` pictures of every digit.

    Raises:
        DataError: there is none.
    """
    known = pictures[(pictures["label"].str.len() == 1) & (pictures["author"] != "")]
    of_each = pd.crosstab(known["author"], known["label"]).reindex(columns=DIGITS, fill_value=0)
    authors: list[str] = of_each.index[of_each.min(axis=1) > count].to_list()
    if not authors:
        raise DataError(
            f"No author has {count + 1} or more of every digit: "
            "ask for fewer examples, or record more."
        )
    return authors


def draw_examples(labels: np.ndarray, count: int, seed: list[int]) -> np.ndarray:
    """Return the indices of ``count`` samples of each digit, drawn at random from labels (N,)."""
    rng = np.random.default_rng(seed)
    digits = [rng.permutation(np.flatnonzero(labels == int(digit))) for digit in DIGITS]
    return np.concatenate([indices[:count] for indices in digits])
