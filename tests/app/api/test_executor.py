"""Work goes to threads, in queues of a set length; what nobody waits for is not done."""

import asyncio
import functools
import gc
import threading
import weakref

import pytest

from app.api import executor as module
from app.api.executor import Executor, TooHeavyError
from app.api.problems import ProblemError


class Client:
    """Stands for a request whose client stays, or has left."""

    def __init__(self, left: bool = False) -> None:
        self.left = left

    async def is_disconnected(self) -> bool:
        return self.left


def test_work_is_done_in_another_thread_and_what_it_raises_is_raised():
    async def main() -> None:
        executor = Executor(1, 4, 4)
        assert await executor.run(Client(), lambda _: threading.get_ident()) != (
            threading.get_ident()
        )
        with pytest.raises(ZeroDivisionError):
            await executor.run(Client(), lambda _: 1 / 0)
        executor.close()

    asyncio.run(main())


def test_what_turns_out_to_be_heavy_is_done_one_at_a_time():
    running, most = 0, 0

    def work(heavy: bool) -> None:
        nonlocal running, most
        if not heavy:
            raise TooHeavyError
        running += 1
        most = max(most, running)
        threading.Event().wait(0.01)
        running -= 1

    async def main() -> None:
        executor = Executor(4, 20, 20)
        await asyncio.gather(*(executor.run(Client(), work) for _ in range(10)))
        executor.close()

    asyncio.run(main())
    assert most == 1


def test_beyond_the_queue_work_is_refused_and_light_work_goes_on_beside_heavy():
    go = threading.Event()

    async def main() -> None:
        executor = Executor(1, 2, 2)
        heavy = [
            asyncio.create_task(executor.run(Client(), lambda _: go.wait(), heavy=True))
            for _ in range(2)
        ]
        await asyncio.sleep(0)
        with pytest.raises(ProblemError) as refused:
            await executor.run(Client(), lambda _: None, heavy=True)
        assert (refused.value.kind.code, refused.value.headers) == (
            "overloaded",
            {"Retry-After": "1"},
        )
        assert await executor.run(Client(), lambda _: "light") == "light"
        go.set()
        await asyncio.gather(*heavy)
        assert await executor.run(Client(), lambda _: "again", heavy=True) == "again"
        executor.close()

    asyncio.run(main())


def test_work_of_a_client_that_has_left_is_dropped():
    go, done = threading.Event(), []

    async def main() -> None:
        executor = Executor(1, 9, 9)
        first = asyncio.create_task(executor.run(Client(), lambda _: go.wait(), heavy=True))
        await asyncio.sleep(0)
        left = asyncio.create_task(executor.run(Client(left=True), done.append, heavy=True))
        stays = asyncio.create_task(executor.run(Client(), done.append, heavy=True))
        await asyncio.sleep(0)
        go.set()
        with pytest.raises(ProblemError):
            await left
        await asyncio.gather(first, stays)
        executor.close()

    asyncio.run(main())
    assert done == [True]


def test_a_slot_is_free_again_where_the_time_is_over_while_one_asks_for_the_client(monkeypatch):
    class SlowToAsk(Client):
        async def is_disconnected(self) -> bool:
            await asyncio.sleep(10)
            return False

    async def main() -> None:
        executor = Executor(1, 9, 9)
        go = threading.Event()
        first = asyncio.create_task(executor.run(Client(), lambda _: go.wait(), heavy=True))
        await asyncio.sleep(0)
        monkeypatch.setattr(module, "MAX_WORK_SECONDS", 0.2)
        waiting = asyncio.create_task(executor.run(SlowToAsk(), lambda _: None, heavy=True))
        await asyncio.sleep(0)
        go.set()
        await first
        with pytest.raises(ProblemError, match="more work"):
            await waiting
        assert await executor.run(Client(), lambda _: "free", heavy=True) == "free"
        executor.close()

    asyncio.run(main())


def test_after_the_time_to_wait_the_answer_is_overloaded_and_the_slot_stays_taken(monkeypatch):
    monkeypatch.setattr(module, "MAX_WORK_SECONDS", 0.05)
    go = threading.Event()

    async def main() -> None:
        executor = Executor(1, 9, 9)
        with pytest.raises(ProblemError, match="more work"):
            await executor.run(Client(), lambda _: go.wait(), heavy=True)
        with pytest.raises(ProblemError, match="more work"):  # the thread is not free yet
            await executor.run(Client(), lambda _: None, heavy=True)
        go.set()
        monkeypatch.setattr(module, "MAX_WORK_SECONDS", 10)
        assert await executor.run(Client(), lambda _: "free", heavy=True) == "free"
        executor.close()

    asyncio.run(main())


def test_an_error_keeps_its_lines_but_nothing_of_what_the_work_held():
    class Image:
        pass

    held = []

    def fail(heavy: bool) -> None:
        image = Image()
        held.append(weakref.ref(image))
        try:
            raise KeyError
        except KeyError as error:
            raise ProblemError("blank-picture") from error

    def work(heavy: bool, body: Image) -> None:
        fail(heavy)

    async def main() -> None:
        executor = Executor(1, 4, 4)
        body = Image()
        held.append(weakref.ref(body))
        with pytest.raises(ProblemError) as caught:
            await executor.run(Client(), functools.partial(work, body=body))
        assert "fail" in [entry.name for entry in caught.traceback]
        del body, caught  # which the traceback of the test's own lines holds
        executor.close()

    gc.disable()
    try:
        asyncio.run(main())
        assert [reference() for reference in held] == [None, None]
    finally:
        gc.enable()
