"""From the bytes of pictures to answers: the work itself, wherever it is done."""

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from app.api.metrics import count_prediction
from app.api.problems import picture_problem
from app.api.schemas import DigitProbability, PredictionAnswer
from app.settings import LARGE_IMAGE_PIXELS, QUICK_PICTURE_BYTES, QUICK_PICTURE_PIXELS
from errors import ImageError
from model.classifier import Classifier, Prediction
from model.preprocessing.decode import read_header
from model.preprocessing.normalize import encode_png, preprocess


class Work(Enum):
    """How much work a picture is."""

    QUICK = "read within a few milliseconds, as what a canvas sends"
    ORDINARY = "what people photograph or scan"
    LARGE = "decoded one at a time, for the memory that it needs"


@dataclass(frozen=True)
class Answering:
    """How a request wants its pictures read."""

    reader: Classifier
    top_k: int


@dataclass(frozen=True)
class PictureJob:
    """A picture to be read, received at ``started``."""

    answering: Answering
    data: bytes
    started: float


def work_of(data: bytes) -> Work:
    """Return how much work the picture will be, judged from the header alone.

    Raises:
        ProblemError: it is no picture that can be read.
    """
    try:
        header = read_header(data)
    except ImageError as error:
        raise picture_problem(error) from error
    pixels = header.width * header.height
    if pixels > LARGE_IMAGE_PIXELS:
        return Work.LARGE
    # Of PNG alone few pixels and bytes mean little work: a JPEG may go over its own many times.
    quick = (
        header.format == "PNG"
        and pixels <= QUICK_PICTURE_PIXELS
        and len(data) <= QUICK_PICTURE_BYTES
    )
    return Work.QUICK if quick else Work.ORDINARY


def image_of(data: bytes) -> np.ndarray:
    """Return the (28, 28) uint8 that a model reads, from the bytes of a picture file.

    Raises:
        ProblemError: the picture cannot be read.
    """
    try:
        return preprocess(data).image
    except ImageError as error:
        raise picture_problem(error) from error


def milliseconds_since(started: float) -> float:
    """Return the milliseconds since ``time.perf_counter()`` was ``started``."""
    return round((time.perf_counter() - started) * 1000, 2)


def data_url(image: np.ndarray) -> str:
    """Return a (28, 28) uint8 picture as the data URL of a PNG."""
    return "data:image/png;base64," + base64.b64encode(encode_png(image)).decode()


def read_images(reader: Classifier, images: np.ndarray) -> list[Prediction]:
    """Read (N, 28, 28) pictures and count what was read."""
    predictions = reader.predict(images)
    for read in predictions:
        count_prediction(reader.name, read.digit, read.confidence, read.reason)
    return predictions


def prediction_answer(
    answering: Answering, image: np.ndarray, read: Prediction, started: float
) -> PredictionAnswer:
    """Put into words of the API what ``read`` says of ``image``; work began at ``started``."""
    reader = answering.reader
    best = sorted(range(len(read.probabilities)), key=lambda digit: -read.probabilities[digit])
    permuted = (
        {}
        if reader.permutation is None
        else {"permuted_image": data_url(reader.model_input(image))}
    )
    return PredictionAnswer(
        prediction=read.digit,
        confidence=read.confidence,
        probabilities=read.probabilities,
        top_k=[
            DigitProbability(digit=digit, probability=read.probabilities[digit])
            for digit in best[: answering.top_k]
        ],
        is_digit=read.is_digit,
        reason=read.reason,
        model=reader.name,
        version=reader.version,
        image=data_url(image),
        milliseconds=milliseconds_since(started),
        **permuted,
    )


def answer_pictures(jobs: Sequence[PictureJob]) -> list[PredictionAnswer | Exception]:
    """Answer pictures in one forward pass for each model; a picture's fault is its own answer."""
    answers: dict[int, PredictionAnswer | Exception] = {}
    waiting: dict[Classifier, list[tuple[int, np.ndarray]]] = {}
    for index, job in enumerate(jobs):
        try:
            image = image_of(job.data)
        except Exception as error:  # whatever it is, it is this request's answer alone
            answers[index] = error
        else:
            waiting.setdefault(job.answering.reader, []).append((index, image))
    for reader, pictures in waiting.items():
        predictions = read_images(reader, np.stack([image for _, image in pictures]))
        for (index, image), read in zip(pictures, predictions, strict=True):
            job = jobs[index]
            answers[index] = prediction_answer(job.answering, image, read, job.started)
    return [answers[index] for index in range(len(jobs))]


def answer_picture(job: PictureJob) -> PredictionAnswer:
    """Answer one picture.

    Raises:
        ProblemError: the picture cannot be read.
    """
    (answer,) = answer_pictures([job])
    if isinstance(answer, Exception):
        raise answer
    return answer
