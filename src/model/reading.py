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
from model.numbers.decode import single_digit
from model.numbers.line import LineNetwork, to_line
from model.numbers.looks import looks_at
from model.preprocessing.normalize import Preprocessed, preprocess

MIN_SINGLE = 0.8


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
    """Read pictures in one forward pass; retry each that is rejected."""
    if not preprocessed:
        return []
    predictions = classifier.predict(np.stack([one.image for one in preprocessed]))
    return [
        Reading(prediction, one.image)
        if prediction.is_digit
        else retry(classifier, one, prediction, network)
        for one, prediction in zip(preprocessed, predictions, strict=True)
    ]


def retry(
    classifier: Classifier,
    preprocessed: Preprocessed,
    first: Prediction,
    network: LineNetwork | None = None,
) -> Reading:
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
    if network is not None:
        found = np.max(
            [
                single_digit(network.probabilities(to_line(look.foreground)[0]))
                for look in looks_at(preprocessed)
            ],
            axis=0,
        )
        digit = int(found.argmax())
        if found[digit] > MIN_SINGLE:
            return Reading(
                replace(
                    first, digit=digit, confidence=float(found[digit]), is_digit=True, reason=None
                ),
                preprocessed.image,
            )
    return Reading(first, preprocessed.image)
