"""Making and changing mappings: what is refused, with which sentence, and that a refusal changes nothing."""

import pytest

from bot.engine.addresses import create_value
from bot.model.errors import UserMistake
from bot.model.mapping import Direction, Mapping, Removals
from bot.model.music import Service
from tests.contract.engine_room import Engine, engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock

BOB = ALICE + 1


async def refused(engine: Engine, words: str, left: str, right: str, **changed: object) -> None:
    before = [mapping.id for mapping in await engine.mappings.of_guild(GUILD)]
    with pytest.raises(UserMistake, match=words):
        await engine.map(left, right, **changed)
    assert [mapping.id for mapping in await engine.mappings.of_guild(GUILD)] == before


async def test_a_service_that_is_not_linked_is_named_with_the_command_that_links_it(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link(Service.SPOTIFY)
            await refused(engine, "/connect youtube", engine.spotify_playlist(1), engine.youtube_playlist())
            await engine.consent(Service.YOUTUBE)
            await refused(engine, "Confirm your YouTube", engine.spotify_playlist(1), engine.youtube_playlist())


async def test_playlists_that_are_not_ones_own_are_refused(sqlite_url: str) -> None:
    """Somebody else's, a followed one, an editorial one, one that does not exist, and one of another linked person."""
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            await engine.link(Service.SPOTIFY, "bob", BOB)
            known, target = sandbox.world.known, engine.youtube_playlist()
            gone = engine.spotify_playlist(1)
            address = engine.address(gone)
            sandbox.world.delete(gone)
            for playlist in (known.gym, known.followed):
                await refused(engine, "somebody else's", playlist, target)
            await refused(engine, "somebody else's", engine.spotify_playlist(1), known.bobs_videos)
            await refused(engine, "does not exist", known.editorial, target)  # Spotify tells nobody of its own ones
            with pytest.raises(UserMistake, match="does not exist"):
                await engine.map(engine.spotify_playlist(1), target, left=address)


async def test_a_mapping_to_itself_is_refused(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            playlist = engine.spotify_playlist(1)
            await refused(engine, "same playlist", playlist, playlist)


async def test_names_schedules_and_caps_are_checked_before_anything_is_asked_or_made(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            left, right = engine.spotify_playlist(1), engine.youtube_playlist()
            await engine.map(left, right, name="Mix")
            calls = engine.calls()
            await refused(engine, "already a mapping", left, right, name=" mIx ")
            await refused(engine, "1 to 80", left, right, name="")
            await refused(engine, "number only", left, right, name="12")
            await refused(engine, "every 30m", left, right, schedule="now and then")
            await refused(engine, "may add", left, right, max_adds=0)
            assert engine.calls() == calls


async def test_two_exact_mappings_to_one_playlist_are_refused(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            target = engine.youtube_playlist()
            await engine.map(engine.spotify_playlist(1), target, removals=Removals.EXACT)
            await refused(engine, "undo each other", engine.spotify_playlist(2), target, removals=Removals.EXACT)
            second = await engine.map(engine.spotify_playlist(3), target)
            with pytest.raises(UserMistake, match="undo each other"):
                await engine.mappings.edit(GUILD, second.id, ALICE, removals=Removals.EXACT)
            await refused(
                engine,
                "needs a direction",
                engine.spotify_playlist(1),
                engine.youtube_playlist(),
                removals=Removals.EXACT,
                direction=Direction.TWO_WAY,
            )


async def test_circles_of_mirroring_mappings_are_refused_and_keeping_ones_allowed(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            a, b, c = (engine.spotify_playlist(1, name=name) for name in "abc")
            await engine.map(a, b, removals=Removals.MIRROR)
            await engine.map(b, c, removals=Removals.MIRROR)
            await refused(engine, "circle", c, a, removals=Removals.MIRROR)
            await refused(engine, "circle", a, b, removals=Removals.MIRROR, direction=Direction.RIGHT_TO_LEFT)
            await engine.map(c, a, removals=Removals.KEEP)
            await engine.map(a, engine.youtube_playlist(), removals=Removals.MIRROR, direction=Direction.TWO_WAY)


async def test_a_playlist_can_be_created_there_and_is_not_when_the_mapping_is_refused(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            left, unused = engine.spotify_playlist(1), engine.youtube_playlist()
            created = {"right": create_value(Service.YOUTUBE, "Fresh")}
            with pytest.raises(UserMistake, match="every 30m"):
                await engine.map(left, unused, schedule="x", **created)
            assert sandbox.books.requests("youtube", method="POST") == []
            mapping = await engine.map(left, unused, **created)
            made = sandbox.world.playlist(mapping.right.external_id)
            assert made is not None
            assert (made.name, mapping.right.name) == ("Fresh", "Fresh")


async def test_people_can_find_edit_pause_resume_and_remove_a_mapping_of_their_own_guild_only(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping = await engine.map(engine.spotify_playlist(1), engine.youtube_playlist(), name="Mix")
            door = engine.mappings
            for text in ("mix", str(mapping.id), f"#{mapping.id}"):
                assert (await door.find(GUILD, text)).id == mapping.id
                with pytest.raises(UserMistake, match="no mapping"):
                    await door.find(GUILD + 1, text)
            edited = await door.edit(GUILD, mapping.id, ALICE, name="Mix 2", schedule="daily 18:00", max_removals=3)
            assert (edited.name, edited.schedule, edited.max_removals) == ("Mix 2", "daily 18:00", 3)
            assert edited.next_run_at is not None
            paused = await door.pause(GUILD, mapping.id, ALICE, "holidays")
            assert (paused.enabled, paused.pause_reason) == (False, "holidays")
            with pytest.raises(UserMistake, match="already"):
                await door.pause(GUILD, mapping.id, ALICE)
            assert (await door.resume(GUILD, mapping.id, ALICE)).enabled
            with pytest.raises(UserMistake, match="not exist"):
                await door.remove(GUILD + 1, mapping.id, ALICE)
            await door.remove(GUILD, mapping.id, ALICE)
            assert await door.of_guild(GUILD) == []


async def test_an_edited_mapping_is_read_anew_although_no_playlist_changed(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            tracks = engine.tracks_with_videos(4)
            source = sandbox.world.create_spotify_playlist("alice", "S", tracks[:3])
            stranger = engine.right_video(tracks[3])
            mapping: Mapping = await engine.map(source, engine.youtube_playlist([stranger]))
            for _ in range(2):
                await engine.sync.start(mapping.id, ALICE)
                await engine.executor.drain()
                clock.advance(120)
            assert (await engine.sync.start(mapping.id, ALICE)).unchanged
            await engine.mappings.edit(GUILD, mapping.id, ALICE, removals=Removals.EXACT)
            started = await engine.sync.start(mapping.id, ALICE)
            assert [remove.track.external_id for remove in started.plan.removes] == [stranger]
