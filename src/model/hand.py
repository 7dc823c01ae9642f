"""What a few examples of a person's hand bring, measured on pictures with their authors."""

import numpy as np
import pandas as pd
from scipy.stats import t
from tqdm import tqdm

from errors import DataError
from model.adaptation import adapt
from model.classifier import Classifier
from model.data.pictures import content
from model.numbers.line import LineNetwork
from model.preprocessing.normalize import preprocess
from model.reading import read_images

DRAWS = 5  # of examples, for each author and count


def learn(
    classifier: Classifier,
    pictures: pd.DataFrame,
    counts: list[int],
    network: LineNetwork | None = None,
) -> dict[str, dict[str, object]]:
    """Return, in %, what no and `counts` examples of each digit bring an author.

    Examples are drawn DRAWS times; the author's other digits are read. The worst author is the one
    whose digits are read worst without examples. The interval is Student's t over the authors.
    """
    authors = authors_of_enough(pictures, max(counts))
    draws = [(0, 0), *((count, draw) for count in counts for draw in range(DRAWS))]
    found = []
    for index, author in enumerate(tqdm(authors, "learning", unit="author", disable=None)):
        own = pictures[(pictures["author"] == author) & (pictures["label"].str.len() == 1)]
        labels = own["label"].to_numpy(int)
        preprocessed = [preprocess(content(data)) for data in own["data"]]
        images = np.stack([one.image for one in preprocessed])
        for count, draw in draws:
            rng = np.random.default_rng([draw, index])
            mixed = [rng.permutation(np.flatnonzero(labels == digit)) for digit in range(10)]
            chosen = np.concatenate([indices[:count] for indices in mixed])
            rest = np.concatenate([indices[count:] for indices in mixed])
            adapted = adapt(classifier, images[chosen], labels[chosen]) if count else classifier
            readings = read_images(adapted, [preprocessed[i] for i in rest], network)
            right = np.mean([r.prediction.digit for r in readings] == labels[rest])
            rejected = np.mean([not r.prediction.is_digit for r in readings])
            found.append((count, author, 100 * right, 100 * rejected))
    table = pd.DataFrame(found, columns=["count", "author", "right", "rejected"])
    means = table.groupby(["count", "author"]).mean().unstack()
    worst = means["right"].loc[0].idxmin()
    return {
        f"{count} examples of each digit": {
            f"right, mean of {len(authors)} authors": row["right"].mean(),
            "95 %": interval(row["right"]),
            f"right, worst: {worst}": row["right"][worst],
            "rejected": row["rejected"].mean(),
        }
        for count, row in means.iterrows()
    }


def interval(shares: pd.Series) -> str | None:
    """Return the 95 % interval of the mean of shares in %; None for a single one."""
    if len(shares) < 2:
        return None
    low, high = t.interval(0.95, len(shares) - 1, shares.mean(), shares.sem())
    return f"{max(low, 0):.1f} to {min(high, 100):.1f}"


def authors_of_enough(pictures: pd.DataFrame, count: int) -> list[str]:
    """Return the authors with more than `count` pictures of every digit; nobody is a DataError."""
    known = pictures[(pictures["label"].str.len() == 1) & (pictures["author"] != "")]
    counts = pd.crosstab(known["author"], known["label"])
    authors: list[str] = counts.index[(counts > count).sum(axis=1) == 10].to_list()
    if not authors:
        raise DataError(f"No author has {count + 1} or more of every digit: record more digits.")
    return authors
