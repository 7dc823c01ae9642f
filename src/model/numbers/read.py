"""Read the numbers in a picture: its lines, the digits of each, and why a line is no number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.classifier import AMBIGUOUS, Classifier
from model.numbers.choose import Segment, Weights, best_path, features_of, segments_of
from model.numbers.cut import cut_line, stroke_width
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
    """One digit of a number.

    Attributes:
        digit: 0-9.
        confidence: its probability by the classifier, 0-1.
        box: x, y, width, height in pixels of the picture.
        image: (28, 28) uint8, what the classifier read.
    """

    digit: int
    confidence: float
    box: Box
    image: np.ndarray


@dataclass(frozen=True)
class NumberLine:
    """A line of writing.

    Attributes:
        digits: from left to right, also where the line is no number; outliers are left out.
        confidence: the probability, 0-1, that the whole number is right.
        reason: None where the line is a number, else one of `REASONS`.
    """

    digits: list[Digit]
    confidence: float
    reason: str | None

    @property
    def number(self) -> str | None:
        """The number as text, with its leading zeros; None where the line is none."""
        if self.reason is not None:
            return None
        return "".join(str(digit.digit) for digit in self.digits)


def read_numbers(classifier: Classifier, picture: Preprocessed) -> list[NumberLine]:
    """Read all lines of a picture, from top to bottom.

    A picture of a single digit gives what `model.reading` gives for it.
    """
    lines = find_lines(picture.foreground)
    lattices = [_Lattice.of(line) for line in lines]
    images = [segment.image for lattice in lattices for segment in lattice.segments]
    if not images:
        return []
    predictions = classifier.predict(np.stack(images))
    probabilities = np.array([prediction.probabilities for prediction in predictions])
    scores = np.array([prediction.rejection_score for prediction in predictions])
    scale = picture.picture.width / picture.foreground.shape[1]
    start, read = 0, []
    for lattice in lattices:
        own = slice(start, start + len(lattice.segments))
        start = own.stop
        read.append(lattice.read(probabilities[own], scores[own], scale))
    if len(read) == 1 and len(read[0].digits) == 1 and read[0].reason != SIGN_OR_SEPARATOR:
        return [_single(read_images(classifier, [picture])[0], read[0].digits[0].box)]
    return read


def _single(reading: Reading, box: Box) -> NumberLine:
    """Turn what was read in a picture of one digit into a number of one digit."""
    prediction = reading.prediction
    reason = None
    if not prediction.is_digit:
        reason = AMBIGUOUS if prediction.reason == AMBIGUOUS else NOT_A_NUMBER
    digit = Digit(prediction.digit, prediction.confidence, box, reading.image)
    return NumberLine([digit], prediction.confidence, reason)


@dataclass(frozen=True)
class _Lattice:
    """The pieces and segments of a line."""

    line: Line
    pieces: list
    segments: list[Segment]

    @classmethod
    def of(cls, line: Line) -> "_Lattice":
        pieces = cut_line(line)
        return cls(line, pieces, segments_of(pieces, line.height))

    def read(self, probabilities: np.ndarray, scores: np.ndarray, scale: float) -> NumberLine:
        """Choose the best path; arguments are the classifier's, of this lattice's segments."""
        stroke = stroke_width(self.line)
        features = features_of(self.segments, self.pieces, self.line.height, stroke, scores)
        path = best_path(self.segments, features, probabilities, WEIGHTS)
        digits = []
        for k, label in zip(path.segments, path.labels, strict=True):
            if label >= 0:
                box = self.line.box_in_image(self.segments[k].box)
                scaled = tuple(round(side * scale) for side in box)
                confidence = float(probabilities[k, label])
                digits.append(Digit(label, confidence, scaled, self.segments[k].image))
        reason = None
        if holds_sign(self.line.components, self.line.height, stroke):
            reason = SIGN_OR_SEPARATOR
        elif path.number < MIN_NUMBER or -1 in path.labels:
            reason = NOT_A_NUMBER
        elif path.confidence < MIN_CONFIDENCE:
            reason = AMBIGUOUS
        return NumberLine(digits, path.confidence, reason)


def holds_sign(components: Sequence[Component], height: float, stroke: float) -> bool:
    """Whether a minus, a point or a comma stands among the digits of a line.

    A sign stands apart: nothing tall is above or below it, as it is with the bar of a 5.
    """
    tall = [c for c in components if c.height >= MINOR * height]
    if not tall:
        return False
    top = float(np.median([c.y for c in tall]))
    bottom = float(np.median([c.y + c.height for c in tall]))
    for component in components:
        if component.height >= MINOR * height or component.width >= height:
            continue
        covered = max(
            min(component.x + component.width, c.x + c.width) - max(component.x, c.x) for c in tall
        )
        if covered > 0.3 * component.width:
            continue
        middle = component.y + component.height / 2
        is_bar = component.width >= max(2 * component.height, 0.2 * height)
        is_dot = max(component.width, component.height) >= 0.6 * stroke
        if is_bar and abs(middle - (top + bottom) / 2) < 0.25 * height:
            return True
        if is_dot and not is_bar and middle > bottom - 0.2 * height:
            return True
    return False
