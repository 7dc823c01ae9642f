"""The event loop's own lane: what waits is done together, and every job has its own answer."""

import asyncio

import pytest

from app.api.lanes import EventLoopLane
from app.api.problems import ProblemError


class Doubling:
    """Doubles numbers, refuses negative ones, fails at 13; remembers what it did together."""

    def __init__(self):
        self.done = []

    def __call__(self, jobs):
        self.done.append(list(jobs))
        if 13 in jobs:
            raise ZeroDivisionError
        return [ValueError(job) if job < 0 else 2 * job for job in jobs]


def answers(lane, jobs):
    """All jobs at once; their results or exceptions in order."""

    async def ask():
        return await asyncio.gather(*map(lane.run, jobs), return_exceptions=True)

    return asyncio.run(ask())


def test_what_waits_is_done_together_and_answered_in_order():
    work = Doubling()
    assert answers(EventLoopLane(9, 3, work), [1, 2, 3, 4, 5]) == [2, 4, 6, 8, 10]
    assert work.done == [[1, 2, 3], [4, 5]]


def test_a_bad_job_has_its_own_answer():
    first, bad, last = answers(EventLoopLane(9, 8, Doubling()), [1, -1, 2])
    assert (first, last) == (2, 4)
    assert isinstance(bad, ValueError)


def test_a_fault_of_the_work_is_each_requests_and_the_lane_goes_on():
    lane = EventLoopLane(9, 2, Doubling())
    faults = answers(lane, [13, 1, 2])
    assert [type(fault) for fault in faults[:2]] == [ZeroDivisionError] * 2
    assert faults[2] == 4
    assert answers(lane, [3]) == [6]


def test_beyond_the_limit_a_job_is_refused_and_not_done():
    work = Doubling()
    results = answers(EventLoopLane(2, 8, work), [1, 2, 3])
    assert results[:2] == [2, 4]
    assert isinstance(results[2], ProblemError) and results[2].kind.name == "overloaded"
    assert work.done == [[1, 2]]


def test_a_request_that_was_given_up_does_not_disturb_the_others():
    lane = EventLoopLane(9, 8, Doubling())

    async def ask():
        impatient, patient = asyncio.ensure_future(lane.run(1)), asyncio.ensure_future(lane.run(2))
        await asyncio.sleep(0)  # both wait now
        impatient.cancel()
        result = await patient
        with pytest.raises(asyncio.CancelledError):
            await impatient
        return result

    assert asyncio.run(ask()) == 4
