"""A mapping with several sources: merged in order, doubles dropped, each source looked at by itself."""

from datetime import timedelta

import pytest

from bot.engine.addresses import create_value
from bot.model.errors import UserMistake
from bot.model.mapping import Direction, Mapping, Order, Removals, Side
from bot.model.music import Service
from bot.model.plan import GuardKind
from storage import Storage
from tests.contract.engine_room import Engine, engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock
from tests.factories import connected, info, mapped

BOTH = [Service.SPOTIFY, Service.YOUTUBE]


async def synced(engine: Engine, mapping_id: int) -> None:
    """One sync by a person, to its end, and past the settle time."""
    await engine.sync.start(mapping_id, ALICE)
    await engine.executor.drain(mapping_id)
    engine.clock.advance(timedelta(minutes=2))


def playlist(engine: Engine, name: str, songs: list[str], service: Service = Service.SPOTIFY) -> str:
    """A playlist of Alice's with these tracks of the catalogue, on YouTube with their audio releases."""
    if service is Service.SPOTIFY:
        return engine.sandbox.world.create_spotify_playlist("alice", name, songs)
    return engine.youtube_playlist([engine.right_video(song) for song in songs], name)


def remove(engine: Engine, playlist_id: str, song: str, service: Service = Service.SPOTIFY) -> None:
    engine.sandbox.world.remove(playlist_id, song if service is Service.SPOTIFY else engine.right_video(song))


def held(engine: Engine, playlist_id: str, service: Service) -> list[str]:
    world = engine.sandbox.world
    return world.spotify_items(playlist_id) if service is Service.SPOTIFY else world.youtube_items(playlist_id)


async def more(engine: Engine, mapping: Mapping, *playlists: str) -> Mapping:
    for one in playlists:
        mapping = await engine.mappings.add_source(GUILD, mapping.id, ALICE, engine.address(one))
    return mapping


@pytest.mark.parametrize("service", BOTH)
async def test_sources_are_merged_in_order_and_doubles_dropped(each_url: str, service: Service) -> None:
    """What goes from one source stays while another holds it, and goes once none does."""
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(each_url, sandbox, clock) as engine:
            await engine.link_both()
            songs = engine.tracks_with_videos(6)
            first, second = playlist(engine, "A", songs[:3], service), playlist(engine, "B", songs[2:5], service)
            target = playlist(engine, "T", [], service)
            mapping = await engine.map(first, target, removals=Removals.MIRROR, order=Order.KEEP)
            await synced(engine, mapping.id)
            mapping = await more(engine, mapping, second)
            assert [one.external_id for one in mapping.sources(Side.RIGHT)] == [first, second]
            await synced(engine, mapping.id)

            def wanted(*chosen: int) -> list[str]:
                of = [songs[number] for number in chosen]
                return of if service is Service.SPOTIFY else [engine.right_video(song) for song in of]

            assert held(engine, target, service) == wanted(0, 1, 2, 3, 4)
            writes = len(engine.sent(target))
            remove(engine, first, songs[2], service)
            await synced(engine, mapping.id)
            assert held(engine, target, service) == wanted(0, 1, 2, 3, 4)
            assert len(engine.sent(target)) == writes, "it was not even written to"
            remove(engine, second, songs[2], service)
            remove(engine, first, songs[0], service)
            await synced(engine, mapping.id)
            assert held(engine, target, service) == wanted(1, 3, 4)
            assert sandbox.books.duplicates() == {}
            assert not engine.sent(second), "sources are only read"


async def test_a_double_under_another_id_keeps_the_track_when_the_first_one_goes(sqlite_url: str) -> None:
    """The second source holds a re-issue: the destination keeps what it has, without a write."""
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            songs = engine.tracks_with_videos(4)
            first = playlist(engine, "A", songs[:3])
            target = playlist(engine, "T", [], Service.YOUTUBE)
            mapping = await engine.map(first, target, removals=Removals.MIRROR)
            new = sandbox.world.reissue(songs[0])
            sandbox.world.remove(first, new)
            sandbox.world.add(first, songs[0], 0)
            second = playlist(engine, "B", [new])
            mapping = await more(engine, mapping, second)
            await synced(engine, mapping.id)
            before = sandbox.world.youtube_items(target)
            assert len(before) == 3
            sandbox.world.remove(first, songs[0])
            writes = len(engine.sent(target))
            await synced(engine, mapping.id)
            assert sandbox.world.youtube_items(target) == before
            assert len(engine.sent(target)) == writes


