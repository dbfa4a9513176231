"""A retry sends what failed again only where the playlists still ask for it: no song comes back that nobody wants."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.model.errors import UserMistake
from bot.model.failure import FailureFilter, FailureKind
from bot.model.item import ItemStatus, SyncItem
from bot.model.jobs import ItemFilter, JobFilter
from bot.model.mapping import Direction, Mapping
from bot.model.review import BlacklistState
from storage.retrying import MADE_SINCE, NOT_WANTED, ONLY_READ, UNDONE
from tests.contract.engine_room import Engine, engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock
from tests.contract.test_engine_jobs import jobs_of, planned

LATER = timedelta(minutes=5)
EVERYTHING = ItemFilter(statuses=(ItemStatus.ERROR, ItemStatus.BLACKLISTED, ItemStatus.CANCELLED))


@pytest.fixture
async def engine(sqlite_url: str) -> AsyncIterator[Engine]:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            yield engine


async def with_a_failure(engine: Engine) -> tuple[Mapping, SyncItem]:
    """A mapping of four tracks of which one failed; the others are there."""
    return await with_one_left_out(engine, ItemStatus.ERROR)


async def with_one_left_out(engine: Engine, status: ItemStatus) -> tuple[Mapping, SyncItem]:
    """A mapping of four tracks of which one failed, or waits for tomorrow."""
    mapping = await planned(engine, 4)
    item, now, items = (await engine.items(mapping))[1], engine.clock.now(), engine.storage.items
    claimed = await items.claim_due(now, now + LATER, "t", limit=4, mapping_id=mapping.id, service=item.service)
    assert item.id in [one.id for one in claimed]
    until = now + timedelta(days=1) if status is ItemStatus.PENDING else None
    await items.settle(item.id, "t", status, now=now, last_error="the service answered 503", not_before=until)
    await items.release("t")
    await worked(engine)
    assert len(destination(engine, mapping)) == 3
    return mapping, item


async def worked(engine: Engine) -> None:
    await engine.executor.drain()
    engine.clock.advance(LATER)


async def synced(engine: Engine, mapping: Mapping) -> None:
    await engine.sync.start(mapping.id, ALICE, force=True)
    await worked(engine)


def destination(engine: Engine, mapping: Mapping) -> list[str]:
    return engine.sandbox.world.youtube_items(mapping.right.external_id)


async def refused(engine: Engine, item: SyncItem, why: str) -> None:
    """No way to retry it leads into the queue, and the item says why."""
    failed = FailureFilter(guild_id=GUILD, window=timedelta(days=7), kind=FailureKind.ITEM)
    assert await engine.storage.failures.retry_items(failed, engine.clock.now() - timedelta(days=7)) == (0, None)
    with pytest.raises(UserMistake, match="nothing to retry"):
        await jobs_of(engine).retry_all(GUILD, JobFilter(), ALICE)
    with pytest.raises(UserMistake, match="nothing to retry"):
        await jobs_of(engine).retry_all(GUILD, EVERYTHING, ALICE)
    with pytest.raises(UserMistake, match="nothing to retry"):
        await engine.reviews.retry_item(GUILD, item.id, ALICE)
    kept = await engine.storage.items.get(item.id)
    assert kept is not None
    assert kept.last_error == why


async def test_what_the_source_still_holds_is_tried_again(engine: Engine) -> None:
    mapping, _ = await with_a_failure(engine)
    assert await jobs_of(engine).retry_all(GUILD, JobFilter(), ALICE) == 1
    await worked(engine)
    assert len(destination(engine, mapping)) == 4


async def test_a_track_that_left_the_source_is_not_added_by_a_retry(engine: Engine) -> None:
    mapping, item = await with_a_failure(engine)
    engine.sandbox.world.remove(mapping.left.external_id, item.source_track_id)
    await synced(engine, mapping)
    await refused(engine, item, NOT_WANTED)
    await worked(engine)
    assert len(destination(engine, mapping)) == 3


async def test_a_song_that_people_removed_since_does_not_come_back_by_a_retry(engine: Engine) -> None:
    mapping, item = await with_a_failure(engine)
    await synced(engine, mapping)
    [again] = [one for one in await engine.items(mapping, ItemStatus.DONE) if one.id > item.id + 2]
    engine.sandbox.world.remove(mapping.right.external_id, again.destination_id)
    await synced(engine, mapping)
    await refused(engine, item, MADE_SINCE)
    await worked(engine)
    assert len(destination(engine, mapping)) == 3


async def test_a_retry_never_writes_to_what_is_the_source_now(engine: Engine) -> None:
    mapping, item = await with_a_failure(engine)
    await engine.mappings.edit(GUILD, mapping.id, ALICE, direction=Direction.RIGHT_TO_LEFT)
    await refused(engine, item, ONLY_READ)
    await worked(engine)
    assert len(destination(engine, mapping)) == 3


async def test_what_waits_when_the_direction_is_turned_round_is_not_sent_any_more(engine: Engine) -> None:
    mapping, item = await with_one_left_out(engine, ItemStatus.PENDING)
    await engine.mappings.edit(GUILD, mapping.id, ALICE, direction=Direction.RIGHT_TO_LEFT)
    engine.clock.advance(timedelta(days=2))
    await worked(engine)
    assert len(destination(engine, mapping)) == 3
    kept = await engine.storage.items.get(item.id)
    assert kept is not None
    assert kept.status is ItemStatus.CANCELLED


async def test_what_an_undo_holds_back_is_not_added_by_a_retry(engine: Engine) -> None:
    mapping, item = await with_one_left_out(engine, ItemStatus.PENDING)
    [run] = await engine.undo.runs(GUILD, mapping.id)
    await engine.undo.apply(GUILD, run.run.id, ALICE)
    await worked(engine)
    await refused(engine, item, UNDONE)
    await worked(engine)
    assert destination(engine, mapping) == []


async def test_nothing_of_a_removed_mapping_goes_back_into_the_queue(engine: Engine) -> None:
    mapping, item = await with_a_failure(engine)
    await engine.mappings.remove(GUILD, mapping.id, ALICE)
    assert await jobs_of(engine).count_retriable(GUILD, JobFilter()) == 0
    await refused(engine, item, "the service answered 503")
    assert (await engine.storage.items.counts(GUILD))[ItemStatus.PENDING] == 0


async def test_a_choice_for_a_track_that_left_the_source_is_remembered_and_adds_nothing(engine: Engine) -> None:
    await engine.link_both()
    world = engine.sandbox.world
    lost = [track.id for track in world.tracks if not world.right_videos(track.id)][:6]
    source = world.create_spotify_playlist("alice", "Source", lost)
    mapping = await engine.map(source, engine.youtube_playlist())
    await synced(engine, mapping)
    row = next(row for row in await engine.reviews.open(GUILD) if row.candidates)
    world.remove(source, row.track_id)
    await synced(engine, mapping)
    await engine.reviews.choose(GUILD, row.id, row.candidates[0].track.external_id, ALICE)
    await worked(engine)
    assert destination(engine, mapping) == []
    world.add(source, row.track_id)
    await synced(engine, mapping)
    assert destination(engine, mapping) == [row.candidates[0].track.external_id]


async def test_a_retry_of_all_leaves_alone_what_people_dismissed(engine: Engine) -> None:
    await engine.link_both()
    world = engine.sandbox.world
    lost = [track.id for track in world.tracks if not world.right_videos(track.id)][:3]
    mapping = await engine.map(world.create_spotify_playlist("alice", "Source", lost), engine.youtube_playlist())
    await synced(engine, mapping)
    dismissed, never, other = await engine.reviews.open(GUILD)
    await engine.reviews.dismiss(GUILD, dismissed.id, ALICE)
    await engine.reviews.never(GUILD, never.id, ALICE)
    assert await jobs_of(engine).retry_all(GUILD, EVERYTHING, ALICE) == 1
    rows = [await engine.storage.blacklist.get(row.id) for row in (dismissed, never, other)]
    assert [row and row.state for row in rows] == [
        BlacklistState.DISMISSED,
        BlacklistState.DISMISSED,
        BlacklistState.OPEN,
    ]
