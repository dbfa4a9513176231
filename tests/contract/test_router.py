"""Routing at the wire: a base read once, children filled by their rules, and nothing spent where nothing changed."""

from datetime import timedelta

import pytest

from bot.engine.bases import NewBase, NewChild
from bot.engine.routed import CollapsedBase
from bot.engine.router import Mode
from bot.model.errors import UserMistake
from bot.model.music import Service
from bot.model.router import BasePlaylist, ChildPlaylist
from bot.model.run import RunKind, RunStatus
from tests.contract.engine_room import Engine, engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock


async def based(engine: Engine, playlist_id: str, *, schedule: str = "off") -> BasePlaylist:
    new = NewBase(
        guild_id=GUILD, actor_id=ALICE, name="Everything", playlist=engine.address(playlist_id), schedule=schedule
    )
    return await engine.bases.create(new)


async def child(engine: Engine, base: BasePlaylist, name: str, rules: str, service: Service) -> ChildPlaylist:
    world = engine.sandbox.world
    make = world.create_spotify_playlist if service is Service.SPOTIFY else world.create_youtube_playlist
    new = NewChild(
        guild_id=GUILD,
        actor_id=ALICE,
        base_id=base.id,
        name=name,
        playlist=engine.address(make("alice", name, [])),
        rules=rules,
    )
    return await engine.bases.add_child(new)


async def routed(engine: Engine, base: BasePlaylist, mode: Mode = Mode.INCREMENTAL) -> None:
    """One run by a person, its writes to their end, and past the settle time."""
    await engine.router.run(GUILD, base.id, ALICE, mode)
    await engine.executor.drain()
    engine.clock.advance(timedelta(minutes=2))


def held(engine: Engine, one: ChildPlaylist) -> list[str]:
    world = engine.sandbox.world
    if one.playlist.service is Service.SPOTIFY:
        return world.spotify_items(one.playlist.external_id)
    return world.youtube_items(one.playlist.external_id)


