"""What people decide about unmatched tracks is done at once and remembered for their guild."""

from datetime import timedelta

import pytest

from bot.logs.database import open_database_log
from bot.logs.setup import open_logs
from bot.model.errors import UserMistake
from bot.model.guild import GuildSettings
from bot.model.item import ItemStatus
from bot.model.mapping import Mapping
from bot.model.review import BlacklistRow, BlacklistState
from tests.contract.engine_room import Engine, engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock


async def waiting(engine: Engine) -> tuple[Mapping, BlacklistRow]:
    """A mapping of one track that has look-alikes only, and the row that waits for a person."""
    await engine.link_both()
    world = engine.sandbox.world
    track = next(one.id for one in world.tracks if not world.right_videos(one.id) and world.lookalikes(one.id))
    source = world.create_spotify_playlist("alice", "S", [track])
    mapping = await engine.map(source, engine.youtube_playlist())
    await engine.sync.start(mapping.id, ALICE)
    await engine.executor.drain(mapping.id)
    (row,) = await engine.reviews.open(GUILD)
    assert row.candidates
    return mapping, row


async def test_a_choice_is_added_at_once_and_holds_for_every_mapping_of_the_guild(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping, row = await waiting(engine)
            choice = row.candidates[-1].track.external_id
            with pytest.raises(UserMistake, match="candidates"):
                await engine.reviews.choose(GUILD, row.id, "no such video", ALICE)
            with pytest.raises(UserMistake):
                await engine.reviews.choose(GUILD + 1, row.id, choice, ALICE)
            chosen = await engine.reviews.choose(GUILD, row.id, choice, ALICE)
            assert chosen.state is BlacklistState.RESOLVED
            searches = sandbox.books.searches()
            await engine.executor.drain()
            assert sandbox.world.youtube_items(mapping.right.external_id) == [choice]
            other = await engine.map(mapping.left.external_id, engine.youtube_playlist())
            await engine.sync.start(other.id, ALICE)
            await engine.executor.drain()
            assert sandbox.world.youtube_items(other.right.external_id) == [choice]
            assert sandbox.books.searches() == searches


async def test_never_is_remembered_and_the_track_not_searched_again(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping, row = await waiting(engine)
            await engine.reviews.never(GUILD, row.id, ALICE)
            searches = len(sandbox.books.requests("youtube", path="search"))
            clock.advance(timedelta(days=5))
            sandbox.world.touch(mapping.left.external_id)
            started = await engine.sync.start(mapping.id, ALICE)
            assert started.enqueued == 0
            assert len(sandbox.books.requests("youtube", path="search")) == searches


async def test_retry_searches_again_at_once_and_dismiss_hides_the_row(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping, row = await waiting(engine)
            searches = sandbox.books.searches()
            await engine.reviews.retry(GUILD, row.id, ALICE)
            await engine.executor.drain()
            assert sandbox.books.searches() > searches
            assert (await engine.reviews.get(GUILD, row.id)).looks == 2
            await engine.reviews.dismiss(GUILD, row.id, ALICE)
            assert await engine.reviews.open(GUILD) == []
            clock.advance(timedelta(days=2))
            sandbox.world.touch(mapping.left.external_id)
            assert (await engine.sync.start(mapping.id, ALICE)).enqueued == 0


async def test_a_choice_whose_item_was_forgotten_long_ago_is_done_by_the_next_analysis(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping, row = await waiting(engine)
            await engine.storage.items.delete_finished(clock.now() + timedelta(days=1))
            assert await engine.items(mapping) == []
            await engine.reviews.choose(GUILD, row.id, row.candidates[0].track.external_id, ALICE)
            assert (await engine.sync.start(mapping.id, ALICE)).enqueued == 1


async def test_retention_forgets_old_lines_but_never_those_of_an_open_item_nor_young_audit(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox, open_logs(now=clock.now) as logs:
        async with (
            engine_room(sqlite_url, sandbox, clock) as engine,
            open_database_log(logs, engine.storage.logs.append, clock) as database_log,
        ):
            await engine.storage.guilds.save(GuildSettings(guild_id=GUILD, retention_days=2))
            await engine.link_both()
            mapping = await engine.map(engine.spotify_playlist(2), engine.youtube_playlist())
            await engine.sync.start(mapping.id, ALICE)
            sandbox.faults.next("youtube", "POST", "playlistItems", "429", retry_after=20 * 86_400, skip=1)
            await engine.executor.drain(mapping.id)
            await database_log.flush()
            (held,) = await engine.items(mapping, ItemStatus.PENDING)
            clock.advance(timedelta(days=10))
            await engine.scheduler.run_now("retention")
            left = await engine.storage.logs.query(GUILD, limit=100)
            assert {line.sync_item_id for line in left if line.job_type == "execution"} == {held.id}
            assert any(line.event == "mapping.added" for line in left), "what people did stays 30 days"
            clock.advance(timedelta(days=21))
            await engine.scheduler.run_now("retention")
            assert {line.sync_item_id for line in await engine.storage.logs.query(GUILD, limit=100)} == {held.id}
