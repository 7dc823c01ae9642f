"""Bounded work: a queue of a set length each, and a quick refusal beyond it."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, ParamSpec, TypeVar

from app.api.problems import RETRY_AFTER, ProblemError

P = ParamSpec("P")
T = TypeVar("T")
J = TypeVar("J")


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


class EventLoopLane(Generic[J, T]):
    """Does short work in the event loop itself, what is waiting together.

    One forward pass serves many requests, and nothing is handed over to a thread and back: Python
    lets one thread run at a time, so that waiting for each other costs a fifth of a request.
    """

    def __init__(
        self, limit: int, most: int, work: Callable[[Sequence[J]], Sequence[T | Exception]]
    ) -> None:
        """Start empty.

        Args:
            limit: jobs that may be pending.
            most: jobs that are done together; the event loop has its turn after so many.
            work: returns the result, or the exception, of each job.
        """
        self.limit = limit
        self._most = most
        self._work = work
        self._waiting: list[tuple[J, asyncio.Future[T]]] = []

    async def run(self, job: J) -> T:
        """Return the result of ``job``.

        Raises:
            ProblemError: "overloaded", when the queue is full.
            Exception: what ``work`` returned in place of a result.
        """
        _refuse_beyond(self.limit, len(self._waiting))
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append((job, future))
        if len(self._waiting) == 1:
            loop.call_soon(self._serve)  # after the requests that have arrived by now
        return await future

    def _serve(self) -> None:
        taken, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._serve)
        try:
            results = self._work([job for job, _ in taken])
        except Exception as error:  # a fault of ours: each request answers 500, the loop goes on
            results = [error] * len(taken)
        for (_, future), result in zip(taken, results, strict=True):
            if future.cancelled():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
