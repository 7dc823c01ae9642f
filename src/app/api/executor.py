"""Where all work on pixels is done: bounded threads, bounded queues, and a refusal beyond them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from fastapi import Request

from app.api import metrics
from app.api.memory import return_free_memory
from app.api.problems import RETRY_AFTER, ProblemError
from app.settings import MAX_WORK_SECONDS

T = TypeVar("T")


class TooHeavyError(Exception):
    """The work must be done in the heavy queue, which is known only now."""


class Queue:
    """Work of one kind: at most ``limit`` pieces wait or are done, ``slots`` of them at once."""

    def __init__(self, name: str, limit: int, slots: int) -> None:
        self.limit = limit
        self.pending = 0
        self.slots = asyncio.Semaphore(slots)
        self.gauge = metrics.QUEUE.labels(name)


class Executor:
    """Threads that do work for requests.

    What is heavy (images of many pixels, batches, explanations) is done one at a time, so that
    the memory it needs is bounded and it never holds up the rest.
    """

    def __init__(self, threads: int, queue: int, heavy_queue: int) -> None:
        """Start no thread yet.

        Args:
            threads: pieces of work at once; one more where it is 1, so that light work goes on.
            queue: pieces of light work that may be pending.
            heavy_queue: pieces of heavy work that may be pending.
        """
        threads = max(2, threads)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="work")
        self._light = Queue("light", queue, threads)
        self._heavy = Queue("heavy", heavy_queue, 1)

    async def run(self, request: Request, work: Callable[[bool], T], *, heavy: bool = False) -> T:
        """Return what ``work`` returns.

        Args:
            request: on whose behalf; work is dropped when its client has left meanwhile.
            work: is told whether it is done in the heavy queue. Where it is not and must be, it
                raises ``TooHeavyError`` and is called again from there.
            heavy: whether it belongs there from the start.

        Raises:
            ProblemError: "overloaded": the queue is full, or it took too long.
        """
        if not heavy:
            with suppress(TooHeavyError):
                return await self._run(request, self._light, lambda: work(False))
        return await self._run(request, self._heavy, lambda: _and_clean_up(work))

    async def _run(self, request: Request, queue: Queue, work: Callable[[], T]) -> T:
        if queue.pending >= queue.limit:
            raise ProblemError("overloaded", headers=RETRY_AFTER)
        queue.pending += 1
        queue.gauge.inc()
        try:
            async with asyncio.timeout(MAX_WORK_SECONDS):
                had_to_wait = queue.slots.locked()
                await queue.slots.acquire()
                if had_to_wait and await request.is_disconnected():
                    queue.slots.release()
                    raise ProblemError("overloaded", "The client has left.")
                return await self._in_thread(queue, work)
        except TimeoutError:
            raise ProblemError("overloaded", headers=RETRY_AFTER) from None
        finally:
            queue.pending -= 1
            queue.gauge.dec()

    async def _in_thread(self, queue: Queue, work: Callable[[], T]) -> T:
        """Do the work; the slot is free again when the thread is, however long one waits for it."""
        loop = asyncio.get_running_loop()
        future: Future[T] = self._pool.submit(work)
        try:
            return await asyncio.wrap_future(future)
        finally:
            if future.done():
                queue.slots.release()
            else:
                future.add_done_callback(lambda _: loop.call_soon_threadsafe(queue.slots.release))

    def close(self) -> None:
        """End the threads after the work in hand."""
        self._pool.shutdown(cancel_futures=True)


def _and_clean_up(work: Callable[[bool], T]) -> T:
    try:
        return work(True)
    finally:
        return_free_memory()
