import json

import numpy as np
import pytest
from PIL import Image
from tests.support.drawings import file_of

from app.front.examples import load_examples, save_examples
from app.front.images import data_url, encode_png
from errors import ExamplesError
from model.config import REPOSITORY
from model.examples import read_examples
from model.preprocessing.normalize import encode_png as api_png
from model.preprocessing.normalize import preprocess

NOISE = np.pad(np.random.default_rng(0).random((26, 26)), 1)  # the PNG that compresses worst
IMAGE = data_url(encode_png(NOISE))
GOOD = {"label": 7, "image": IMAGE}
DAMAGED = data_url(encode_png(NOISE)[:-400])
LARGE = data_url(encode_png(np.pad(NOISE, ((0, 1), (0, 0)))))
COLOURED = data_url(encode_png(np.stack([NOISE] * 3, axis=2)))
TRANSPARENT = data_url(file_of(Image.fromarray(np.uint8(255 * NOISE)).convert("LA")))


def test_saved_examples_come_back():
    examples = [{"label": digit, "image": IMAGE} for digit in range(10)]
    loaded = load_examples(save_examples(examples).encode())
    assert [{"label": entry.label, "image": entry.image} for entry in loaded] == examples


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
        {**GOOD, "image": COLOURED},
        {**GOOD, "image": TRANSPARENT},
        {**GOOD, "image": IMAGE[:60] + "*" + IMAGE[60:]},
        {**GOOD, "image": IMAGE + "\n"},
        {**GOOD, "image": IMAGE + "A" * 2_000},
        7,
    ],
)
def test_a_bad_entry_is_named(bad):
    with pytest.raises(ExamplesError) as caught:
        load_examples(json.dumps([GOOD, bad, GOOD]).encode())
    assert caught.value.entry == 1


@pytest.fixture
def seven():
    """A 7 as the API answers with it."""
    return preprocess((REPOSITORY / "data" / "digits" / "7.png").read_bytes()).image / 255


@pytest.mark.parametrize(
    "blank",
    [
        lambda seven: 0 * seven,
        lambda seven: 0 * seven + 1,
        lambda seven: 0.05 * seven,
        lambda seven: seven * (np.arange(784).reshape(28, 28) == seven.argmax()),
        lambda seven: 1.0 * (np.indices((28, 28))[0] < 14),
        lambda seven: np.indices((28, 28)).sum(axis=0) / 54,
    ],
    ids=["black", "white", "faint", "a single pixel", "half", "a ramp"],
)
def test_what_the_api_calls_blank_is_rejected(seven, blank):
    entry = {"label": 7, "image": data_url(encode_png(blank(seven)))}
    with pytest.raises(ExamplesError):
        read_examples(json.dumps([entry]).encode())
    with pytest.raises(ExamplesError) as caught:
        load_examples(json.dumps([GOOD, entry]).encode())
    assert caught.value.entry == 1


@pytest.mark.parametrize("file", sorted((REPOSITORY / "data" / "digits").glob("*.png")), ids=str)
def test_what_the_api_answers_with_is_taken_by_page_and_api(file):
    image = data_url(api_png(preprocess(file.read_bytes()).image))
    content = save_examples([{"label": 7, "image": image}]).encode()
    [entry] = load_examples(content)
    assert (entry.label, entry.image) == (7, image)
    assert len(read_examples(content)[1]) == 1


def test_more_examples_than_the_api_takes_are_rejected():
    assert len(load_examples(json.dumps([GOOD] * 200).encode())) == 200
    with pytest.raises(ExamplesError):
        load_examples(json.dumps([GOOD] * 201).encode())
