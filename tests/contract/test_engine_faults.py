"""Whatever the services answer, every item has its effect exactly once, and waits are shown rather than slept."""

from datetime import timedelta

import pytest

from bot.model.errors import ServicePaused
from bot.model.events import ServiceSilent
from bot.model.item import ItemStatus
from bot.model.music import Service
from bot.model.run import RunStatus
from tests.contract.engine_room import Engine, engine_room, simulated
from tests.contract.music_room import ALICE, NotingClock
from tests.contract.test_engine_crashes import TRACKS, assert_each_once, start

WRITES = {Service.SPOTIFY: r"playlists/.*/items", Service.YOUTUBE: "playlistItems"}
KINDS = ("500", "503", "reset", "close", "truncated", "garbage")


async def drained(engine: Engine, mapping_id: int) -> None:
    await engine.executor.drain(mapping_id, patience=timedelta(hours=2))


@pytest.mark.parametrize("destination", list(Service))
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_write_without_a_trustworthy_answer_is_read_back_and_happens_once(
    when: str, destination: Service, sqlite_url: str
) -> None:
    """Each kind of fault meets the write of one more track, on either side of the commit."""
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await start(engine, destination)
            await drained(engine, mapping.id)
            more = engine.tracks_with_videos(TRACKS + len(KINDS))[TRACKS:]
            for kind, track in zip(KINDS, more, strict=True):
                media = track if destination is Service.YOUTUBE else engine.right_video(track)
                sandbox.world.add(mapping.left.external_id, media)
                sandbox.faults.next(destination.value, "POST", WRITES[destination], kind, when)
                clock.advance(timedelta(minutes=2))
                await engine.sync.start(mapping.id, ALICE)
                await drained(engine, mapping.id)
            assert sandbox.faults.pending() == 0, "every fault was met"
            await assert_each_once(engine, mapping)
            assert len(await engine.items(mapping, ItemStatus.DONE)) >= TRACKS + len(KINDS) - 1


@pytest.mark.parametrize("destination", list(Service))
async def test_a_write_that_shows_late_is_not_sent_again(destination: Service, sqlite_url: str) -> None:
    """Committed, answered with 503, and invisible for most of the settle time."""
    clock = NotingClock()
    with simulated(clock, settle_lag=50) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await start(engine, destination)
            sandbox.faults.next(destination.value, "POST", WRITES[destination], "503", "after")
            await drained(engine, mapping.id)
            clock.advance(60)
            await assert_each_once(engine, mapping)


@pytest.mark.parametrize("destination", list(Service))
async def test_random_faults_on_every_call_lose_and_double_nothing(destination: Service, sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock, settle_lag=30) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await start(engine, destination)
            sandbox.faults.random(0.3, seed=7)
            await drained(engine, mapping.id)
            sandbox.faults.clear()
            clock.advance(60)
            await drained(engine, mapping.id)
            await assert_each_once(engine, mapping)


async def test_a_short_429_is_waited_for_and_a_long_one_pauses_the_service(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await start(engine, Service.YOUTUBE)
            sandbox.faults.next("youtube", "POST", "playlistItems", "429", retry_after=20)
            sandbox.faults.next("youtube", "POST", "playlistItems", "429", retry_after=3 * 3600, skip=1)
            before = clock.now()
            await engine.executor.drain(mapping.id)
            assert 20 in clock.slept
            silent = [fact for fact in engine.facts if isinstance(fact, ServiceSilent)]
            assert [(fact.service, fact.until > before + timedelta(hours=2)) for fact in silent] == [
                (Service.YOUTUBE, True)
            ]
            waiting = await engine.items(mapping, ItemStatus.PENDING)
            assert waiting
            assert {item.not_before for item in waiting} == {silent[0].until}, (
                "all of the group wait for the same moment"
            )
            run = await engine.last_run(mapping)
            assert (run.status, run.counts.waiting) == (RunStatus.COMPLETED, len(waiting))
            calls = engine.calls()
            with pytest.raises(ServicePaused):
                await engine.sync.start(mapping.id, ALICE)
            assert engine.calls() == calls + 1, "only Spotify was asked; nothing is sent to a silent service"
            clock.advance(timedelta(hours=3, seconds=1))
            await engine.executor.drain(mapping.id)
            await assert_each_once(engine, mapping)


async def test_a_service_that_cannot_be_reached_costs_no_attempts(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await start(engine, Service.YOUTUBE)
    async with engine_room(sqlite_url, sandbox, clock) as engine:  # the simulated services are gone
        await engine.executor.recover()
        await engine.executor.drain(mapping.id, patience=timedelta(0))
        items = await engine.items(mapping)
        assert {item.status for item in items} == {ItemStatus.PENDING}
        assert {item.attempts for item in items} == {0}
        assert all(item.not_before is not None and item.not_before > clock.now() for item in items)
