"""Bounded work: a thread each, a queue of a set length, and a quick refusal beyond it."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Generic, ParamSpec, TypeVar

from app.api.problems import ProblemError

P = ParamSpec("P")
T = TypeVar("T")
J = TypeVar("J")
RETRY_AFTER = {"Retry-After": "1"}


def _refuse_beyond(limit: int, pending: int) -> None:
    if pending >= limit:
        raise ProblemError("overloaded", headers=RETRY_AFTER)


class Lane:
    """A thread that does at most ``limit`` pieces of work, one by one; waiting ones count."""

    def __init__(self, name: str, limit: int) -> None:
        self.limit = limit
        self.pending = 0
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``work`` returns.

        Raises:
            ProblemError: "overloaded", when the queue is full.
        """
        _refuse_beyond(self.limit, self.pending)
        self.pending += 1
        try:
            future = self._executor.submit(work, *args, **kwargs)
            return await asyncio.wrap_future(future)
        finally:
            self.pending -= 1

    def close(self) -> None:
        """End the thread after the work in hand."""
        self._executor.shutdown(cancel_futures=True)


class BatchingLane(Generic[J, T]):
    """A thread that does together what is waiting: one forward pass serves many requests.

    A lone job never waits for company. Answers go back to the event loop together, since each
    hand-over between threads costs more than the parsing of a request.
    """

    def __init__(
        self,
        name: str,
        limit: int,
        most: int,
        work: Callable[[Sequence[J]], Sequence[T | Exception]],
    ) -> None:
        """Start the thread.

        Args:
            name: of the thread.
            limit: jobs that may be pending.
            most: jobs that are done together.
            work: returns the result, or the exception, of each job.
        """
        self.limit = limit
        self.pending = 0
        self._most = most
        self._work = work
        self._queue: SimpleQueue[tuple[J, asyncio.Future[T]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    async def run(self, job: J) -> T:
        """Return the result of ``job``.

        Raises:
            ProblemError: "overloaded", when the queue is full.
            Exception: what ``work`` returned in place of a result.
        """
        _refuse_beyond(self.limit, self.pending)
        self.pending += 1
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put((job, future))
        try:
            return await future
        finally:
            self.pending -= 1

    def close(self) -> None:
        """End the thread after the work in hand."""
        self._queue.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while (first := self._queue.get()) is not None:
            taken = [first]
            ended = False
            while len(taken) < self._most and not ended:
                try:
                    item = self._queue.get_nowait()
                except Empty:
                    break
                if item is None:
                    ended = True
                else:
                    taken.append(item)
            jobs = [job for job, _ in taken]
            futures = [future for _, future in taken]
            try:
                results = self._work(jobs)
            except Exception as error:  # a fault of ours: each request answers 500, the lane lives
                results = [error] * len(jobs)
            futures[0].get_loop().call_soon_threadsafe(_deliver, futures, results)
            if ended:
                return


def _deliver(futures: Sequence["asyncio.Future[T]"], results: Sequence[T | Exception]) -> None:
    for future, result in zip(futures, results, strict=True):
        if future.cancelled():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
