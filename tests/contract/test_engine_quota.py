"""Quota is never overspent; what does not fit waits for the reset and says so."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.engine.quota import Quota, QuotaLimits
from bot.logs.database import open_database_log
from bot.logs.setup import open_logs
from bot.model.errors import QuotaSpent
from bot.model.events import Event
from bot.model.item import ItemStatus
from bot.model.quota import Bucket
from bot.model.run import RunStatus
from storage import Storage
from tests.clock import FakeClock
from tests.contract.engine_room import Engine, engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock

MIDNIGHT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)  # in California


async def mapped(engine: Engine, count: int) -> int:
    await engine.link_both()
    mapping = await engine.map(engine.spotify_playlist(count), engine.youtube_playlist())
    await engine.sync.start(mapping.id, ALICE)
    return mapping.id


async def test_units_that_are_spent_make_the_rest_wait_for_midnight_in_california(sqlite_url: str) -> None:
    clock = NotingClock()
    limits = QuotaLimits(youtube_units=320)
    with simulated(clock, youtube_units=320) as sandbox, open_logs(now=clock.now) as logs:
        async with (
            engine_room(sqlite_url, sandbox, clock, limits=limits) as engine,
            open_database_log(logs, engine.storage.logs.append, clock) as database_log,
        ):
            mapping_id = await mapped(engine, 9)
            mapping = await engine.storage.mappings.get(mapping_id)
            assert mapping is not None
            forecast = await engine.quota.forecast_queue(GUILD)
            assert forecast.done_at is not None
            assert forecast.done_at >= MIDNIGHT, "the forecast knows that one day is not enough"
            await engine.executor.drain(mapping_id)
            waiting = await engine.items(mapping, ItemStatus.PENDING)
            assert {item.not_before for item in waiting} == {MIDNIGHT}
            assert 0 < len(waiting) < 9
            run = await engine.last_run(mapping)
            assert (run.status, run.counts.waiting) == (RunStatus.COMPLETED, len(waiting))
            assert sandbox.books.units() <= 320
            refused = [one for one in sandbox.books.requests("youtube") if one.status == 403]
            assert refused == [], "the ledger stopped us before the service had to"
            await database_log.flush()
            assert len(await engine.storage.logs.query(GUILD, events=[Event.QUOTA_SPENT])) == 1
            clock.advance(MIDNIGHT - clock.now())
            await engine.executor.drain(mapping_id)
            assert await engine.items(mapping, ItemStatus.PENDING) == []
            assert sandbox.books.duplicates() == {}
            assert all(units <= 320 for units, _ in sandbox.books.days().values())


async def test_spent_searches_hold_up_only_what_must_be_searched(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock, youtube_searches=3) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock, limits=QuotaLimits(youtube_searches=3)) as engine:
            mapping_id = await mapped(engine, 5)
            mapping = await engine.storage.mappings.get(mapping_id)
            assert mapping is not None
            await engine.executor.drain(mapping_id)
            waiting = await engine.items(mapping, ItemStatus.PENDING)
            assert [item.not_before for item in waiting] == [MIDNIGHT] * 2
            track = engine.tracks_with_videos(40)[-1]
            video = engine.right_video(track)
            target = engine.youtube_playlist([video])
            other = await engine.map(sandbox.world.create_spotify_playlist("alice", "S2", [track]), target)
            await engine.sync.start(other.id, ALICE)
            third = await engine.map(engine.spotify_playlist(2), engine.youtube_playlist())
            await engine.sync.start(third.id, ALICE)
            await engine.executor.drain()
            assert {item.status for item in await engine.items(third)} == {ItemStatus.DONE}, "memory needs no search"
            assert sandbox.books.searches() == 3


async def test_the_services_own_word_that_the_quota_is_gone_is_believed(sqlite_url: str) -> None:
    """Somebody else uses the same Google project: our ledger has plenty left, YouTube has not."""
    clock = NotingClock()
    with simulated(clock, youtube_units=200) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping_id = await mapped(engine, 6)
            await engine.executor.drain(mapping_id)
            mapping = await engine.storage.mappings.get(mapping_id)
            assert mapping is not None
            waiting = await engine.items(mapping, ItemStatus.PENDING)
            assert {item.not_before for item in waiting} == {MIDNIGHT}
            assert (await engine.quota.state(Bucket.YOUTUBE_UNITS)).left == 0
            refused = [one for one in sandbox.books.requests("youtube") if one.status == 403]
            assert len(refused) == 1, "after the first refusal nothing more is asked"


async def test_a_rolling_day_of_spotify_frees_calls_hour_by_hour(storage: Storage, clock: FakeClock) -> None:
    quota = Quota(storage, clock, QuotaLimits(spotify_calls=3))
    for _ in range(3):
        await quota.spend(Bucket.SPOTIFY_CALLS, "search", units=1, mapping_id=0)
    with pytest.raises(QuotaSpent) as spent:
        await quota.spend(Bucket.SPOTIFY_CALLS, "search", units=1, mapping_id=0)
    clock.advance(spent.value.until - clock.now() - timedelta(seconds=1))
    with pytest.raises(QuotaSpent):
        await quota.spend(Bucket.SPOTIFY_CALLS, "search", units=1, mapping_id=0)
    clock.advance(1)
    await quota.spend(Bucket.SPOTIFY_CALLS, "search", units=1, mapping_id=0)
    assert (await quota.state(Bucket.SPOTIFY_CALLS)).used == 1


async def test_a_charge_that_does_not_fit_charges_nothing(storage: Storage, clock: FakeClock) -> None:
    quota = Quota(storage, clock, QuotaLimits(youtube_units=60))
    await quota.spend(Bucket.YOUTUBE_UNITS, "insert", units=50, mapping_id=1)
    with pytest.raises(QuotaSpent) as spent:
        await quota.spend(Bucket.YOUTUBE_UNITS, "insert", units=50, mapping_id=1)
    assert spent.value.until == MIDNIGHT
    assert (await quota.state(Bucket.YOUTUBE_UNITS)).left == 10
