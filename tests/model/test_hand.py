import numpy as np
import pandas as pd
import pytest
import torch
from tests.support.pictures import generator

from errors import DataError
from model.data.pictures import COLUMNS
from model.data.synthetic.digits import synthesize_digits
from model.hand import authors_of_enough, learn
from model.preprocessing.decode import encode_png

PER_DIGIT = 8
LABELS = torch.arange(10 * PER_DIGIT) % 10


@pytest.fixture(scope="module")
def pictures() -> pd.DataFrame:
    """Digits of one author who writes as in a mirror, of a usual one, and of one who has few."""
    digits = synthesize_digits(LABELS, generator(1)).numpy()
    rows = []
    for author, images in (("mirror", digits[:, :, ::-1]), ("usual", digits), ("few", digits[:20])):
        for label, image in zip(LABELS.tolist(), images, strict=False):
            rows.append(("", str(label), "digits", author, encode_png(np.ascontiguousarray(image))))
    return pd.DataFrame(rows, columns=COLUMNS)


def test_the_worst_author_is_followed_from_the_first_row_on(cnn, pictures):
    rows = learn(cnn, pictures, [1, 4])
    none, one, four = rows.values()
    assert list(rows) == [f"{count} examples of each digit" for count in (0, 1, 4)]
    worst = "right, worst: mirror"
    assert none[worst] < 80
    assert none[worst] + 10 < one[worst] < four[worst]
    usual = [2 * row["right, mean of 2 authors"] - row[worst] for row in rows.values()]
    assert min(usual) > 95
    low, high = map(float, none["95 %"].split(" to "))
    assert low < none["right, mean of 2 authors"] < high <= 100


def test_only_authors_with_one_more_than_the_examples_of_every_digit_count(pictures):
    assert authors_of_enough(pictures, 2) == ["mirror", "usual"]
    assert authors_of_enough(pictures, 1) == ["few", "mirror", "usual"]
    with pytest.raises(DataError, match=f"{PER_DIGIT + 1} or more of every digit"):
        authors_of_enough(pictures, PER_DIGIT)
