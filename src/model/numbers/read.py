"""Read the numbers in a picture: a network for lines proposes strings, a classifier judges them.

Each picture is looked at in several ways, until one is sure. The network proposes the likeliest
strings. Each string is cut into digits for the classifier. The best string by both networks wins.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from errors import BlankImageError
from model.classifier import AMBIGUOUS, Classifier
from model.config import IMAGE_SIZE
from model.numbers.cut import cut_digits
from model.numbers.decode import Digits, align, around, likeliest_strings, only_digits
from model.numbers.find import Box, Line, find_lines, whole
from model.numbers.line import INK, SIDE, STRIDE, TINY, LineNetwork, to_line
from model.numbers.looks import Look, looks_at
from model.preprocessing.normalize import Preprocessed, center_by_mass
from model.reading import read_images

NO_DIGITS = "no_digits"
NOT_A_NUMBER = "not_a_number"
TOO_MANY_LINES = "too_many_lines"
REASONS = {
    NO_DIGITS: "The picture holds nothing that could be a digit.",
    NOT_A_NUMBER: "The picture holds other things than digits: a word, a sign, a drawing.",
    AMBIGUOUS: "It is not clear which number the picture shows.",
    TOO_MANY_LINES: (
        "The picture holds more than is read at once, eight lines of twenty digits: send a part."
    ),
}
MAX_LINES = 8
STRINGS = 4  # proposals of each look
MAX_DIGITS = 20  # of a number
UNLIKELY = 1e-7  # strings less likely than this are not cut
MIN_PROBABILITY = 1e-3  # of a digit by the classifier: no digit is impossible
MIN_NUMBER = 0.2  # the least probability that a line holds digits alone
SURE = 0.95  # a look in which the best string has this share ends the search
REJECTED_COST = math.log(0.3)  # of a cut that the classifier takes for no digit
LEFT_OVER = 0.05  # the probability that what could be a digit or a minus is neither


@dataclass(frozen=True)
class Digit:
    """One digit of a number, or what was found in a digit's place.

    Attributes:
        digit: 0-9, the likeliest one, even if the classifier rejects it.
        confidence: its probability by the classifier, 0-1.
        is_digit: whether the classifier accepts it.
        box: x, y, width, height in pixels of the picture.
        image: (28, 28) uint8, what the classifier read.
    """

    digit: int
    confidence: float
    is_digit: bool
    box: Box
    image: np.ndarray


@dataclass(frozen=True)
class NumberLine:
    """A line of writing.

    Attributes:
        digits: from left to right, even if the line is rejected.
        confidence: the probability, 0-1, that the whole number is right.
        reason: None if the line is a number, else one of `REASONS`.
    """

    digits: list[Digit]
    confidence: float
    reason: str | None

    @property
    def number(self) -> str | None:
        """The number as text, with its leading zeros; None if the line is rejected."""
        if self.reason is not None:
            return None
        return "".join(str(digit.digit) for digit in self.digits)


class Hypothesis(NamedTuple):
    """A string of digits for a line, judged by the network and the classifier."""

    score: float  # logarithm of its probability by both, up to a constant
    number: float  # the probability that the line holds these digits alone
    digits: list[Digit]


class Judgement:
    """All strings that were proposed for one line, in any look."""

    def __init__(self) -> None:
        self.scores: dict[Digits, float] = {}
        self.best: Hypothesis | None = None
        self.is_long = False  # a string of more than MAX_DIGITS was proposed
        self.seen: set[bytes] = set()  # lines; a plain drawing gives the same one in each look

    @property
    def confidence(self) -> float:
        """The best string's share of the probability of all strings, 0-1."""
        if self.best is None:
            return 0.0
        others = np.array(list(self.scores.values())) - self.best.score
        return float(1 / np.exp(others).sum())

    def add(self, string: Digits, score: float) -> None:
        self.scores[string] = max(score, self.scores.get(string, -math.inf))


def read_numbers(
    classifier: Classifier, network: LineNetwork, preprocessed: Preprocessed
) -> list[NumberLine]:
    """Read all lines of a picture, from top to bottom; at least one is returned.

    A picture of a single digit gives what `model.reading` gives for it.
    """
    judgement = Judgement()
    rows: list[NumberLine] = []
    for look in looks_at(preprocessed):
        lines = find_lines(look.foreground)
        if len(lines) > MAX_LINES and not rows:
            return [NumberLine([], 0.0, TOO_MANY_LINES)]
        if rows and look.cost < 0:  # without its edge the picture may have lost a row
            break
        if len(lines) > 1:
            if not rows:  # several lines are looked at in one way alone
                found = [propose(classifier, network, look, line, Judgement()) for line in lines]
                rows = [conclude(network, one) for one in found]
            continue
        for line in (whole(look.foreground), *lines):
            if judgement.confidence <= SURE:
                propose(classifier, network, look, line, judgement)
        if judgement.confidence > SURE:
            break
    if rows and network.calibrate(judgement.confidence) < network.card.threshold:
        return rows
    if judgement.best is None and judgement.is_long:
        return [NumberLine([], 0.0, TOO_MANY_LINES)]
    if judgement.best is None or len(judgement.best.digits) < 2:
        return [single(classifier, network, preprocessed)]
    return [conclude(network, judgement)]


