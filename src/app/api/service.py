"""What the API keeps between requests: the models, and the two threads that run them."""

import asyncio
import logging
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

from app.api.problems import ProblemError
from app.settings import HUNG_SECONDS, MAX_ADAPTED, MAX_WORK_SECONDS, ApiSettings
from errors import ModelFileError
from model.adaptation import adapt
from model.card import find_line_model
from model.classifier import Classifier, load_classifiers
from model.examples import read_examples
from model.numbers.line import LineNetwork

SWITCH_SECONDS = 0.0005  # that the event loop waits at most for a thread that computes
logger = logging.getLogger("digits")
T = TypeVar("T")


class TooHeavyError(Exception):
    """The work belongs into the heavy lane, which is known only now."""


class Lane:
    """One thread for one kind of work; two would wait for each other, processes scale."""

    def __init__(self, limit: int, heavier: "Lane | None" = None) -> None:
        """Let ``limit`` jobs wait or be done; ``heavier`` takes what raises ``TooHeavyError``."""
        self.limit = limit
        self.heavier = heavier
        self._pool = ThreadPoolExecutor(1)
        self._jobs: dict[Future[Any], float] = {}  # and when each was submitted

    @property
    def hung(self) -> bool:
        """Whether a job takes so long that it will never end."""
        oldest = time.monotonic() - HUNG_SECONDS
        return any(since < oldest and not job.done() for job, since in self._jobs.items())

    async def run(self, work: Callable[[bool], T]) -> T:
        """Return what ``work`` returns; it is told whether this is the heavy lane.

        Raises:
            ProblemError: "overloaded": too many jobs wait, or this one took too long.
        """
        self._jobs = {job: since for job, since in self._jobs.items() if not job.done()}
        if self.hung or len(self._jobs) >= self.limit:
            raise ProblemError("overloaded")
        job = self._pool.submit(work, self.heavier is None)
        self._jobs[job] = time.monotonic()
        try:
            # A job that is given up is not begun any more; one in hand counts until it ends.
            async with asyncio.timeout(MAX_WORK_SECONDS):
                return await asyncio.wrap_future(job)
        except TimeoutError:
            raise ProblemError("overloaded") from None
        except TooHeavyError:
            assert self.heavier is not None
            return await self.heavier.run(work)


class Service:
    """The models in service, and the lanes in which they work.

    Attributes:
        classifiers: the models that answer, by name.
        failures: why the others do not, by name.
        line: the network that reads lines, or None.
        line_failure: why there is none.
        stopping: whether the process has been told to stop.
        heavy: the lane for what takes much memory or time: large images, batches, explanations.
        light: the lane for everything else, which never waits for those.
    """

    def __init__(self, settings: ApiSettings) -> None:
        """Load the models of ``settings.models_dir``.

        Raises:
            ModelFileError: the default model is missing or cannot be used. Any other one that
                cannot is left out, logged, and listed with its reason. So is the network for
                lines.
        """
        sys.setswitchinterval(SWITCH_SECONDS)
        self.settings = settings
        self.classifiers, self.failures = load_classifiers(settings.models_dir)
        for name, reason in self.failures.items():
            logger.warning("The model %s is left out: %s", name, reason)
        if settings.model in self.failures:
            raise ModelFileError(self.failures[settings.model])
        if settings.model not in self.classifiers:
            raise ModelFileError(
                f"The default model {settings.model!r} is not in {settings.models_dir} (found: "
                f"{', '.join(self.classifiers) or 'none'}); train it with bash run.sh cnn, or "
                "set API_MODEL"
            )
        self.line: LineNetwork | None = None
        self.line_failure: str | None = None
        try:
            self.line = LineNetwork.load(find_line_model(settings.models_dir))
        except ModelFileError as error:
            self.line_failure = str(error)
            logger.warning("No numbers are read, and digits by the classifiers alone: %s", error)
        self.stopping = False
        self.heavy = Lane(settings.heavy_queue)
        self.light = Lane(settings.queue, self.heavy)
        self._adapted = lru_cache(maxsize=MAX_ADAPTED)(self._adapt)

    @property
    def hung(self) -> bool:
        """Whether a thread will never take another job."""
        return self.light.hung or self.heavy.hung

    def classifier(self, name: str | None, examples: bytes | None = None) -> Classifier:
        """Return the model called ``name``, or the default one, after it has learnt ``examples``.

        Raises:
            ProblemError: "unknown-model", naming those that exist.
            ExamplesError: an example is bad.
        """
        name = self.settings.model if name is None else name
        if reason := self.failures.get(name):
            raise ProblemError("unknown-model", f"The model {name!r} was not loaded: {reason}")
        if name not in self.classifiers:
            known = ", ".join(self.classifiers)
            raise ProblemError("unknown-model", f"There is no model {name!r}; there are: {known}.")
        return self._adapted(name, examples) if examples else self.classifiers[name]

    def line_network(self) -> LineNetwork:
        """Return the network for lines, or raise ``ProblemError`` "numbers-unavailable"."""
        if self.line is None:
            told = f"This service reads no numbers: {self.line_failure}"
            raise ProblemError("numbers-unavailable", told)
        return self.line

    def _adapt(self, name: str, examples: bytes) -> Classifier:
        return adapt(self.classifiers[name], *read_examples(examples))
