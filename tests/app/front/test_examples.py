import json

import numpy as np
import pytest

from app.front.examples import load_examples, save_examples
from app.front.images import data_url, encode_png
from errors import ExamplesError

NOISE = np.random.default_rng(0).random((28, 28))  # the PNG that compresses worst
IMAGE = data_url(encode_png(NOISE))
GOOD = {"label": 7, "image": IMAGE}
DAMAGED = data_url(encode_png(NOISE)[:-400])
LARGE = data_url(encode_png(np.zeros((29, 28))))


def test_saved_examples_come_back():
    examples = [{"label": digit, "image": IMAGE} for digit in range(10)]
    assert load_examples(save_examples(examples).encode()) == examples


def test_a_file_is_a_json_list_of_labels_and_images():
    assert json.loads(save_examples([GOOD, GOOD])) == [GOOD, GOOD]


@pytest.mark.parametrize("content", [b"", b"hello", b"{}", b"[]", b"\xff\xfe", b"7"])
def test_a_file_that_holds_no_examples_is_rejected(content):
    with pytest.raises(ExamplesError) as caught:
        load_examples(content)
    assert caught.value.entry is None


@pytest.mark.parametrize(
    "bad",
    [
        {**GOOD, "label": 10},
        {**GOOD, "label": "7"},
        {**GOOD, "label": True},
        {"image": IMAGE},
        {"label": 7},
        {**GOOD, "image": "http://stranger.example/7.png"},
        {**GOOD, "image": "data:image/png;base64,AAAA"},
        {**GOOD, "image": "data:image/png;base64,A"},
        {**GOOD, "image": DAMAGED},
        {**GOOD, "image": LARGE},
        {**GOOD, "image": IMAGE + "A" * 2_000},
        7,
    ],
)
def test_a_bad_entry_is_named(bad):
    with pytest.raises(ExamplesError) as caught:
        load_examples(json.dumps([GOOD, bad, GOOD]).encode())
    assert caught.value.entry == 1


def test_more_examples_than_the_api_takes_are_rejected():
    assert len(load_examples(json.dumps([GOOD] * 200).encode())) == 200
    with pytest.raises(ExamplesError):
        load_examples(json.dumps([GOOD] * 201).encode())
