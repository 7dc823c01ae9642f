import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from tests.support.pictures import printed

from model.classifier import Classifier
from model.numbers.find import Component
from model.numbers.fit import synthetic_samples
from model.numbers.read import NOT_A_NUMBER, SIGN_OR_SEPARATOR, holds_sign, read_numbers
from model.numbers.write import numbers_of_writers
from model.preprocessing.normalize import normalize
from model.reading import read_images


@pytest.fixture(scope="module")
def samples():
    return synthetic_samples(300, seed=3)


def read(classifier: Classifier, foreground: np.ndarray):
    return read_numbers(classifier, normalize(Image.fromarray(foreground)))


@pytest.mark.parametrize(("gaps", "wanted"), [((0.15, 0.5), 27), ((-0.08, 0.06), 22)])
def test_numbers_are_read_whole(cnn, samples, gaps, wanted):
    numbers = numbers_of_writers(samples, 30, gaps, seed=5)
    found = [read(cnn, number.image) for number in numbers]
    right = [lines[0].number == n.text for lines, n in zip(found, numbers, strict=True)]
    assert sum(right) >= wanted


TURN = cv2.getRotationMatrix2D((200, 150), 13, 1)


@pytest.mark.parametrize(
    ("foreground", "numbers"),
    [
        (printed("0042"), ["0042"]),
        (255 - printed("0042"), ["0042"]),
        (cv2.warpAffine(np.pad(printed("24835"), 60), TURN, (520, 320)), ["24835"]),
        (np.concatenate([printed("204"), printed("753")]), ["204", "753"]),
    ],
    ids=["leading zeros", "dark on light", "tilted", "two lines"],
)
def test_each_line_is_read_for_itself_with_its_leading_zeros(cnn, foreground, numbers):
    lines = read(cnn, foreground)
    assert [line.number for line in lines] == numbers
    assert ["".join(str(digit.digit) for digit in line.digits) for line in lines] == numbers


def test_boxes_frame_each_digit_in_the_picture(cnn):
    foreground = printed("735")
    (line,) = read(cnn, foreground)
    columns = np.flatnonzero(np.diff(foreground.any(axis=0), prepend=False, append=False))
    for digit, left, right in zip(line.digits, columns[::2], columns[1::2], strict=True):
        x, _, width, _ = digit.box
        assert (x, x + width) == pytest.approx((left, right), abs=3)


def test_a_single_digit_gives_what_predict_gives(cnn, samples):
    for number in numbers_of_writers(samples, 20, (0, 0), seed=8, length=(1, 1)):
        preprocessed = normalize(Image.fromarray(number.image))
        (line,) = read_numbers(cnn, preprocessed)
        reading = read_images(cnn, [preprocessed])[0]
        (digit,) = line.digits
        assert digit.digit == reading.prediction.digit
        assert line.confidence == digit.confidence == reading.prediction.confidence
        assert (line.number is None) == (not reading.prediction.is_digit)
        assert (digit.image == reading.image).all()


def test_five_digits_of_mnist_in_a_row_are_read(cnn, real_mnist):
    rng = np.random.default_rng(0)
    right = 0
    for _ in range(40):
        picked = real_mnist.test[torch.from_numpy(rng.integers(len(real_mnist.test), size=5))]
        lines = read(cnn, np.concatenate(picked.images.numpy(), axis=1))
        right += bool(lines) and lines[0].number == "".join(map(str, picked.labels.tolist()))
    assert right >= 36


def test_a_word_is_no_number_and_its_letters_are_no_digits(cnn):
    (line,) = read(cnn, printed("HKMWXN"))
    assert line.number is None and line.reason == NOT_A_NUMBER
    assert sum(not digit.is_digit for digit in line.digits) >= 3


def test_what_is_no_digit_stands_in_its_place_among_the_digits(cnn):
    (line,) = read(cnn, printed("2W7"))
    assert line.reason == NOT_A_NUMBER
    assert [digit.is_digit for digit in line.digits] == [True, False, True]
    assert [digit.digit for digit in line.digits][::2] == [2, 7]
    assert [d.box[0] for d in line.digits] == sorted(d.box[0] for d in line.digits)


@pytest.mark.parametrize("text", ["-35", "35-2", "3.5", "3,5"])
def test_signs_and_separators_are_named(cnn, text):
    (line,) = read(cnn, printed(text))
    assert line.number is None and line.reason == SIGN_OR_SEPARATOR


def test_the_bar_of_a_5_is_no_minus():
    body = Component(np.full((64, 40), 255, np.uint8), 0, 0)
    bar = Component(np.full((6, 30), 255, np.uint8), 25, 26)
    apart = Component(bar.foreground, 60, 26)
    assert not holds_sign([body, bar], 64.0, 6.0)
    assert holds_sign([body, apart], 64.0, 6.0)


def test_noise_of_a_thousand_components_is_no_number(cnn):
    rng = np.random.default_rng(1)
    foreground = np.zeros((900, 900), dtype=np.uint8)
    for x, y in rng.integers(10, 890, (1200, 2)):
        foreground[y : y + 6, x : x + 4] = 255
    assert read(cnn, foreground) == []
