"""Liked songs as a source: read oldest first, followed when they change, and never written."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.engine.addresses import create_value, liked_value
from bot.engine.bases import NewBase, NewChild
from bot.engine.router import Mode
from bot.model.account import Token
from bot.model.errors import Forbidden, UserMistake
from bot.model.mapping import Direction, Mapping, Order, Removals
from bot.model.music import LIKED, Service
from bot.services.spotify.login import SCOPES
from tests.contract.engine_room import Engine, engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock

LINK = "https://open.spotify.com/collection/tracks"


async def synced(engine: Engine, mapping_id: int) -> None:
    """One sync by a person, to its end, and past the settle time."""
    await engine.sync.start(mapping_id, ALICE)
    await engine.executor.drain(mapping_id)
    engine.clock.advance(timedelta(minutes=2))


async def liked_onto(engine: Engine, target: str, **changed: object) -> Mapping:
    return await engine.map(target, target, left=LINK, **changed)


def like(engine: Engine, *tracks: str) -> None:
    """One after the other, a second apart, as people do."""
    for track in tracks:
        engine.sandbox.world.like("alice", [track])
        engine.clock.advance(1)


@asynccontextmanager
async def linked_room(url: str) -> AsyncIterator[Engine]:
    """Alice's accounts are linked, and she likes nothing yet."""
    clock = NotingClock()
    with simulated(clock) as sandbox:
        for track in {uri.rsplit(":", 1)[1] for uri in sandbox.world.liked("alice").media if uri}:
            sandbox.world.remove("liked.alice", track)
        async with engine_room(url, sandbox, clock) as engine:
            await engine.link_both()
            yield engine


def reads(engine: Engine) -> int:
    return len(engine.sandbox.books.requests("spotify", path="me/tracks"))


async def narrow(engine: Engine) -> None:
    """Alice's login covers everything except her library, although it says that it covers all."""
    (account,) = [one for one in await engine.storage.accounts.of_user(ALICE) if one.service is Service.SPOTIFY]
    scopes = [scope for scope in SCOPES if scope != "user-library-read"]
    access, refresh = engine.sandbox.world.sign_in("alice", "spotify", scopes)
    until = engine.clock.now() + timedelta(hours=1)
    await engine.storage.accounts.store_token(
        account.id, Token(access_token=access, refresh_token=refresh, expires_at=until, scopes=SCOPES)
    )


async def test_a_playlist_follows_the_liked_songs_oldest_first(each_url: str) -> None:
    """New ones go to its end, and what is no longer liked goes, where removals are passed on."""
    async with linked_room(each_url) as engine:
        sandbox = engine.sandbox
        tracks = engine.tracks_with_videos(5)
        like(engine, *tracks[:3])
        target = engine.youtube_playlist()
        mapping = await liked_onto(engine, target, removals=Removals.MIRROR, order=Order.KEEP)
        assert (mapping.left.liked, mapping.left.name, mapping.left.url) == (True, "Liked Songs", LINK)
        await synced(engine, mapping.id)
        assert sandbox.world.youtube_items(target) == [engine.right_video(track) for track in tracks[:3]]
        like(engine, *tracks[3:])
        sandbox.world.remove("liked.alice", tracks[1])
        await synced(engine, mapping.id)
        left = [tracks[0], *tracks[2:]]
        assert sandbox.world.youtube_items(target) == [engine.right_video(track) for track in left]
        assert [write.action for write in engine.sent("liked.alice")] == [], "nothing was written to them"
        assert not [write for write in engine.sent(target) if write.action == "move"]


async def test_liked_songs_that_did_not_change_cost_one_call(each_url: str) -> None:
    """120 of them are three pages; afterwards one call tells that nothing changed, and a read a day makes sure."""
    async with linked_room(each_url) as engine:
        sandbox, clock = engine.sandbox, engine.clock
        like(engine, *(track.id for track in sandbox.world.tracks[:120]))
        target = sandbox.world.create_spotify_playlist("alice", "Copy", [])
        mapping = await liked_onto(engine, target)
        before = reads(engine)
        await synced(engine, mapping.id)
        assert reads(engine) == before + 4
        assert sandbox.world.spotify_items(target) == [track.id for track in sandbox.world.tracks[:120]]
        await synced(engine, mapping.id)
        before = reads(engine)
        assert (await engine.sync.start(mapping.id, ALICE)).unchanged
        assert reads(engine) == before + 1
        clock.advance(timedelta(hours=24))
        before = reads(engine)
        assert not (await engine.sync.start(mapping.id, ALICE)).unchanged
        assert reads(engine) == before + 4, "what stands for a snapshot id is a hint only"


async def test_the_adapter_tells_liked_songs_as_a_playlist_that_only_grows_at_its_end(sqlite_url: str) -> None:
    async with linked_room(sqlite_url) as engine:
        sandbox = engine.sandbox
        spotify = await engine.as_alice(Service.SPOTIFY)
        empty = await spotify.content(LIKED)
        assert (empty.entries, empty.info.item_count, empty.info.writable) == ((), 0, False)
        like(engine, *(track.id for track in sandbox.world.tracks[:60]))
        first = await spotify.content(LIKED)
        like(engine, sandbox.world.tracks[70].id)
        sandbox.world.switches.legacy_shape = True
        second = await spotify.content(LIKED)
        assert [entry.position for entry in second.entries] == list(range(61))
        assert [t.external_id for t in second.tracks[:60]] == [t.external_id for t in first.tracks]
        times = [entry.added_at for entry in second.entries if entry.added_at is not None]
        assert len(times) == 61
        assert times == sorted(times)
        tokens = {empty.info.change_token, first.info.change_token, second.info.change_token}
        sandbox.world.remove("liked.alice", sandbox.world.tracks[0].id)
        tokens.add((await spotify.playlist(LIKED)).change_token)
        assert len(tokens) == 4
        assert LIKED not in [info.external_id for info in await spotify.playlists()]


