"""Read the numbers in a picture: its lines, the digits of each, and why a line is no number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.classifier import AMBIGUOUS, Classifier, Prediction
from model.numbers.choose import Segment, Weights, best_path, features_of, segments_of
from model.numbers.cut import Piece, cut_line, stroke_width
from model.numbers.find import MINOR, Box, Component, Line, find_lines
from model.preprocessing.normalize import Preprocessed
from model.reading import Reading, read_images

NO_DIGITS = "no_digits"
NOT_A_NUMBER = "not_a_number"
SIGN_OR_SEPARATOR = "sign_or_separator"
REASONS = {
    NO_DIGITS: "The picture holds nothing that could be a digit.",
    NOT_A_NUMBER: "The picture holds other things than digits: a word, an expression, a drawing.",
    SIGN_OR_SEPARATOR: "The number has a sign or a separator: a minus, a point or a comma.",
    AMBIGUOUS: "The picture could be either of two numbers.",
}
MIN_NUMBER = 0.5  # the least probability of a number, not of anything else
MIN_CONFIDENCE = 0.3  # the least probability of a number that counts
WEIGHTS = Weights.load()


@dataclass(frozen=True)
class Digit:
    """One digit of a number, or what was found in a digit's place.

    Attributes:
        digit: 0-9, the likeliest even where it is none.
        confidence: its probability by the classifier, 0-1.
        is_digit: False for an outlier.
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
        digits: from left to right, also where the line is no number.
        confidence: the probability, 0-1, that the whole number is right.
        reason: None where the line is a number, else one of `REASONS`.
        box: x, y, width, height in pixels of the picture.
    """

    digits: list[Digit]
    confidence: float
    reason: str | None
    box: Box

    @property
    def number(self) -> str | None:
        """The number as text, with its leading zeros; None where the line is none."""
        if self.reason is not None:
            return None
        return "".join(str(digit.digit) for digit in self.digits)


def read_numbers(classifier: Classifier, preprocessed: Preprocessed) -> list[NumberLine]:
    """Read all lines of a picture, from top to bottom.

    A picture of a single digit gives what `model.reading` gives for it.
    """
    lines = find_lines(preprocessed.foreground)
    cut = [cut_line(line) for line in lines]
    segments = [segments_of(pieces, line.height) for line, pieces in zip(lines, cut, strict=True)]
    if not lines:
        return []
    predictions = classifier.predict(np.stack([s.image for found in segments for s in found]))
    read = []
    for line, pieces, found in zip(lines, cut, segments, strict=True):
        read.append(_read_line(line, pieces, found, predictions[: len(found)], preprocessed))
        predictions = predictions[len(found) :]
    if len(read) == 1 and read[0].reason != SIGN_OR_SEPARATOR:
        return [_or_single(classifier, preprocessed, read[0])]
    return read


def _or_single(classifier: Classifier, preprocessed: Preprocessed, line: NumberLine) -> NumberLine:
    """Return the digit that `model.reading` reads, where the only line is one digit or no number.

    Of a line of several outliers, only a digit that is accepted at first sight counts.
    """
    if len(line.digits) == 1:
        reading = read_images(classifier, [preprocessed])[0]
    elif line.reason is None:
        return line
    else:
        reading = Reading(classifier.predict(preprocessed.image[None])[0], preprocessed.image)
        if not reading.prediction.is_digit:
            return line
    prediction, reason = reading.prediction, None
    if not prediction.is_digit:
        reason = AMBIGUOUS if prediction.reason == AMBIGUOUS else NOT_A_NUMBER
    confidence, is_digit = prediction.confidence, prediction.is_digit
    digit = Digit(prediction.digit, confidence, is_digit, line.box, reading.image)
    return NumberLine([digit], confidence, reason, line.box)


def _read_line(
    line: Line,
    pieces: list[Piece],
    segments: list[Segment],
    predictions: list[Prediction],
    preprocessed: Preprocessed,
) -> NumberLine:
    """Choose the digits of a line by what the classifier predicts of its segments."""
    stroke = stroke_width(line)
    features, probabilities = describe(segments, pieces, line.height, stroke, predictions)
    path = best_path(segments, features, probabilities, WEIGHTS)
    boxes = [_placed(line.box_in_image(segments[k].box), preprocessed) for k in path.segments]
    digits = [
        Digit(digit, float(probabilities[k, digit]), label >= 0, box, segments[k].image)
        for k, label, box in zip(path.segments, path.labels, boxes, strict=True)
        for digit in [label if label >= 0 else int(probabilities[k].argmax())]
    ]
    reason = None
    if holds_sign(line.components, line.height, stroke):
        reason = SIGN_OR_SEPARATOR
    elif path.number < MIN_NUMBER or -1 in path.labels:
        reason = NOT_A_NUMBER
    elif path.confidence < MIN_CONFIDENCE:
        reason = AMBIGUOUS
    return NumberLine(digits, path.confidence, reason, _around(boxes))


def describe(
    segments: list[Segment],
    pieces: list[Piece],
    height: float,
    stroke: float,
    predictions: Sequence[Prediction],
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Return what `best_path` wants of segments: their features, and (N, 10) probabilities."""
    scores = np.array([prediction.rejection_score for prediction in predictions])
    probabilities = np.array([prediction.probabilities for prediction in predictions])
    return features_of(segments, pieces, height, stroke, scores), probabilities


def _placed(box: Box, preprocessed: Preprocessed) -> Box:
    """Turn a box of the foreground, which may be smaller, into one inside the picture."""
    scale = preprocessed.source.width / preprocessed.foreground.shape[1]
    x, y, width, height = box
    left, top = max(0, round(x * scale)), max(0, round(y * scale))
    right = min(preprocessed.source.width, round((x + width) * scale))
    bottom = min(preprocessed.source.height, round((y + height) * scale))
    return left, top, right - left, bottom - top


def _around(boxes: list[Box]) -> Box:
    """Return the box around boxes."""
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(b[0] + b[2] for b in boxes), max(b[1] + b[3] for b in boxes)
    return left, top, right - left, bottom - top


def holds_sign(components: Sequence[Component], height: float, stroke: float) -> bool:
    """Whether a minus, a point or a comma stands among the digits of a line.

    A sign stands apart: nothing tall is above or below it, as it is with the bar of a 5.
    """
    tall = [c for c in components if len(c.foreground) >= MINOR * height]
    if not tall:
        return False
    top, bottom = np.median([c.y for c in tall]), np.median([c.bottom for c in tall])
    for component in components:
        tallness, width = component.foreground.shape
        if tallness >= MINOR * height or width >= height:
            continue
        covered = max(min(component.right, c.right) - max(component.x, c.x) for c in tall)
        if covered > 0.3 * width:
            continue
        middle = component.y + tallness / 2
        is_bar = width >= max(2 * tallness, 0.2 * height)
        if is_bar and abs(middle - (top + bottom) / 2) < 0.25 * height:
            return True
        is_dot = not is_bar and max(width, tallness) >= 0.6 * stroke
        if is_dot and middle > bottom - 0.2 * height:
            return True
    return False
