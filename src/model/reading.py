"""Read the digit in a picture: by a classifier, and again where it is not sure.

A sure digit costs one forward pass. A rejected picture is read again in its other foregrounds. More
chances let more outliers pass, so this retry asks for a higher score. At last the network for lines
says which single digit it reads: it has seen printed frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.classifier import NOT_A_DIGIT, SEVERAL_DIGITS, Classifier, Prediction
from model.config import SECOND_LOOK_FACTOR
from model.numbers.decode import likeliest_strings, only_digits, single_digit
from model.numbers.find import find_lines
from model.numbers.line import LineNetwork, to_line
from model.numbers.looks import looks_at
from model.preprocessing.normalize import Preprocessed, preprocess

SURE = 0.97  # a prediction with this confidence needs no second opinion
# The network for lines, asked for one digit
LEAST = 0.01  # no digit is impossible for either network
MIN_KNOWN = 0.02  # a picture in which it reads no digit with this probability shows none
MIN_PRINTED = 0.6  # a rejected picture with printed matter shows a digit of this probability ...
MIN_SCORE = 0.12  # ... unless the classifier gives it so low a rejection score
MIN_SEVERAL = 0.5  # the least probability of two digits or more


@dataclass(frozen=True)
class Reading:
    """The prediction, and the (28, 28) uint8 image that it belongs to."""

    prediction: Prediction
    image: np.ndarray


def read_image(classifier: Classifier, data: bytes, network: LineNetwork | None = None) -> Reading:
    """Read the digit in the bytes of a picture file; raise ``ImageError`` without a picture."""
    return read_images(classifier, [preprocess(data)], network)[0]


def read_images(
    classifier: Classifier,
    preprocessed: Sequence[Preprocessed],
    network: LineNetwork | None = None,
) -> list[Reading]:
    """Read pictures in one forward pass; look again at each that is rejected or not sure.

    Without the network for lines, the classifier alone decides.
    """
    if not preprocessed:
        return []
    predictions = classifier.predict(np.stack([one.image for one in preprocessed]))
    return [
        read_again(classifier, one, first, network)
        for one, first in zip(preprocessed, predictions, strict=True)
    ]


def read_again(
    classifier: Classifier,
    preprocessed: Preprocessed,
    first: Prediction,
    network: LineNetwork | None,
) -> Reading:
    """Look again at a picture that is rejected, not sure, or in several parts.

    It takes tens of milliseconds: keep it out of an event loop.
    """
    is_sure = first.is_digit and first.confidence >= SURE
    if not (first.is_digit and network is None) and has_several(classifier, preprocessed, network):
        return Reading(rejected(first, SEVERAL_DIGITS), preprocessed.image)
    reading = Reading(first, preprocessed.image)
    if not first.is_digit:
        reading = retry(classifier, preprocessed, first)
    # What a person has taught the classifier, the network for lines cannot know.
    is_taught = classifier.examples > 0 and reading.prediction.is_digit
    if network is None or is_sure or is_taught:
        return reading
    return second_opinion(network, preprocessed, reading)


def has_several(
    classifier: Classifier, preprocessed: Preprocessed, network: LineNetwork | None
) -> bool:
    """Whether there are several digits: parts that both networks read, or that stand in rows."""
    parts = preprocessed.parts()
    if len(parts) < 2:
        return False
    are_digits = sum(part.is_digit for part in classifier.predict(parts)) > 1
    if network is None or not are_digits:
        return are_digits
    if len(find_lines(preprocessed.foreground)) > 1:
        return True
    line, _ = to_line(preprocessed.foreground)
    [(string, p)] = likeliest_strings(only_digits(network.probabilities(line))[0], count=1)
    return len(string) > 1 and p > MIN_SEVERAL


def second_opinion(network: LineNetwork, preprocessed: Preprocessed, reading: Reading) -> Reading:
    """Let the network for lines decide, together with the classifier, which digit it is."""
    prediction = reading.prediction
    may_read = preprocessed.is_printed and prediction.rejection_score >= MIN_SCORE
    if not prediction.is_digit and not may_read:
        return reading
    lines = [to_line(look.foreground)[0] for look in looks_at(preprocessed)]
    found = np.max([single_digit(network.probabilities(line)) for line in lines], axis=0)
    both = (np.array(prediction.probabilities) + LEAST) * (found + LEAST)
    both /= both.sum()
    digit = int(both.argmax())
    known = found.max() >= MIN_KNOWN if prediction.is_digit else found[digit] >= MIN_PRINTED
    if not known:
        return Reading(rejected(prediction, prediction.reason or NOT_A_DIGIT), reading.image)
    read = replace(
        prediction,
        digit=digit,
        confidence=float(both[digit]),
        probabilities=both.tolist(),
        is_digit=True,
        reason=None,
    )
    return Reading(read, reading.image)


def rejected(prediction: Prediction, reason: str) -> Prediction:
    return replace(prediction, is_digit=False, reason=reason)


def retry(classifier: Classifier, preprocessed: Preprocessed, first: Prediction) -> Reading:
    """Read a rejected picture in its other foregrounds."""
    candidates = preprocessed.candidates()
    if len(candidates) > 0:
        readings = map(Reading, classifier.predict(candidates), candidates)
        best = max(readings, key=lambda reading: reading.prediction.rejection_score)
        if best.prediction.rejection_score >= SECOND_LOOK_FACTOR * classifier.threshold:
            return best
    return Reading(first, preprocessed.image)
