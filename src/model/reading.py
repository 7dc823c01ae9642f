"""From a picture to its digit: the usual foreground first, others if that is rejected.

A picture that is accepted at once costs one forward pass. A rejected one costs a second pass, over
its other foregrounds; the one with the highest rejection score counts. More chances let more
outliers pass, so the retry asks for a higher score.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.classifier import SEVERAL_DIGITS, Classifier, Prediction
from model.config import SECOND_LOOK_FACTOR
from model.numbers.decode import likeliest_strings, only_digits, single_digit
from model.numbers.line import LineNetwork, to_line
from model.numbers.looks import looks_at
from model.preprocessing.normalize import Preprocessed, preprocess

MIN_SINGLE = 0.8  # the least probability that makes a digit of a rejected picture
SURE = 0.97  # a first look with this confidence is not questioned
LEAST = 0.01  # no digit is impossible


@dataclass(frozen=True)
class Reading:
    """The prediction, and the (28, 28) uint8 image that it belongs to."""

    prediction: Prediction
    image: np.ndarray


def read_image(classifier: Classifier, data: bytes, network: LineNetwork | None = None) -> Reading:
    """Read the digit in the bytes of a picture file; raise ``ImageError`` if it is none."""
    return read_images(classifier, [preprocess(data)], network)[0]


def read_images(
    classifier: Classifier,
    preprocessed: Sequence[Preprocessed],
    network: LineNetwork | None = None,
) -> list[Reading]:
    """Read pictures in one forward pass; look again at each that is rejected or not sure."""
    if not preprocessed:
        return []
    predictions = classifier.predict(np.stack([one.image for one in preprocessed]))
    return [
        Reading(first, one.image)
        if first.is_digit and first.confidence >= SURE and len(one.parts()) < 2
        else look_again(classifier, one, first, network)
        for first, one in zip(predictions, preprocessed, strict=True)
    ]


def look_again(
    classifier: Classifier,
    preprocessed: Preprocessed,
    first: Prediction,
    network: LineNetwork | None = None,
) -> Reading:
    reading = Reading(first, preprocessed.image)
    if not first.is_digit:
        reading = retry(classifier, preprocessed, first)
    elif network is not None and len(preprocessed.parts()) > 1:
        [(string, p)] = likeliest_strings(
            only_digits(network.probabilities(to_line(preprocessed.foreground)[0]))[0], 1
        )
        if len(string) > 1 and p > 0.5:
            return Reading(
                replace(first, is_digit=False, reason=SEVERAL_DIGITS), preprocessed.image
            )
    if network is None or reading.prediction.reason == SEVERAL_DIGITS:
        return reading
    return second_opinion(reading, network, preprocessed)


def second_opinion(reading: Reading, network: LineNetwork, preprocessed: Preprocessed) -> Reading:
    """Ask the network for lines which single digit the picture shows, and combine both."""
    first = reading.prediction
    found = np.max(
        [
            single_digit(network.probabilities(to_line(look.foreground)[0]))
            for look in looks_at(preprocessed)
        ],
        axis=0,
    )
    both = (np.array(first.probabilities) + LEAST) * (found + LEAST)
    both /= both.sum()
    digit = int(both.argmax())
    accepted = first.is_digit or found[digit] >= MIN_SINGLE
    if not accepted:
        return reading
    prediction = replace(
        first,
        digit=digit,
        confidence=float(both[digit]),
        probabilities=both.tolist(),
        is_digit=True,
        reason=None,
    )
    return Reading(prediction, reading.image)


def retry(classifier: Classifier, preprocessed: Preprocessed, first: Prediction) -> Reading:
    """Read a rejected picture again: it may show several digits, or one in another foreground.

    It takes tens of milliseconds: keep it out of an event loop.
    """
    parts = preprocessed.parts()
    if len(parts) > 1 and sum(part.is_digit for part in classifier.predict(parts)) > 1:
        return Reading(replace(first, reason=SEVERAL_DIGITS), preprocessed.image)
    candidates = preprocessed.candidates()
    if len(candidates) > 0:
        readings = map(Reading, classifier.predict(candidates), candidates)
        best = max(readings, key=lambda reading: reading.prediction.rejection_score)
        if best.prediction.rejection_score >= SECOND_LOOK_FACTOR * classifier.threshold:
            return best
    return Reading(first, preprocessed.image)
