"""Where all work on pixels is done: bounded threads, bounded queues, and a refusal beyond them."""

import asyncio
import time
import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request

from app.api import metrics
from app.api.memory import return_free_memory
from app.api.problems import RETRY_AFTER, ProblemError
from app.settings import MAX_WORK_SECONDS

MAX_TOGETHER = 8  # pieces of light work that one thread is given at once
LATE_SECONDS = 0.02  # after which results do not wait for those of the next piece
T = TypeVar("T")


class TooHeavyError(Exception):
    """The work must be done in the heavy queue, which is known only now."""


@dataclass
class Job:
    """A piece of work, and who waits for it: None where nobody does any more."""

    work: Callable[[], object]
    queue: "Queue"
    future: asyncio.Future[Any] | None
    result: object = None
    error: BaseException | None = None


class Queue:
    """Work of one kind: at most ``limit`` pieces wait or are done, ``slots`` are with threads."""

    def __init__(self, name: str, limit: int, slots: int) -> None:
        self.limit = limit
        self.pending = 0
        self.slots = asyncio.Semaphore(slots)
        self.gauge = metrics.QUEUE.labels(name)


class Executor:
    """Threads that do work for requests.

    What is heavy (images of many pixels, batches, explanations) is done one at a time, so that
    the memory it needs is bounded and it never holds up the rest. Light work that arrives
    together is handed to one thread together, and so are its results to the event loop: threads
    that wait for each other cost a third of a request.
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
        self._light = Queue("light", queue, threads * MAX_TOGETHER)
        self._heavy = Queue("heavy", heavy_queue, 1)
        self._arrived: list[Job] = []

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
                try:
                    if had_to_wait and await request.is_disconnected():
                        raise ProblemError("overloaded", "The client has left.")
                except BaseException:  # the time may be over just now, too
                    queue.slots.release()
                    raise
                return await self._in_thread(queue, work)
        except TimeoutError:
            raise ProblemError("overloaded", headers=RETRY_AFTER) from None
        finally:
            queue.pending -= 1
            queue.gauge.dec()

    async def _in_thread(self, queue: Queue, work: Callable[[], T]) -> T:
        """Do the work; its slot is free again when the thread is, however long one waits for it."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        job = Job(work, queue, future)
        self._arrived.append(job)
        if len(self._arrived) == 1:
            loop.call_soon(self._hand_over, loop)  # with what else has arrived by then
        try:
            return await future
        finally:
            # The traceback of an error leads here and to the job: they must not lead to the error.
            job.future = None
            del future

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        arrived, self._arrived = self._arrived, []
        light = deque(job for job in arrived if job.queue is self._light)
        for _ in range(0, len(light), MAX_TOGETHER):
            self._pool.submit(self._do, light, loop)
        for job in arrived:
            if job.queue is self._heavy:
                self._pool.submit(self._do, deque([job]), loop)

    def _do(self, jobs: deque[Job], loop: asyncio.AbstractEventLoop) -> None:
        """Do jobs in a thread; hand their results back together, but none of them late."""
        done: list[Job] = []
        started = time.perf_counter()
        with suppress(IndexError):  # another thread took the last one
            while jobs:
                job = jobs.popleft()
                if job.future is not None:
                    try:
                        job.result = job.work()
                    except BaseException as error:
                        job.error = _without_images(error)
                del job.work  # and the images that it holds
                done.append(job)
                if time.perf_counter() - started > LATE_SECONDS:
                    self._hand_back(done, loop)
                    done, started = [], time.perf_counter()
        self._hand_back(done, loop)

    def _hand_back(self, done: list[Job], loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(_finish, done)

    def close(self) -> None:
        """End the threads after the work in hand."""
        self._pool.shutdown(cancel_futures=True)


def _and_clean_up(work: Callable[[bool], T]) -> T:
    try:
        return work(True)
    finally:
        return_free_memory()


def _finish(done: list[Job]) -> None:
    for job in done:
        job.queue.slots.release()
        error, job.error = job.error, None
        if job.future is None or job.future.done():
            continue
        if error is not None:
            job.future.set_exception(error)
        else:
            job.future.set_result(job.result)


def _without_images(error: BaseException) -> BaseException:
    """Return an error whose traceback names its lines but keeps none of their variables.

    These are images and bodies of requests, which the circle of error, traceback and variables
    would keep in memory until Python looks for such circles.
    """
    if error.__traceback__ is not None:  # its first line is that of the thread, still at work
        error = error.with_traceback(error.__traceback__.tb_next)
    link: BaseException | None = error
    while link is not None:
        traceback.clear_frames(link.__traceback__)
        link = link.__cause__ or link.__context__
    return error
