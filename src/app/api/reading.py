"""From the bytes of images to the bytes of answers: the work itself, done in a thread."""

import base64
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.api.executor import TooHeavyError
from app.api.metrics import count_prediction
from app.api.problems import RETRY_AFTER, ProblemError, image_problem, problem_body
from app.settings import LARGE_IMAGE_PIXELS, MAX_FILE_BYTES, MAX_WORK_SECONDS, MEGABYTE
from errors import ImageError
from model.classifier import Classifier
from model.preprocessing.decode import decode_image, read_header
from model.preprocessing.normalize import Preprocessed, encode_png, normalize
from model.reading import Reading, read_images

Json = dict[str, Any]
logger = logging.getLogger("digits")


@dataclass(frozen=True)
class PredictOptions:
    """How a request wants its images classified.

    Attributes:
        classifier: adapted to the request's examples, if it has any.
        top_k: how many digits to list.
        started: when all of the request was received.
        examples: how many the classifier has learnt.
    """

    classifier: Classifier
    top_k: int
    started: float
    examples: int = 0

    @property
    def milliseconds(self) -> float:
        """What has passed since the request was received."""
        return round((time.perf_counter() - self.started) * 1000, 2)

    def signature(self) -> Json:
        """Return what ends every answer, as ``Answer`` documents it."""
        learnt = {"examples": self.examples} if self.examples else {}
        model = {"model": self.classifier.name, "version": self.classifier.version}
        return {**model, **learnt, "milliseconds": self.milliseconds}


def prepare(data: bytes, heavy: bool) -> tuple[Preprocessed, float]:
    """Decode and preprocess the image in the bytes of a file.

    Returns:
        The image, and how many pixels of the file one of its pixels stands for, 1 or more.

    Raises:
        TooHeavyError: the image has many pixels, and this is not the heavy queue.
        ProblemError: the file is empty or too large, or the image cannot be read.
    """
    if not data:
        raise ProblemError("empty-file")
    if len(data) > MAX_FILE_BYTES:
        megabytes = math.ceil(len(data) / MEGABYTE * 10) / 10  # too many never reads as allowed
        raise ProblemError(
            "file-too-large",
            f"The file has {megabytes:.1f} MB; send at most {MAX_FILE_BYTES // MEGABYTE} MB.",
        )
    try:
        header = read_header(data)
        longest = max(header.size)
        if not heavy and header.width * header.height > LARGE_IMAGE_PIXELS:
            raise TooHeavyError
        preprocessed = normalize(decode_image(header))
    except ImageError as error:
        raise image_problem(error) from error
    return preprocessed, longest / max(preprocessed.source.size)


def read_image(classifier: Classifier, data: bytes, heavy: bool) -> Reading:
    """Classify the image in the bytes of a file, and count what was read; raises as `prepare`."""
    preprocessed, _ = prepare(data, heavy)
    [reading] = read_images(classifier, [preprocessed])
    prediction = reading.prediction
    count_prediction(classifier.name, prediction.digit, prediction.confidence, prediction.reason)
    return reading


def describe(options: PredictOptions, reading: Reading) -> Json:
    """Return what the API answers of an image, as ``PredictionResponse`` documents it."""
    classifier, prediction = options.classifier, reading.prediction
    likeliest = sorted(enumerate(prediction.probabilities), key=lambda entry: -entry[1])
    answer: Json = {
        "prediction": prediction.digit,
        "confidence": prediction.confidence,
        "probabilities": prediction.probabilities,
        "top_k": [
            {"digit": digit, "probability": probability}
            for digit, probability in likeliest[: options.top_k]
        ],
        "is_digit": prediction.is_digit,
        "reason": prediction.reason,
        "image": data_url(reading.image),
    }
    if classifier.permutation is not None:
        answer["permuted_image"] = data_url(classifier.model_input(reading.image))
    return {**answer, **options.signature()}


def describe_batch(
    options: PredictOptions, files: Sequence[bytes], path: str, root_path: str
) -> Json:
    """Read images one by one; the fault of an image is its own answer.

    Raises:
        ProblemError: "overloaded": there is no time for the rest, and nobody waits any more.
    """
    results = []
    for data in files:
        if options.milliseconds > 1000 * MAX_WORK_SECONDS:
            raise ProblemError("overloaded", headers=RETRY_AFTER)
        try:
            results.append(describe(options, read_image(options.classifier, data, heavy=True)))
        except ProblemError as problem:
            results.append(problem_body(problem, path, root_path))
        except Exception:  # whatever it is, it is this image's answer alone
            logger.exception("An image of a batch could not be read")
            results.append(problem_body(ProblemError("internal-error"), path, root_path))
    return {"results": results, "milliseconds": options.milliseconds}


def data_url(image: np.ndarray) -> str:
    """Return an image (28, 28) or (28, 28, 3), uint8, as the data URL of a PNG."""
    return "data:image/png;base64," + base64.b64encode(encode_png(image)).decode()