async def test_liked_songs_are_refused_wherever_they_would_be_written(each_url: str) -> None:
    async with linked_room(each_url) as engine:
        sandbox = engine.sandbox
        playlist = engine.spotify_playlist(3)
        with pytest.raises(UserMistake, match="only be read"):
            await engine.map(playlist, playlist, right="liked")
        with pytest.raises(UserMistake, match="both ways"):
            await liked_onto(engine, playlist, direction=Direction.TWO_WAY)
        made = len(sandbox.world.youtube.all_true())
        new = create_value(Service.YOUTUBE, "New")
        with pytest.raises(UserMistake, match="only be read"):
            await engine.map(playlist, playlist, left=new, right="spotify:collection")
        assert len(sandbox.world.youtube.all_true()) == made, "nothing was made"
        mapping = await liked_onto(engine, playlist)
        with pytest.raises(UserMistake, match="both ways"):
            await engine.mappings.edit(GUILD, mapping.id, ALICE, direction=Direction.TWO_WAY)
        with pytest.raises(UserMistake, match="only be read"):
            await engine.mappings.edit(GUILD, mapping.id, ALICE, direction=Direction.RIGHT_TO_LEFT)
        kept = await engine.storage.mappings.get(mapping.id)
        assert kept is not None
        assert kept.direction is Direction.LEFT_TO_RIGHT
        right = await engine.map(playlist, playlist, right=LINK, direction=Direction.RIGHT_TO_LEFT)
        assert right.right.liked


async def test_of_several_accounts_the_one_is_named_whose_liked_songs_are_meant(sqlite_url: str) -> None:
    async with linked_room(sqlite_url) as engine:
        (only,) = await engine.mappings.suggest_liked(ALICE, "like")
        assert only.name == "Liked Songs"
        second = await engine.link(Service.SPOTIFY, "bob")
        dora = await engine.link(Service.SPOTIFY, "dora", ALICE + 1)
        offered = await engine.mappings.suggest_liked(ALICE, "")
        assert len({one.name for one in offered}) == 2
        assert {second.id, only.account_id} == {one.account_id for one in offered}
        assert await engine.mappings.suggest_liked(ALICE, "road") == []
        target = engine.youtube_playlist()
        with pytest.raises(UserMistake, match="several Spotify accounts"):
            await liked_onto(engine, target)
        with pytest.raises(UserMistake, match="accounts you linked"):
            await engine.map(target, target, left=liked_value(dora.id))
        chosen = await engine.map(target, target, left=liked_value(second.id))
        assert chosen.left.account_id == second.id


async def test_a_login_that_may_not_read_them_pauses_the_mapping_and_says_what_to_do(each_url: str) -> None:
    async with linked_room(each_url) as engine:
        sandbox = engine.sandbox
        like(engine, *engine.tracks_with_videos(2))
        target = engine.youtube_playlist()
        mapping = await liked_onto(engine, target)
        await synced(engine, mapping.id)
        await narrow(engine)
        with pytest.raises(Forbidden):
            await (await engine.services.for_account(mapping.left.account_id)).playlist(LIKED)
        with pytest.raises(UserMistake, match="/accounts"):
            await engine.sync.start(mapping.id, ALICE)
        paused = await engine.storage.mappings.get(mapping.id)
        assert paused is not None
        assert (paused.enabled, "/connect spotify" in paused.pause_reason) == (False, True)
        assert len(sandbox.world.youtube_items(target)) == 2, "nothing was taken for removed"
        with pytest.raises(UserMistake, match="/connect spotify"):
            await liked_onto(engine, target, name="Another")


async def test_liked_songs_can_be_routed_to_child_playlists(sqlite_url: str) -> None:
    async with linked_room(sqlite_url) as engine:
        sandbox, clock = engine.sandbox, engine.clock
        like(engine, *(track.id for track in sandbox.world.tracks[:20]))
        base = await engine.bases.create(NewBase(guild_id=GUILD, actor_id=ALICE, name="Liked", playlist=LINK))
        target = sandbox.world.create_spotify_playlist("alice", "Short", [])

        def child(playlist: str) -> NewChild:
            fields = {"guild_id": GUILD, "actor_id": ALICE, "base_id": base.id, "name": "Short"}
            return NewChild(**fields, playlist=playlist, rules="duration < 4:00")  # type: ignore[arg-type]

        with pytest.raises(UserMistake, match="same playlist"):
            await engine.bases.add_child(child("liked"))
        await engine.bases.add_child(child(engine.address(target)))
        for mode in (Mode.INCREMENTAL, Mode.REBUILD):
            await engine.router.run(GUILD, base.id, ALICE, mode)
            await engine.executor.drain()
            clock.advance(timedelta(minutes=2))
            short = [track.id for track in sandbox.world.tracks[:20] if track.length_ms < 240_000]
            assert sandbox.world.spotify_items(target) == short
