"""Whatever people do with bases, children and rules, and wherever the program dies: children hold what is chosen."""

import random
from datetime import timedelta

import pytest

from bot.engine.reading import Listings
from bot.engine.routed import Chooser, OnlyEntries
from bot.engine.router import Mode
from bot.model.mapping import LinkState
from bot.model.music import Service
from bot.model.router import BasePlaylist, ChildPlaylist
from bot.model.run import RunStatus, Trigger
from tests.contract.engine_room import Engine, Killed, engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock
from tests.contract.test_engine_crashes import POINTS, CrashAt
from tests.contract.test_router import based, child, held, routed

# Rules by how a plain filter says the same: of places in the base, and of lengths in seconds.
RULES = {
    "position <= 4": lambda place, seconds: place <= 4,
    "position >= 3 and duration < 4:00": lambda place, seconds: place >= 3 and seconds < 240,
    "duration >= 3:30": lambda place, seconds: seconds >= 210,
    "not duration >= 3:30 or position = 1": lambda place, seconds: seconds < 210 or place == 1,
}


def wanted(engine: Engine, base: BasePlaylist, rules: str) -> list[str]:
    """Track ids of the base that the rules choose, in its order."""
    world = engine.sandbox.world
    whole = world.spotify_items(base.playlist.external_id)
    fits = RULES[rules]
    return [one for place, one in enumerate(whole, 1) if fits(place, world.track(one).length_ms / 1000)]


def recordings(engine: Engine, count: int) -> list[str]:
    """Tracks of which no two are one recording: of those either may stand for the other."""
    world, found = engine.sandbox.world, dict[str, str]()
    for track in engine.tracks_with_videos(3 * count):
        found.setdefault(world.track(track).title.casefold().split(" (")[0].split(" - ")[0], track)
    return list(found.values())[:count]


async def assert_holds(engine: Engine, one: ChildPlaylist, tracks: list[str]) -> None:
    """On YouTube a counterpart of each, in order; one that was not found waits for a person."""
    found = held(engine, one)
    if one.playlist.service is Service.SPOTIFY:
        assert found == tracks
        return
    links = await engine.storage.links.of_mapping(one.mapping.id)
    there = {link.left_track_id: link.right_track_id for link in links if link.state is LinkState.ACTIVE}
    asked = {row.track_id for row in await engine.storage.blacklist.open_of_mapping(one.mapping.id)}
    assert found == list(dict.fromkeys(there[track] for track in tracks if track not in asked))


@pytest.mark.parametrize("seed", range(4))
async def test_after_each_run_each_child_holds_what_its_rules_choose(seed: int, sqlite_url: str) -> None:
    chance, clock = random.Random(seed), NotingClock()
    with simulated(clock, youtube_units=1_000_000, youtube_searches=10_000) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            world, pool = sandbox.world, recordings(engine, 24)
            source = world.create_spotify_playlist("alice", "Base", pool[:8])
            base = await based(engine, source)
            children = {
                service: await child(engine, base, service.label, "position = 1", service) for service in Service
            }
            rules: dict[Service, str] = {}
            for service, one in children.items():
                rules[service] = chance.choice(list(RULES))
                await engine.bases.edit_child(GUILD, one.id, ALICE, rules=rules[service])
            for _ in range(5):
                await routed(engine, base, chance.choice([Mode.INCREMENTAL, Mode.INCREMENTAL, *Mode]))
                for service, one in children.items():
                    await assert_holds(engine, one, wanted(engine, base, rules[service]))
                _edit_base(engine, source, pool, chance)
                _edit_child(engine, children[Service.SPOTIFY], pool, chance)
                service = chance.choice(list(Service))
                rules[service] = chance.choice(list(RULES))
                await engine.bases.edit_child(GUILD, children[service].id, ALICE, rules=rules[service])


def _edit_base(engine: Engine, source: str, pool: list[str], chance: random.Random) -> None:
    world = engine.sandbox.world
    holds = world.spotify_items(source)
    for media in chance.sample(holds, chance.randrange(3)):
        world.remove(source, media)
    holds = world.spotify_items(source)
    fresh = [track for track in pool if track not in holds]
    for media in chance.sample(fresh, chance.randrange(1, 4)):
        world.add(source, media, chance.randrange(len(holds)))


def _edit_child(engine: Engine, one: ChildPlaylist, pool: list[str], chance: random.Random) -> None:
    """Somebody meddles with what the rules fill."""
    world, playlist = engine.sandbox.world, one.playlist.external_id
    holds = world.spotify_items(playlist)
    if holds and chance.random() < 0.5:
        world.remove(playlist, chance.choice(holds))
    else:
        world.add(playlist, chance.choice([track for track in pool if track not in holds]), 0)


@pytest.mark.parametrize("service", list(Service))
@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_at_each_point_of_a_rebuild_leaves_no_half_empty_child(
    point: str, service: Service, sqlite_url: str
) -> None:
    clock, crash = NotingClock(), CrashAt("never")
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock, crash=crash) as engine:
            await engine.link_both()
            source = sandbox.world.create_spotify_playlist("alice", "Base", engine.tracks_with_videos(4))
            base = await based(engine, source)
            one = await child(engine, base, "All", "position >= 1", service)
            await routed(engine, base)
            before = held(engine, one)
            assert len(before) == 4
            await engine.router.run(GUILD, base.id, ALICE, Mode.REBUILD)
            crash.point, crash.left = point, 2 if service is Service.YOUTUBE or point == "before_settle" else 1
            if point == "after_claim":
                crash.left = 1
            with pytest.raises(Killed):
                await engine.executor.drain()
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.executor.recover()
            clock.advance(timedelta(minutes=2))
            await engine.executor.drain()
            assert held(engine, one) == before
            assert sandbox.books.duplicates(one.playlist.external_id) == {}
            await routed(engine, base)
            assert held(engine, one) == before


async def test_a_kill_between_two_children_leaves_the_second_to_the_next_life(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            base = await based(engine, engine.spotify_playlist(8), schedule="every 24h")
            first = await child(engine, base, "First", "position <= 3", Service.SPOTIFY)
            second = await child(engine, base, "Second", "position > 3", Service.SPOTIFY)
            # So far a run had come when its process died.
            assert await engine.storage.runs.start_routing(base.id, Trigger.COMMAND, ALICE, clock.now())
            listings = Listings(engine.storage, engine.services)
            chooser = Chooser(engine.storage, engine.services, OnlyEntries(), clock)
            choices = await chooser.choose(base, [first, second], listings)
            content = choices.of[first.id].content
            await engine.sync.route(first.mapping, content, ALICE, Trigger.COMMAND, listings)
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.executor.recover()
            await engine.executor.drain()
            await engine.router.due()
            await engine.executor.drain()
            whole = sandbox.world.spotify_items(base.playlist.external_id)
            assert (held(engine, first), held(engine, second)) == (whole[:3], whole[3:])
            assert (await engine.router.history(GUILD, base.id))[0].status is RunStatus.COMPLETED
