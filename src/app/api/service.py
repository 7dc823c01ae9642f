"""What the API keeps between requests: the models, and the two threads that run them."""

import asyncio
import logging
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any, TypeVar

from app.api.problems import ProblemError
from app.settings import HUNG_SECONDS, MAX_ADAPTED, MAX_WORK_SECONDS, ApiSettings
from errors import ModelFileError
from model.adaptation import adapt
from model.card import find_line_model
from model.classifier import Classifier, load_classifiers
from model.examples import read_examples
from model.numbers.line import LineNetwork

logger = logging.getLogger("digits")
T = TypeVar("T")


class TooHeavyError(Exception):
    """The work belongs into the heavy lane, which is known only now."""


class Lane:
    """One thread for one kind of work; two would wait for each other, processes scale."""

    def __init__(self, limit: int) -> None:
        """Let ``limit`` jobs wait or be done."""
        self.limit = limit
        self._pool = ThreadPoolExecutor(1)
        self._jobs: dict[Future[Any], float] = {}  # those to be done, and when each was submitted

    @property
    def hung(self) -> bool:
        """Whether a job takes so long that it will never end."""
        return any(since < time.monotonic() - HUNG_SECONDS for since in list(self._jobs.values()))

    async def run(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns.

        Raises:
            ProblemError: "overloaded": too many jobs wait, or this one took too long.
        """
        if not self.hung and len(self._jobs) < self.limit:
            job = self._pool.submit(work)
            self._jobs[job] = time.monotonic()
            job.add_done_callback(self._jobs.pop)
            with suppress(TimeoutError):
                # A job that is given up is not begun any more; one in hand counts until it ends.
                async with asyncio.timeout(MAX_WORK_SECONDS):
                    return await asyncio.wrap_future(job)
        raise ProblemError("overloaded", headers={"Retry-After": "1"})


class Service:
    """The models in service, and the lanes in which they work.

    Attributes:
        classifiers: the models that answer, by name.
        failures: why the others do not, by name.
        line: the network that reads lines, or None.
        line_failure: why there is none.
        stopping: whether the process was told to stop.
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
        sys.setswitchinterval(0.0005)  # so long the event loop waits for a thread that computes
        self.settings = settings
        self.classifiers, self.failures = load_classifiers(settings.models_dir)
        for name, reason in self.failures.items():
            logger.warning("The model %s is left out: %s", name, reason)
        if settings.model not in self.classifiers:
            found = ", ".join(self.classifiers) or "none"
            raise ModelFileError(
                self.failures.get(settings.model)
                or f"The default model {settings.model!r} is not in {settings.models_dir} (found: "
                f"{found}); train it with bash run.sh cnn, or set API_MODEL"
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
        self.light = Lane(settings.queue)
        self._adapted = lru_cache(maxsize=MAX_ADAPTED)(self._adapt)

    @property
    def hung(self) -> bool:
        """Whether a thread will never take another job."""
        return self.light.hung or self.heavy.hung

    async def run(self, work: Callable[[bool], T], heavy: bool = False) -> T:
        """Return what ``work`` returns; it is told whether it runs in the heavy lane.

        Work that is not ``heavy`` may raise ``TooHeavyError``: then it starts again there.
        """
        if not heavy:
            with suppress(TooHeavyError):
                return await self.light.run(partial(work, False))
        return await self.heavy.run(partial(work, True))

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

    def _adapt(self, name: str, examples: bytes) -> Classifier:
        return adapt(self.classifiers[name], *read_examples(examples))
