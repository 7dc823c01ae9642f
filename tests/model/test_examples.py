import base64
import json

import numpy as np
import pytest
from tests.support.drawings import max_difference

from errors import ExamplesError
from model.config import REPOSITORY
from model.examples import MAX_EXAMPLES, MAX_EXAMPLES_BYTES, read_examples
from model.preprocessing.decode import encode_png
from model.preprocessing.normalize import preprocess

DIGITS = REPOSITORY / "data" / "digits"


def data_url(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


def example(digit: int = 7) -> dict[str, object]:
    return {"label": digit, "image": data_url((DIGITS / f"{digit}.png").read_bytes())}


def test_examples_become_preprocessed_images_and_labels_also_if_they_are_answers_images():
    expected = [preprocess((DIGITS / f"{digit}.png").read_bytes()).image for digit in range(10)]
    images, labels = read_examples(json.dumps(list(map(example, range(10)))).encode())
    assert labels.tolist() == list(range(10))
    assert np.array_equal(images, expected)
    answers = [{"label": 7, "image": data_url(encode_png(image))} for image in images]
    again, _ = read_examples(json.dumps(answers).encode())
    assert max_difference(again, images) <= 1


BLANK = {"label": 1, "image": data_url(encode_png(np.zeros((28, 28), np.uint8)))}


def image(url: str) -> list[dict[str, object]]:
    return [{"label": 7, "image": url}]


@pytest.mark.parametrize(
    ("examples", "place"),
    [
        ([example(), {**example(), "label": 10}], r"examples\[1\]\.label: "),
        ([{**example(), "label": "7"}], r"examples\[0\]\.label: "),
        ([{"label": 7}], r"examples\[0\]\.image: Field required"),
        ([{**example(), "note": ""}], r"examples\[0\]\.note: "),
        (image("http://example.org/7.png"), r"examples\[0\]\.image: "),
        (image("data:image/png;base64,%%"), r"examples\[0\]\.image: .*Write the examples as"),
        (image("data:image/png;base64,AAA"), r"examples\[0\]\.image: .*Write the examples as"),
        (image("data:image/png;base64,\u00e9"), r"examples\[0\]\.image: .*Write the examples as"),
        (image(data_url(b"no picture")), r"examples\[0\]\.image: "),
        ([example(), example(), BLANK], r"examples\[2\]\.image: The picture is blank"),
        ([], "examples: .* at least 1 "),
        ([BLANK] * (MAX_EXAMPLES + 1), "examples: .* at most 200 "),
        ({"label": 7}, "examples: .* array"),
    ],
)
def test_what_is_wrong_with_an_entry_is_said_with_its_place(examples, place):
    with pytest.raises(ExamplesError, match=place) as error:
        read_examples(json.dumps(examples).encode())
    assert error.value.entry is None or f"[{error.value.entry}]" in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"), [(b"[{", "JSON"), (b" " * (MAX_EXAMPLES_BYTES + 1), "400000")]
)
def test_text_that_is_no_json_or_larger_than_400_kb_is_an_error(text, message):
    with pytest.raises(ExamplesError, match=message):
        read_examples(text)
