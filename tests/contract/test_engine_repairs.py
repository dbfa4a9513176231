"""What the engine puts right later: late copies of its own, services that keep failing, matches that grow old."""

from collections import Counter
from datetime import timedelta

import pytest

from bot.logs.database import open_database_log
from bot.logs.setup import open_logs
from bot.model.errors import UserMistake
from bot.model.events import Event
from bot.model.item import ItemStatus
from bot.model.music import Service
from bot.model.run import RunKind, RunStatus, Trigger
from tests.contract.engine_room import SETTLE, engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock
from tests.contract.test_engine_crashes import TRACKS, start


async def test_a_copy_that_shows_after_the_settle_time_is_removed_again(sqlite_url: str) -> None:
    """YouTube shows the first write only after we have sent it a second time: the surplus copy is ours to remove."""
    clock = NotingClock()
    with simulated(clock, settle_lag=200) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            clock.advance(201)  # what the test made must show
            mapping = await start(engine, Service.YOUTUBE)
            target = mapping.right.external_id
            sandbox.faults.next("youtube", "POST", "playlistItems", "503", "after")
            await engine.executor.drain(mapping.id)
            clock.advance(timedelta(minutes=10))
            assert sandbox.books.duplicates(target) != {}, "the test needs a double to repair"
            await engine.sync.start(mapping.id, ALICE)
            await engine.executor.drain(mapping.id)
            clock.advance(timedelta(minutes=10))
            assert sandbox.books.duplicates(target) == {}
            assert len(sandbox.world.youtube_items(target)) == TRACKS
            await engine.sync.start(mapping.id, ALICE)
            await engine.executor.drain(mapping.id)
            assert len(sandbox.world.youtube_items(target)) == TRACKS, "a later look removes nothing more"


async def test_a_late_copy_on_spotify_is_reported_since_its_delete_takes_every_copy(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock, settle_lag=200) as sandbox, open_logs(now=clock.now) as logs:
        async with (
            engine_room(sqlite_url, sandbox, clock) as engine,
            open_database_log(logs, engine.storage.logs.append, clock) as database_log,
        ):
            clock.advance(201)
            mapping = await start(engine, Service.SPOTIFY)
            sandbox.faults.next("spotify", "POST", "items", "503", "after")
            await engine.executor.drain(mapping.id)
            clock.advance(timedelta(minutes=10))
            held = sandbox.world.spotify_items(mapping.right.external_id)
            assert Counter(held).most_common(1)[0][1] == 2
            await engine.sync.start(mapping.id, ALICE)
            await engine.executor.drain(mapping.id)
            assert sandbox.world.spotify_items(mapping.right.external_id) == held
            await database_log.flush()
            assert len(await engine.storage.logs.query(GUILD, events=[Event.ITEM_SURPLUS])) == TRACKS


async def test_a_copy_that_a_person_adds_days_later_is_not_taken_for_our_surplus(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await start(engine, Service.YOUTUBE)
            sandbox.faults.next("youtube", "POST", "playlistItems", "503", "before")
            await engine.executor.drain(mapping.id)
            (suspect,) = [link for link in await engine.storage.links.of_mapping(mapping.id) if link.suspect]
            clock.advance(timedelta(days=2))
            sandbox.world.add(mapping.right.external_id, suspect.right_track_id)
            started = await engine.sync.start(mapping.id, ALICE)
            assert started.plan.removes == ()


async def test_a_service_that_fails_on_every_write_is_given_breathers_and_costs_little(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping = await engine.map(engine.spotify_playlist(30), engine.youtube_playlist())
            await engine.sync.start(mapping.id, ALICE)
            sandbox.faults.next("youtube", "POST", "playlistItems", "503", times=1000)
            began = clock.now()
            await engine.executor.drain(mapping.id, patience=timedelta(minutes=31))
            writes = sandbox.books.requests("youtube", method="POST")
            hours = (clock.now() - began) / timedelta(hours=1)
            assert len(writes) < 20 + 20 * hours
            sandbox.faults.clear()
            assert Counter(sandbox.world.youtube_items(mapping.right.external_id)) == Counter()


async def test_remembered_matches_are_looked_at_again_within_30_days_and_dead_ones_dropped(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await start(engine, Service.YOUTUBE)
            await engine.executor.drain(mapping.id)
            done = await engine.items(mapping, ItemStatus.DONE)
            sandbox.world.set_video(done[0].destination_id, "deleted")
            await engine.scheduler.run_now("matches")
            clock.advance(timedelta(days=29, minutes=1))
            await engine.link(Service.YOUTUBE)  # the login of an app in testing lasts a week
            units = sandbox.books.units()
            await engine.scheduler.run_now("matches")
            assert sandbox.books.units() - units == 1
            ids = [item.source_track_id for item in done]
            known = await engine.storage.matches.find(Service.SPOTIFY, ids, GUILD)
            assert set(known) == set(ids[1:])
            assert {row.decided_at for row in known.values()} == {clock.now()}


async def test_a_chosen_plan_is_not_lost_while_the_mapping_is_busy(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping = await engine.map(engine.spotify_playlist(2), engine.youtube_playlist())
            shown = await engine.sync.preview(mapping.id, ALICE)
            other = await engine.storage.runs.start(RunKind.EXECUTION, mapping.id, Trigger.SCHEDULE, 0, clock.now())
            assert other is not None
            with pytest.raises(UserMistake, match="being worked on"):
                await engine.sync.apply(shown.run.id, ALICE)
            await engine.storage.runs.finish(other.id, RunStatus.COMPLETED, clock.now())
            assert (await engine.sync.apply(shown.run.id, ALICE)).enqueued == 2


async def test_an_analysis_within_the_settle_time_does_not_take_our_own_writes_for_peoples_removals(
    sqlite_url: str,
) -> None:
    clock = NotingClock()
    with simulated(clock, settle_lag=50) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            clock.advance(51)
            mapping = await start(engine, Service.YOUTUBE)
            await engine.executor.drain(mapping.id)
            links = await engine.storage.links.of_mapping(mapping.id)
            again = await engine.sync.start(mapping.id, ALICE)
            assert (again.plan.diffs, await engine.storage.links.of_mapping(mapping.id)) == (0, links)
        async with engine_room(sqlite_url, sandbox, clock) as engine:  # a new process knows it too
            await engine.executor.recover()
            again = await engine.sync.start(mapping.id, ALICE)
            assert (again.plan.diffs, await engine.storage.links.of_mapping(mapping.id)) == (0, links)
            clock.advance(SETTLE)
            assert (await engine.sync.start(mapping.id, ALICE)).plan.diffs == 0