async def test_each_child_holds_what_its_rules_choose_in_the_bases_order(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            source = engine.spotify_playlist(40)
            base = await based(engine, source)
            short = await child(engine, base, "Short", "duration < 3:30", Service.SPOTIFY)
            rest = await child(engine, base, "Rest", "not duration < 3:30", Service.SPOTIFY)
            done = await engine.router.run(GUILD, base.id, ALICE)
            assert done.run is not None
            assert (done.run.kind, done.run.status, done.tracks) == (RunKind.ROUTING, RunStatus.COMPLETED, 40)
            await engine.executor.drain()
            whole = sandbox.world.spotify_items(source)
            seconds = {track.id: track.length_ms / 1000 for track in sandbox.world.tracks}
            assert held(engine, short) == [one for one in whole if seconds[one] < 210]
            assert held(engine, rest) == [one for one in whole if seconds[one] >= 210]
            assert held(engine, short), "the rule chooses something"
            assert held(engine, rest)


async def test_an_unchanged_base_costs_one_call_and_writes_nothing(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            base = await based(engine, engine.spotify_playlist(30))
            for number in range(3):
                await child(engine, base, f"c{number}", f"position > {number * 5 + 1}", Service.SPOTIFY)
            await routed(engine, base)
            await routed(engine, base)  # takes in what its own writes changed
            before = engine.calls()
            again = await engine.router.run(GUILD, base.id, ALICE)
            assert engine.calls() - before == 1
            assert again.enqueued == 0
            assert again.run is not None
            assert again.run.counts.api_requests == 1


async def test_a_child_on_the_other_service_is_matched_as_mappings_are(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            tracks = engine.tracks_with_videos(6)
            base = await based(engine, sandbox.world.create_spotify_playlist("alice", "Base", tracks))
            videos = await child(engine, base, "Videos", "position in (1, 2, 4)", Service.YOUTUBE)
            await routed(engine, base)
            found = held(engine, videos)
            assert len(found) == 3
            for track, video in zip((tracks[0], tracks[1], tracks[3]), found, strict=True):
                assert video in sandbox.world.right_videos(track)


async def test_what_leaves_the_base_leaves_the_children_and_what_people_add_to_a_child_goes(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            source = engine.spotify_playlist(12)
            base = await based(engine, source)
            everything = await child(engine, base, "All", "position >= 1", Service.SPOTIFY)
            await routed(engine, base)
            gone = sandbox.world.spotify_items(source)[3]
            sandbox.world.remove(source, gone)
            stranger = sandbox.world.tracks[100].id
            sandbox.world.add(everything.playlist.external_id, stranger, 0)
            await routed(engine, base)
            assert held(engine, everything) == sandbox.world.spotify_items(source)


async def test_a_person_who_looks_at_a_child_as_a_mapping_gets_what_its_rules_choose(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            base = await based(engine, engine.spotify_playlist(20))
            few = await child(engine, base, "Few", "position <= 4", Service.SPOTIFY)
            await engine.sync.start(few.mapping.id, ALICE)
            await engine.executor.drain()
            assert len(held(engine, few)) == 4
            with pytest.raises(UserMistake, match="child of the router"):
                await engine.mappings.pause(GUILD, few.mapping.id, ALICE)


@pytest.mark.parametrize("service", list(Service))
async def test_a_rebuild_clears_and_refills_and_leads_to_the_same_content(sqlite_url: str, service: Service) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            tracks = engine.tracks_with_videos(7)
            doubled = [*tracks, tracks[2]]
            base = await based(engine, sandbox.world.create_spotify_playlist("alice", "Base", doubled))
            some = await child(engine, base, "Some", "position >= 2", service)
            await routed(engine, base)
            before = held(engine, some)
            assert len(before) == 7
            searches = sum(request.path.endswith("/search") for request in sandbox.books.requests())
            sent = len(engine.sent(some.playlist.external_id))
            await routed(engine, base, Mode.REBUILD)
            assert held(engine, some) == before
            assert len(engine.sent(some.playlist.external_id)) > sent, "it was really written anew"
            assert sum(request.path.endswith("/search") for request in sandbox.books.requests()) == searches
            sent = len(engine.sent(some.playlist.external_id))
            await routed(engine, base)
            assert len(engine.sent(some.playlist.external_id)) == sent, "nothing is left to do"


async def test_what_was_routed_to_a_child_can_be_taken_back_and_stays_so(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            source = engine.spotify_playlist(10)
            base = await based(engine, source)
            few = await child(engine, base, "Few", "position <= 5", Service.SPOTIFY)
            await routed(engine, base)
            before = held(engine, few)
            await engine.bases.edit_child(GUILD, few.id, ALICE, rules="position <= 8")
            await routed(engine, base)
            assert len(held(engine, few)) == 8
            (latest, *_) = await engine.undo.runs(GUILD, few.mapping.id)
            await engine.undo.apply(GUILD, latest.run.id, ALICE)
            await engine.executor.drain()
            engine.clock.advance(timedelta(minutes=2))
            assert held(engine, few) == before
            await routed(engine, base)
            assert held(engine, few) == before, "the next run does not bring them back"


async def test_a_base_that_did_lose_most_of_its_tracks_passes_whole_with_one_word(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            source = engine.spotify_playlist(20)
            base = await based(engine, source)
            everything = await child(engine, base, "All", "position >= 1", Service.SPOTIFY)
            await routed(engine, base)
            for track in sandbox.world.spotify_items(source)[:15]:
                sandbox.world.remove(source, track)
            with pytest.raises(CollapsedBase):
                await engine.router.run(GUILD, base.id, ALICE)
            await engine.router.run(GUILD, base.id, ALICE, accept_collapse=True)
            await engine.executor.drain()
            assert held(engine, everything) == sandbox.world.spotify_items(source)
