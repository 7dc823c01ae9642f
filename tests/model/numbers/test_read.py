import cv2
import numpy as np
import pytest
from PIL import Image
from tests.support.pictures import printed

from model.classifier import AMBIGUOUS
from model.numbers.read import (
    MAX_LINES,
    NOT_A_NUMBER,
    TOO_MANY_LINES,
    NumberLine,
    read_numbers,
)
from model.numbers.write import GAPS, numbers_of_writers, synthetic_samples
from model.preprocessing.normalize import normalize
from model.reading import read_images

TURN = cv2.getRotationMatrix2D((200, 150), 13, 1)


@pytest.fixture(scope="module")
def samples():
    return synthetic_samples(300, seed=3)


@pytest.fixture(scope="module")
def read(cnn, line_network):
    """Reads a foreground, light on dark."""

    def read_foreground(foreground: np.ndarray) -> list[NumberLine]:
        return read_numbers(cnn, line_network, normalize(Image.fromarray(foreground)))

    return read_foreground


@pytest.mark.parametrize("gaps", GAPS)
def test_numbers_are_read_whole(read, samples, gaps):
    numbers = numbers_of_writers(samples, 20, GAPS[gaps], seed=5)
    assert sum(read(number.image)[0].number == number.text for number in numbers) >= 16


@pytest.mark.parametrize(
    ("foreground", "numbers"),
    [
        (printed("0042"), ["0042"]),
        (255 - printed("0042"), ["0042"]),
        (cv2.warpAffine(np.pad(printed("24835"), 60), TURN, (520, 320)), ["24835"]),
        (np.concatenate([printed("351"), printed("753")]), ["351", "753"]),
        (cv2.rectangle(printed("2468"), (0, 0), (348, 178), 255, 3), ["2468"]),
    ],
    ids=["leading zeros", "dark on light", "tilted", "two lines", "in a frame"],
)
def test_each_line_is_read_for_itself_with_its_leading_zeros(read, foreground, numbers):
    lines = read(foreground)
    assert [line.number for line in lines] == numbers
    assert ["".join(str(digit.digit) for digit in line.digits) for line in lines] == numbers


@pytest.mark.parametrize("enlarged", [1, 6])
def test_boxes_frame_each_digit_in_the_picture(read, enlarged):
    foreground = cv2.resize(printed("735"), None, fx=enlarged, fy=enlarged)
    (line,) = read(foreground)
    columns = np.flatnonzero(np.diff(foreground.any(axis=0), prepend=False, append=False))
    for digit, left, right in zip(line.digits, columns[::2], columns[1::2], strict=True):
        _, top, _, height = cv2.boundingRect(foreground[:, left:right])
        wanted = (left, top, right - left, height)
        assert digit.box == pytest.approx(wanted, abs=5 * enlarged)


def test_a_single_digit_gives_what_predict_gives(cnn, line_network, samples):
    for number in numbers_of_writers(samples, 10, (0, 0), seed=8, length=(1, 1)):
        preprocessed = normalize(Image.fromarray(number.image))
        (line,) = read_numbers(cnn, line_network, preprocessed)
        reading = read_images(cnn, [preprocessed], line_network)[0]
        (digit,) = line.digits
        assert digit.digit == reading.prediction.digit
        assert line.confidence == digit.confidence == reading.prediction.confidence
        assert (line.number is None) == (not reading.prediction.is_digit)


@pytest.mark.parametrize("text", ["HKMWXN", "WORD", "35-2", "24+35"])
def test_a_line_that_holds_letters_or_signs_is_no_number(read, text):
    (line,) = read(printed(text))
    assert line.number is None and line.reason in (NOT_A_NUMBER, AMBIGUOUS)


def test_a_page_of_many_lines_is_told_so_and_not_read(read):
    page = np.concatenate([printed("24", scale=1.5)[60:140] for _ in range(MAX_LINES + 2)])
    (line,) = read(page)
    assert line.number is None and line.reason == TOO_MANY_LINES