async def test_unchanged_sources_cost_no_read_and_a_changed_one_is_seen(each_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(each_url, sandbox, clock) as engine:
            await engine.link_both()
            songs = [track.id for track in sandbox.world.tracks[:9]]
            first, second = playlist(engine, "A", songs[:4]), playlist(engine, "B", songs[4:8])
            target = playlist(engine, "T", [])
            mapping = await more(engine, await engine.map(first, target), second)
            await synced(engine, mapping.id)
            await synced(engine, mapping.id)
            calls = engine.calls()
            assert (await engine.sync.start(mapping.id, ALICE)).unchanged
            assert engine.calls() == calls + 1, "one list of playlists"
            clock.advance(timedelta(days=2))
            assert (await engine.sync.start(mapping.id, ALICE)).unchanged
            full = await engine.sync.start(mapping.id, ALICE, full=True)
            assert (full.unchanged, full.plan.diffs) == (False, 0)
            sandbox.world.add(second, songs[8])
            await synced(engine, mapping.id)
            assert sandbox.world.spotify_items(target) == songs


async def test_liked_songs_can_be_one_of_several_and_are_read_once_a_day(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            target = playlist(engine, "T", [])
            mapping = await engine.map(engine.spotify_playlist(2), target)
            mapping = await engine.mappings.add_source(GUILD, mapping.id, ALICE, "liked")
            await synced(engine, mapping.id)
            await synced(engine, mapping.id)
            assert (await engine.sync.start(mapping.id, ALICE)).unchanged
            clock.advance(timedelta(hours=24))
            assert not (await engine.sync.start(mapping.id, ALICE)).unchanged
            liked = [uri.rsplit(":", 1)[1] for uri in sandbox.world.liked("alice").media if uri]
            assert set(liked) <= set(sandbox.world.spotify_items(target))


async def test_a_source_that_reads_broken_stops_the_plan_and_is_named(each_url: str) -> None:
    """Although all sources together hold enough; an admin may let that plan pass."""
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(each_url, sandbox, clock) as engine:
            await engine.link_both()
            songs = list({track.title.partition(" (")[0]: track.id for track in sandbox.world.tracks}.values())[:46]
            first, second = playlist(engine, "Large", songs[:40]), playlist(engine, "Small", songs[40:])
            target = playlist(engine, "T", [])
            mapping = await more(engine, await engine.map(first, target, removals=Removals.MIRROR), second)
            await synced(engine, mapping.id)
            for song in songs[41:]:
                sandbox.world.remove(second, song)
            stopped = await engine.sync.start(mapping.id, ALICE)
            assert stopped.plan.guard is not None
            assert stopped.plan.guard.kind is GuardKind.COLLAPSED_READ
            assert "Small was read with 1 tracks, but held 6" in stopped.plan.guard.sentence
            assert sandbox.world.spotify_items(target) == songs
            await engine.sync.force(stopped.run.id, ALICE)
            await engine.executor.drain(mapping.id)
            assert sandbox.world.spotify_items(target) == songs[:41]


async def test_a_source_that_is_gone_pauses_the_mapping_and_is_named(each_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(each_url, sandbox, clock) as engine:
            await engine.link_both()
            second, target = engine.youtube_playlist(name="B side"), engine.youtube_playlist()
            song = engine.right_video(engine.tracks_with_videos(1)[0])
            mapping = await more(engine, await engine.map(engine.youtube_playlist([song]), target), second)
            await synced(engine, mapping.id)
            sandbox.world.delete(second)
            with pytest.raises(UserMistake, match="“B side” is gone"):
                await engine.sync.start(mapping.id, ALICE)
            paused = await engine.storage.mappings.get(mapping.id)
            assert paused is not None
            assert (paused.enabled, "B side" in paused.pause_reason) == (False, True)
            assert sandbox.world.youtube_items(target) == [song]


async def test_a_source_can_be_taken_away_again_and_its_tracks_go_with_it(each_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(each_url, sandbox, clock) as engine:
            await engine.link_both()
            songs = [track.id for track in sandbox.world.tracks[:8]]
            places = zip("ABC", (0, 2, 5), strict=True)
            first, second, third = (playlist(engine, name, songs[at : at + 3]) for name, at in places)
            target = playlist(engine, "T", [])
            mapping = await more(engine, await engine.map(first, target, removals=Removals.MIRROR), second, third)
            await synced(engine, mapping.id)
            assert sandbox.world.spotify_items(target) == songs
            mapping = await engine.mappings.remove_source(GUILD, mapping.id, ALICE, engine.address(second))
            assert [one.name for one in mapping.more] == ["C"]
            await synced(engine, mapping.id)
            assert sandbox.world.spotify_items(target) == songs[:3] + songs[5:]
            with pytest.raises(UserMistake, match="first source"):
                await engine.mappings.remove_source(GUILD, mapping.id, ALICE, engine.address(first))
            with pytest.raises(UserMistake, match="no source"):
                await engine.mappings.remove_source(GUILD, mapping.id, ALICE, engine.address(second))
            await engine.mappings.remove_source(GUILD, mapping.id, ALICE, engine.address(third))
            await synced(engine, mapping.id)
            assert sandbox.world.spotify_items(target) == songs[:3]


async def test_what_a_run_added_from_a_further_source_can_be_undone(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            songs = [track.id for track in sandbox.world.tracks[:6]]
            target = playlist(engine, "T", [])
            mapping = await engine.map(playlist(engine, "A", songs[:3]), target, removals=Removals.MIRROR)
            await synced(engine, mapping.id)
            await more(engine, mapping, playlist(engine, "B", songs[3:]))
            await synced(engine, mapping.id)
            (latest, *_) = await engine.undo.runs(GUILD, mapping.id)
            await engine.undo.apply(GUILD, latest.run.id, ALICE)
            await engine.executor.drain(mapping.id)
            clock.advance(timedelta(minutes=2))
            assert sandbox.world.spotify_items(target) == songs[:3]
            await synced(engine, mapping.id)
            assert sandbox.world.spotify_items(target) == songs[:3], "what was taken back stays away"


async def test_what_cannot_be_a_further_source_is_refused_with_a_sentence(each_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(each_url, sandbox, clock) as engine:
            await engine.link_both()
            first, second, target = (playlist(engine, name, []) for name in "ABT")
            both = await engine.map(first, target, direction=Direction.TWO_WAY)
            with pytest.raises(UserMistake, match="from left to right"):
                await more(engine, both, second)
            mapping = await engine.map(first, target)
            for text, words in (
                (engine.address(engine.youtube_playlist()), "all of them must be on one service"),
                (create_value(Service.SPOTIFY, "New"), "must exist already"),
                (engine.address(first), "already"),
                (engine.address(target), "same playlist"),
                (engine.address(sandbox.world.known.gym), "somebody else's"),
            ):
                with pytest.raises(UserMistake, match=words):
                    await engine.mappings.add_source(GUILD, mapping.id, ALICE, text)
            mapping = await more(engine, mapping, second)
            for direction in (Direction.TWO_WAY, Direction.RIGHT_TO_LEFT):
                with pytest.raises(UserMistake, match="source-remove"):
                    await engine.mappings.edit(GUILD, mapping.id, ALICE, direction=direction)
            mapping = await more(engine, mapping, *(playlist(engine, f"P{number}", []) for number in range(8)))
            with pytest.raises(UserMistake, match="at most 10"):
                await more(engine, mapping, playlist(engine, "P9", []))


async def test_a_source_of_another_person_needs_that_persons_login(each_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(each_url, sandbox, clock) as engine:
            await engine.link_both()
            bobs = await engine.link(Service.SPOTIFY, "bob", ALICE + 1)
            mapping = await engine.map(engine.spotify_playlist(1), playlist(engine, "T", []))
            gym = engine.address(sandbox.world.known.gym)
            with pytest.raises(UserMistake, match="somebody else's"):
                await engine.mappings.add_source(GUILD, mapping.id, ALICE, gym)
            mapping = await engine.mappings.add_source(GUILD, mapping.id, ALICE + 1, gym)
            assert mapping.more[0].account_id == bobs.id
            await synced(engine, mapping.id)
            assert len(sandbox.world.spotify_items(mapping.right.external_id)) > 1
            await engine.accounts.disconnect(bobs.id, ALICE + 1)
            paused = await engine.storage.mappings.get(mapping.id)
            assert paused is not None
            assert not paused.enabled
            with pytest.raises(UserMistake, match="is not linked"):
                await engine.mappings.resume(GUILD, mapping.id, ALICE)


async def test_circles_through_a_further_source_are_refused(each_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(each_url, sandbox, clock) as engine:
            await engine.link_both()
            first, second, target = (playlist(engine, name, []) for name in "ABT")
            mapping = await engine.map(first, target, removals=Removals.MIRROR)
            back = await engine.map(target, second, removals=Removals.MIRROR)
            with pytest.raises(UserMistake, match="circle"):
                await more(engine, mapping, second)
            await engine.mappings.remove(GUILD, back.id, ALICE)
            await more(engine, mapping, second)
            with pytest.raises(UserMistake, match="circle"):
                await engine.map(target, second, removals=Removals.MIRROR)


async def test_further_sources_stand_with_the_mapping_in_order_wherever_it_is_read(each_storage: Storage) -> None:
    mapping = await mapped(each_storage)
    other = await connected(each_storage, Service.SPOTIFY, "other")
    rows = [await each_storage.playlists.upsert(info(f"more{number}"), other.id) for number in range(3)]
    for row in rows:
        changed = await each_storage.mappings.add_source(mapping.id, row.id)
        assert changed is not None
    await each_storage.mappings.remove_source(mapping.id, rows[1].id)
    await each_storage.mappings.remove_source(mapping.id, mapping.left.id)  # the first one is no further source
    changed = await each_storage.mappings.update(mapping.id, direction=Direction.LEFT_TO_RIGHT)
    assert changed is not None
    wanted = (mapping.left, rows[0], rows[2])
    assert changed.sources(Side.RIGHT) == wanted
    assert changed.playlists == (*wanted, mapping.right)
    assert changed.last_analysed_at is None
    for found in (
        await each_storage.mappings.get(mapping.id),
        *await each_storage.mappings.of_guild(mapping.guild_id),
        *await each_storage.mappings.using_account(other.id),
        *await each_storage.mappings.touching(Service.SPOTIFY, "more2"),
    ):
        assert found == changed
    assert await each_storage.mappings.touching(Service.SPOTIFY, "more1") == []
    assert await each_storage.mappings.add_source(999, rows[1].id) is None
