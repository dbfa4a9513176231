"""A pause of the queue really stops what is sent, on both engines, and survives restarts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.model.item import ItemStatus
from bot.model.mapping import Mapping
from bot.model.music import Service
from bot.model.queue import EVERY_GUILD, QueuePause
from bot.sandbox import Sandbox
from storage import Storage
from tests.clock import FakeClock
from tests.contract.engine_room import Engine, engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock
from tests.factories import GUILD as FACTORY_GUILD
from tests.factories import mapped, queued

ADMIN = 9


@asynccontextmanager
async def room(url: str) -> AsyncIterator[tuple[Engine, Sandbox]]:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(url, sandbox, clock) as engine:
            await engine.link_both()
            yield engine, sandbox


async def asked(engine: Engine, count: int, *, start: int = 0, back: bool = False) -> Mapping:
    """A mapping with so many queued adds: to YouTube, or ``back`` to Spotify."""
    if back:
        videos = [engine.right_video(track) for track in engine.tracks_with_videos(count)]
        mapping = await engine.map(engine.youtube_playlist(videos), engine.spotify_playlist(0))
    else:
        mapping = await engine.map(engine.spotify_playlist(count, start=start), engine.youtube_playlist())
    await engine.sync.start(mapping.id, ALICE)
    return mapping


def pause(**fields: object) -> QueuePause:
    return QueuePause(**{"guild_id": GUILD, "actor_id": ADMIN, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("scope", ["program", "guild", "service", "mapping", "service of the mapping"])
async def test_nothing_that_a_pause_covers_is_sent_until_it_is_taken_back(each_url: str, scope: str) -> None:
    async with room(each_url) as (engine, _):
        mapping = await asked(engine, 3)
        service, mapping_id = Service.YOUTUBE, mapping.id
        standing = {
            "program": pause(guild_id=EVERY_GUILD),
            "guild": pause(),
            "service": pause(service=service),
            "mapping": pause(mapping_id=mapping_id),
            "service of the mapping": pause(service=service, mapping_id=mapping_id),
        }[scope]
        assert await engine.storage.queue_pauses.set(standing)
        assert await engine.storage.items.next_due_at() is None
        assert await engine.storage.items.due_groups(engine.clock.now()) == []
        before = engine.calls()
        await engine.executor.drain()
        assert engine.calls() == before
        assert {item.status for item in await engine.items(mapping)} == {ItemStatus.PENDING}
        assert await engine.storage.queue_pauses.clear(standing.guild_id, standing.service, standing.mapping_id)
        await engine.executor.drain()
        assert len(engine.sent(mapping.right.external_id)) == 3


async def test_what_a_pause_does_not_cover_goes_on(each_url: str) -> None:
    async with room(each_url) as (engine, _):
        rests, works = await asked(engine, 2), await asked(engine, 2, start=10)
        there = await asked(engine, 2, back=True)
        await engine.storage.queue_pauses.set(pause(mapping_id=rests.id))
        await engine.storage.queue_pauses.set(pause(guild_id=GUILD + 1))
        await engine.storage.queue_pauses.set(pause(service=Service.SPOTIFY))
        await engine.executor.drain()
        assert len(engine.sent(works.right.external_id)) == 2
        assert engine.sent(rests.right.external_id) == engine.sent(there.right.external_id) == []


async def test_a_pause_outlives_the_process(each_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(each_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping = await asked(engine, 2)
            await engine.storage.queue_pauses.set(pause())
        async with engine_room(each_url, sandbox, clock) as engine:
            await engine.executor.recover()
            await engine.executor.drain()
            assert engine.sent(mapping.right.external_id) == []
            [standing] = await engine.storage.queue_pauses.of_guild(GUILD)
            assert (standing.actor_id, standing.since) == (ADMIN, clock.now())


@pytest.mark.parametrize("point", ["after_claim", "after_resolve", "before_intent"])
async def test_a_pause_in_the_middle_of_a_turn_stops_it_before_the_next_write(each_url: str, point: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        reached = asyncio.Event()
        async with engine_room(each_url, sandbox, clock, crash=lambda at: reached.set() if at == point else None) as (
            engine
        ):
            await engine.link_both()
            mapping = await asked(engine, 8)
            worker = asyncio.create_task(engine.executor.drain())
            await asyncio.wait_for(reached.wait(), timeout=10)
            await engine.storage.queue_pauses.set(pause())
            sent = len(engine.sent(mapping.right.external_id))
            await worker
            # What had its intent when the pause was set may still go out: one attempt, and no second one.
            assert len(engine.sent(mapping.right.external_id)) <= sent + 1
            statuses = [item.status for item in await engine.items(mapping)]
            assert set(statuses) <= {ItemStatus.DONE, ItemStatus.PENDING}
            assert statuses.count(ItemStatus.PENDING) >= 7
            assert not [item for item in await engine.items(mapping) if item.lease_token or item.last_error]
            await engine.storage.queue_pauses.clear(GUILD)
            await engine.executor.drain()
            assert {item.status for item in await engine.items(mapping)} == {ItemStatus.DONE}
            assert sandbox.books.duplicates() == {}


async def test_what_was_sent_without_an_answer_is_read_back_while_the_queue_rests(each_url: str) -> None:
    async with room(each_url) as (engine, sandbox):
        mapping = await asked(engine, 2)
        sandbox.faults.next("youtube", "POST", "playlistItems", "reset", when="after")
        await engine.executor.drain(patience=timedelta(0))
        unknown = await engine.items(mapping, ItemStatus.UNKNOWN)
        assert unknown
        await engine.storage.queue_pauses.set(pause(service=Service.YOUTUBE))
        sent = len(engine.sent(mapping.right.external_id))
        await engine.executor.drain()
        assert await engine.items(mapping, ItemStatus.UNKNOWN) == []
        assert len(engine.sent(mapping.right.external_id)) == sent


async def test_an_intent_is_refused_while_a_pause_covers_the_item(each_storage: Storage, clock: FakeClock) -> None:
    mapping = await mapped(each_storage)
    await queued(each_storage, mapping, "a")
    now = clock.now()
    [item] = await each_storage.items.claim_due(
        now, now + timedelta(minutes=1), "w", limit=1, mapping_id=mapping.id, service=Service.YOUTUBE
    )
    await each_storage.queue_pauses.set(pause(guild_id=FACTORY_GUILD, mapping_id=mapping.id))
    assert not await each_storage.items.write_intent([item.id], "w", now)
    assert await each_storage.queue_pauses.holds([item.id])
    await each_storage.queue_pauses.clear(FACTORY_GUILD, mapping_id=mapping.id)
    assert await each_storage.items.write_intent([item.id], "w", now)


async def test_a_guilds_pause_is_one_with_its_setting(each_storage: Storage, clock: FakeClock) -> None:
    pauses, guilds = each_storage.queue_pauses, each_storage.guilds
    assert await pauses.set(pause(reason="holidays"))
    assert (await guilds.get(GUILD)).paused
    clock.advance(60)
    assert not await pauses.set(pause(actor_id=ADMIN + 1))
    [standing] = await pauses.of_guild(GUILD)
    assert (standing.actor_id, standing.since, standing.reason) == (
        ADMIN,
        clock.now() - timedelta(minutes=1),
        "holidays",
    )
    assert await pauses.of_guild(GUILD + 1) == []
    assert await pauses.clear(GUILD)
    assert not (await guilds.get(GUILD)).paused
    assert not await pauses.clear(GUILD)
    await guilds.save((await guilds.get(GUILD)).__class__(guild_id=GUILD, paused=True))
    assert await pauses.of_guild(GUILD) == [QueuePause(guild_id=GUILD)] == await pauses.all()
    assert await pauses.clear(GUILD)
    assert await pauses.of_guild(GUILD) == []


async def test_pauses_of_different_width_stand_beside_each_other(each_storage: Storage) -> None:
    pauses, mapping = each_storage.queue_pauses, await mapped(each_storage, "Trip", guild_id=GUILD)
    assert await pauses.set(pause(service=Service.YOUTUBE))
    assert await pauses.set(pause(service=Service.YOUTUBE, mapping_id=mapping.id))
    assert await pauses.set(pause(guild_id=EVERY_GUILD, actor_id=1))
    assert [one.guild_id for one in await pauses.of_guild(GUILD)] == [EVERY_GUILD, GUILD, GUILD]
    assert not await pauses.clear(GUILD, Service.SPOTIFY)
    assert await pauses.clear(GUILD, Service.YOUTUBE)
    [everywhere, left] = await pauses.of_guild(GUILD)
    assert (left.service, left.mapping_id, left.mapping_name) == (Service.YOUTUBE, mapping.id, "Trip")
    assert everywhere.guild_id == EVERY_GUILD
    assert left.covers(GUILD, Service.YOUTUBE, mapping.id)
    assert not left.covers(GUILD, Service.YOUTUBE, mapping.id + 1)
    assert not left.covers(GUILD, Service.SPOTIFY, mapping.id)
    await each_storage.mappings.remove(mapping.id)
    assert await pauses.of_guild(GUILD) == [everywhere]