def propose(
    classifier: Classifier, network: LineNetwork, look: Look, line: Line, judgement: Judgement
) -> Judgement:
    """Add the likeliest strings of a line to a judgement, and return it."""
    image, scale = to_line(line.foreground)
    if image.tobytes() in judgement.seen:
        return judgement
    judgement.seen.add(image.tobytes())
    probabilities, digits_alone = only_digits(network.probabilities(image))
    left = cv2.boundingRect((line.foreground >= INK).view(np.uint8))[0]
    for string, p in likeliest_strings(probabilities, STRINGS):
        judgement.is_long |= len(string) > MAX_DIGITS
        if not 0 < len(string) <= MAX_DIGITS or p < UNLIKELY:
            continue
        columns = align(probabilities, string)
        cuts, left_over = cut_digits(line, left + (STRIDE * (columns + 0.5) - SIDE) / scale)
        images = [image_of(cut.foreground) for cut in cuts]
        seen = classifier.predict(np.stack(images))
        near = np.log(around(probabilities, columns))
        both = near + np.log(np.array([one.probabilities for one in seen]) + MIN_PROBABILITY)
        # Each place gets its best digit by both: a digit misread by the network is put right.
        ranked = both.argsort(axis=1)
        best, places = tuple(ranked[:, -1].tolist()), np.arange(len(string))
        number = digits_alone * LEFT_OVER**left_over
        score = math.log(p * number + TINY) + look.cost
        score += float((both.max(axis=1) - near[places, list(string)]).sum())
        score += REJECTED_COST * sum(not one.is_digit for one in seen)
        judgement.add(best, score)
        if judgement.best is None or score > judgement.best.score:
            boxes = [box_in_picture(look, line, cut.box) for cut in cuts]
            digits = [
                Digit(digit, one.probabilities[digit], one.is_digit, box, image)
                for digit, one, box, image in zip(best, seen, boxes, images, strict=True)
            ]
            judgement.best = Hypothesis(score, number, digits)
        for place, second in enumerate(ranked[:, -2].tolist()):
            loss = float(both[place, second] - both[place].max())
            judgement.add((*best[:place], second, *best[place + 1 :]), score + loss)
    return judgement


def conclude(network: LineNetwork, judgement: Judgement) -> NumberLine:
    """Turn the best hypothesis about a line into an answer."""
    if judgement.best is None:
        return NumberLine([], 0.0, NO_DIGITS)
    confidence, reason = network.calibrate(judgement.confidence), None
    if judgement.best.number < MIN_NUMBER:
        reason = NOT_A_NUMBER
    elif confidence < network.card.threshold:
        reason = AMBIGUOUS
    return NumberLine(judgement.best.digits, confidence, reason)


def single(classifier: Classifier, network: LineNetwork, preprocessed: Preprocessed) -> NumberLine:
    """Read a picture as one digit, which is a number of one digit."""
    reading = read_images(classifier, [preprocessed], network)[0]
    prediction, reason = reading.prediction, None
    if not prediction.is_digit:
        reason = AMBIGUOUS if prediction.reason == AMBIGUOUS else NOT_A_NUMBER
    scale = preprocessed.source.width / preprocessed.foreground.shape[1]
    ink = cv2.boundingRect((preprocessed.foreground >= INK).view(np.uint8))
    x, y, width, height = (round(length * scale) for length in ink)
    box = x, y, width, height
    digit = Digit(prediction.digit, prediction.confidence, prediction.is_digit, box, reading.image)
    return NumberLine([digit], prediction.confidence, reason)


def image_of(foreground: np.ndarray) -> np.ndarray:
    """Return the 28 x 28 of a digit; blank if there is no ink."""
    try:
        return center_by_mass(foreground)
    except BlankImageError:
        return np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)


def box_in_picture(look: Look, line: Line, box: Box) -> Box:
    """Return a box of a line in pixels of the picture."""
    edges = line.box_in_image(box) * look.scale + look.edge
    left, top, right, bottom = np.round(edges).astype(int).clip(0).tolist()
    return left, top, right - left, bottom - top
