"""Bounded work: a few threads, a queue of a set length, and a quick refusal beyond it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from app.api.problems import ProblemError

P = ParamSpec("P")
T = TypeVar("T")


class Lane:
    """Threads that work one after another on at most ``limit`` pieces, waiting ones included."""

    def __init__(self, name: str, limit: int, threads: int = 1) -> None:
        self.limit = limit
        self.pending = 0
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``work`` returns.

        Raises:
            ProblemError: "overloaded", when the queue is full.
        """
        if self.pending >= self.limit:
            raise ProblemError("overloaded", headers={"Retry-After": "1"})
        self.pending += 1
        try:
            future = self._executor.submit(work, *args, **kwargs)
            return await asyncio.wrap_future(future)
        finally:
            self.pending -= 1

    def close(self) -> None:
        """End the threads after the work in hand."""
        self._executor.shutdown(cancel_futures=True)
