"""The engine working by itself: fair turns, people first, clean stops, abandoned runs, and the clockwork."""

import asyncio
from datetime import timedelta

import pytest

from bot.clock import SystemClock
from bot.logs.database import open_database_log
from bot.logs.setup import open_logs
from bot.model.errors import UserMistake
from bot.model.events import Event, RunFinished
from bot.model.item import ItemStatus
from bot.model.music import Service
from bot.model.run import RunKind, RunStatus, Trigger
from storage.words import TaskState
from tests.contract.engine_room import Engine, engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock


async def enqueued(engine: Engine, count: int, *, start: int, trigger: Trigger) -> int:
    mapping = await engine.map(engine.spotify_playlist(count, start=start), engine.youtube_playlist())
    await engine.sync.start(mapping.id, ALICE if trigger is Trigger.COMMAND else 0, trigger)
    return mapping.id


async def test_mappings_take_turns_and_what_people_asked_for_goes_first(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            first = await enqueued(engine, 14, start=0, trigger=Trigger.SCHEDULE)
            second = await enqueued(engine, 14, start=20, trigger=Trigger.SCHEDULE)
            asked = await enqueued(engine, 3, start=40, trigger=Trigger.COMMAND)
            await engine.executor.drain()
            ended = [fact.run for fact in engine.facts if isinstance(fact, RunFinished)]
            assert [run.mapping_id for run in ended if run.kind is RunKind.EXECUTION] == [asked, first, second]
            targets = {}
            for id_ in (first, second, asked):
                mapping = await engine.storage.mappings.get(id_)
                assert mapping is not None
                targets[mapping.right.external_id] = id_
            order = [
                targets[write.playlist]
                for write in sandbox.books.writes()
                if write.playlist in targets and write.hand == "app"
            ]
            turns = [one for one, before in zip(order, [0, *order], strict=False) if one != before]
            assert turns == [asked, first, second, first, second]


async def test_a_stop_in_the_middle_settles_what_is_being_sent_and_gives_the_rest_back(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        reached = asyncio.Event()

        def crash(point: str) -> None:
            if point == "after_intent":
                reached.set()

        async with engine_room(sqlite_url, sandbox, clock, crash=crash) as engine:
            await engine.link_both()
            mapping_id = await enqueued(engine, 8, start=0, trigger=Trigger.COMMAND)
            mapping = await engine.storage.mappings.get(mapping_id)
            assert mapping is not None
            sandbox.faults.next("youtube", "POST", "playlistItems", "slow", delay=0.5)
            worker = asyncio.create_task(engine.executor.run_forever())
            await asyncio.wait_for(reached.wait(), timeout=10)
            worker.cancel()
            await asyncio.wait([worker], timeout=15)
            assert worker.cancelled()
            statuses = [item.status for item in await engine.items(mapping)]
            assert set(statuses) == {ItemStatus.DONE, ItemStatus.PENDING}
            assert len(sandbox.world.youtube_items(mapping.right.external_id)) == statuses.count(ItemStatus.DONE) >= 1
            assert (await engine.last_run(mapping)).status is RunStatus.CANCELLED
            await engine.executor.drain()
            assert {item.status for item in await engine.items(mapping)} == {ItemStatus.DONE}
            assert sandbox.books.duplicates() == {}


async def test_woken_on_a_running_clock_it_works_and_stops(sqlite_url: str) -> None:
    """The loop as the program runs it, on the real clock: it wakes at once and is cancelled while it idles."""
    clock = SystemClock()
    with simulated(clock) as sandbox:  # type: ignore[arg-type]
        async with engine_room(sqlite_url, sandbox, clock) as engine:  # type: ignore[arg-type]
            await engine.link_both()
            finished = asyncio.Event()
            engine.hub.subscribe(RunFinished, lambda fact: fact.run.kind is RunKind.EXECUTION and finished.set())
            worker = asyncio.create_task(engine.executor.run_forever())
            await asyncio.sleep(0)
            mapping_id = await enqueued(engine, 2, start=0, trigger=Trigger.COMMAND)
            await asyncio.wait_for(finished.wait(), timeout=15)
            worker.cancel()
            await asyncio.wait([worker], timeout=5)
            mapping = await engine.storage.mappings.get(mapping_id)
            assert mapping is not None
            assert {item.status for item in await engine.items(mapping)} == {ItemStatus.DONE}


async def test_a_run_without_a_heartbeat_for_half_an_hour_fails_and_its_items_go_on(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping_id = await enqueued(engine, 2, start=0, trigger=Trigger.COMMAND)
            mapping = await engine.storage.mappings.get(mapping_id)
            assert mapping is not None
            now = clock.now()
            dead = await engine.storage.runs.start(RunKind.EXECUTION, mapping_id, Trigger.COMMAND, ALICE, now)
            assert dead is not None
            await engine.storage.items.claim_due(
                now, now + timedelta(minutes=10), "dead", limit=5, mapping_id=mapping_id, service=Service.YOUTUBE
            )
            await engine.scheduler.run_now("heartbeats")
            assert (await engine.last_run(mapping)).status is RunStatus.IN_PROGRESS
            clock.advance(timedelta(minutes=31))
            await engine.scheduler.run_now("heartbeats")
            assert (await engine.last_run(mapping)).status is RunStatus.FAILED
            await engine.executor.drain()
            assert {item.status for item in await engine.items(mapping)} == {ItemStatus.DONE}


async def test_a_paused_guild_or_mapping_is_left_alone_until_it_is_resumed(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping_id = await enqueued(engine, 2, start=0, trigger=Trigger.COMMAND)
            mapping = await engine.mappings.pause(GUILD, mapping_id, ALICE)
            await engine.executor.drain()
            assert {item.status for item in await engine.items(mapping)} == {ItemStatus.PENDING}
            await engine.mappings.resume(GUILD, mapping_id, ALICE)
            await engine.executor.drain()
            assert {item.status for item in await engine.items(mapping)} == {ItemStatus.DONE}


async def test_due_mappings_are_analysed_and_get_their_next_time(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping = await engine.map(engine.spotify_playlist(2), engine.youtube_playlist(), schedule="every 30m")
            await engine.scheduler.run_now("sync")
            assert await engine.items(mapping) == [], "not due yet"
            clock.advance(timedelta(minutes=30))
            await engine.scheduler.run_now("sync")
            assert len(await engine.items(mapping)) == 2
            after = await engine.storage.mappings.get(mapping.id)
            assert after is not None
            assert after.next_run_at == clock.now() + timedelta(minutes=30)
            (task,) = [task for task in await engine.storage.tasks.all() if task.task_name == "sync"]
            assert (task.status, task.last_result) == (TaskState.OK, "mappings analysed: 1")
            with pytest.raises(UserMistake, match="no task"):
                await engine.scheduler.run_now("coffee")


async def test_a_mapping_that_fails_does_not_keep_the_others_from_their_turn(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            gone = engine.spotify_playlist(2)
            bad = await engine.map(gone, engine.youtube_playlist(), schedule="every 30m")
            good = await engine.map(engine.spotify_playlist(2), engine.youtube_playlist(), schedule="every 30m")
            sandbox.world.delete(gone)
            clock.advance(timedelta(minutes=30))
            await engine.scheduler.run_now("sync")
            assert (await engine.last_run(bad)).status is RunStatus.FAILED
            assert len(await engine.items(good)) == 2


async def test_people_are_warned_once_two_weeks_before_their_consent_ends(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox, open_logs(now=clock.now) as logs:
        async with (
            engine_room(sqlite_url, sandbox, clock) as engine,
            open_database_log(logs, engine.storage.logs.append, clock) as database_log,
        ):
            account = await engine.link(Service.SPOTIFY)
            assert account.token_dies_at is not None
            for days_left, warnings in ((20, 0), (14, 1), (13, 1), (1, 1)):
                clock.advance(account.token_dies_at - timedelta(days=days_left) - clock.now())
                await engine.scheduler.run_now("tokens")
                await database_log.flush()
                lines = await engine.storage.logs.query(GUILD, events=[Event.ACCOUNT_EXPIRES_SOON])
                assert len(lines) == warnings, f"{days_left} days before"


async def test_consents_that_nobody_confirms_are_forgotten_after_a_day(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.consent(Service.YOUTUBE)
            await engine.scheduler.run_now("cleanup")
            assert len(await engine.storage.accounts.of_user(ALICE)) == 1
            clock.advance(timedelta(days=1, seconds=1))
            await engine.scheduler.run_now("cleanup")
            assert await engine.storage.accounts.of_user(ALICE) == []


async def test_the_clockwork_starts_its_tasks_and_stops_clean(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.scheduler.start()
            for _ in range(200):
                await asyncio.sleep(0.01)
                tasks = await engine.storage.tasks.all()
                if len(tasks) >= 4 and all(task.status == TaskState.OK for task in tasks):
                    break
            await engine.scheduler.stop()
            assert {task.task_name for task in tasks} >= {"sync", "tokens", "cleanup", "retention"}
            assert all(task.next_run is not None for task in tasks)
