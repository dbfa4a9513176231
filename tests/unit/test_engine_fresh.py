"""A value computed at most once in a while: who stops waiting takes it from nobody else."""

import asyncio

from bot.engine.fresh import Fresh
from tests.clock import FakeClock


async def test_who_stops_waiting_does_not_stop_the_others(clock: FakeClock) -> None:
    gate, calls = asyncio.Event(), 0

    async def compute() -> int:
        nonlocal calls
        calls += 1
        await gate.wait()
        return calls

    fresh = Fresh(compute, clock)
    impatient = asyncio.create_task(fresh.get())
    patient = asyncio.create_task(fresh.get())
    await asyncio.sleep(0)
    impatient.cancel()
    clock.advance(5)  # a slow computation is still shared, not doubled
    late = asyncio.create_task(fresh.get())
    await asyncio.sleep(0)
    gate.set()
    assert (await patient, await late) == (1, 1)


async def test_a_failure_is_shared_and_tried_again_after_its_time(clock: FakeClock) -> None:
    calls = 0

    async def compute() -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OSError("gone")
        return calls

    fresh = Fresh(compute, clock)
    results = await asyncio.gather(fresh.get(), fresh.get(), return_exceptions=True)
    assert [type(result) for result in results] == [OSError, OSError]
    clock.advance(1)
    assert await fresh.get() == 2
