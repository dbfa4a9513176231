"""The background tasks: their notes, one line for each failure, tasks that come and go, and loops that beat."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.engine.scheduler import Task, daily, every
from bot.engine.tasks import INTERRUPTED, Loop, Tasks
from bot.model.errors import UserMistake
from storage import Storage
from storage.tasks import PULSE, Pulse
from storage.words import TaskState
from tests.clock import FakeClock
from tests.contract.engine_room import Engine, engine_room, simulated
from tests.contract.music_room import NotingClock


@asynccontextmanager
async def room(url: str) -> AsyncIterator[Engine]:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(url, sandbox, clock) as engine:
            yield engine


def task(work: object) -> Task:
    return Task(title="Tea", purpose="Makes tea", trigger=every(hours=1), work=work)  # type: ignore[arg-type]


async def test_a_failure_is_told_once_until_the_task_is_well_or_fails_otherwise(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes = [UserMistake("no water"), UserMistake("no water"), ValueError("no cup"), None, UserMistake("no water")]

    async def work() -> str:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome
        return "tea"

    caplog.set_level("INFO")
    async with room(sqlite_url) as engine:
        engine.scheduler.add("tea", task(work))
        for _ in range(5):
            await engine.scheduler.run_now("tea")
        told = [record.getMessage() for record in caplog.records if record.name == "bot.engine.scheduler"]
        assert told == ["task.failed", "bug", "task.recovered", "task.failed"]
        [noted] = [one for one in await engine.storage.tasks.all() if one.task_name == "tea"]
        assert (noted.status, noted.last_error, noted.last_result) == (TaskState.FAILED, "no water", "tea")


async def test_tasks_can_be_added_and_taken_away_while_the_clockwork_goes(sqlite_url: str) -> None:
    made = asyncio.Event()

    async def work() -> str:
        made.set()
        return "tea"

    async with room(sqlite_url) as engine:
        await engine.scheduler.start()
        at_start = Task(title="Tea", purpose="", trigger=daily(5), work=work, at_start=lambda: True)
        take_away = engine.scheduler.add("tea", at_start)
        await asyncio.wait_for(made.wait(), 5)
        assert engine.scheduler.next_run("tea") is not None
        take_away()
        assert "tea" not in engine.scheduler.names
        with pytest.raises(UserMistake):
            await engine.scheduler.run_now("tea")
        await engine.scheduler.stop()


async def test_one_that_is_at_work_is_waited_for_and_not_started_twice(sqlite_url: str) -> None:
    runs, go = [], asyncio.Event()

    async def work() -> str:
        runs.append(1)
        await go.wait()
        return "tea"

    async with room(sqlite_url) as engine:
        engine.scheduler.add("tea", task(work))
        tasks = Tasks(engine.storage, engine.scheduler, {})
        assert not await engine.scheduler.run_now("tea", patience=0.01)
        assert (await tasks.get("tea")).status == TaskState.RUNNING
        both = asyncio.gather(engine.scheduler.run_now("tea"), engine.scheduler.run_now("tea"))
        await asyncio.sleep(0)
        go.set()
        assert await both == [True, True]
        assert runs == [1]


async def test_one_that_the_end_of_the_program_broke_off_is_not_shown_as_at_work(sqlite_url: str) -> None:
    async with room(sqlite_url) as engine:
        await engine.storage.tasks.note("sync", status=TaskState.RUNNING, last_run=engine.clock.now())
        [shown] = [one for one in await Tasks(engine.storage, engine.scheduler, {}).list() if one.name == "sync"]
        assert (shown.status, shown.last_error) == (TaskState.FAILED, INTERRUPTED)


async def test_loops_that_keep_their_own_pace_cannot_be_run_by_hand(sqlite_url: str) -> None:
    async with room(sqlite_url) as engine:
        tasks = Tasks(engine.storage, engine.scheduler, {"feed": Loop(title="Feed", purpose="")})
        with pytest.raises(UserMistake, match="its own pace"):
            await tasks.run_now("feed", 1)
        with pytest.raises(UserMistake, match="no such task"):
            await tasks.run_now("coffee", 1)


async def test_the_executor_notes_that_it_lives(sqlite_url: str) -> None:
    async with room(sqlite_url) as engine:
        worker = asyncio.create_task(engine.executor.run_forever())
        async with asyncio.timeout(5):
            while not await engine.storage.tasks.all():  # noqa: ASYNC110 - the loop has no event of ours to wait for
                await asyncio.sleep(0.01)
        worker.cancel()
        await asyncio.wait([worker])
        [noted] = await engine.storage.tasks.all()
        assert (noted.task_name, noted.status) == ("executor", TaskState.OK)
        assert "nothing due" in noted.last_result


async def test_a_pulse_is_noted_once_a_minute_and_at_once_when_it_fails_or_recovers(
    each_storage: Storage, clock: FakeClock
) -> None:
    pulse = Pulse(each_storage.tasks, "loop", clock)

    async def noted() -> tuple[str, str, str]:
        [status] = await each_storage.tasks.all()
        return status.status, status.last_result, status.last_error

    await pulse.beat("1")
    await pulse.beat("2")
    assert await noted() == (TaskState.OK, "1", "")
    await pulse.failed("no water")
    assert await noted() == (TaskState.FAILED, "1", "no water")
    await pulse.beat("3")
    assert await noted() == (TaskState.OK, "3", "")
    clock.advance(PULSE - timedelta(seconds=1))
    await pulse.beat("4")
    assert await noted() == (TaskState.OK, "3", "")
    clock.advance(1)
    await pulse.beat("5")
    assert await noted() == (TaskState.OK, "5", "")
