"""Killed at any point, the program has every item's effect exactly once when it is back."""

from collections import Counter

import pytest

from bot.model.item import ItemStatus
from bot.model.mapping import Mapping
from bot.model.music import Service
from bot.model.run import RunStatus
from bot.sandbox import Sandbox
from tests.contract.engine_room import SETTLE, Engine, Killed, engine_room, simulated
from tests.contract.music_room import ALICE, NotingClock

POINTS = (
    "after_claim",
    "after_resolve",
    "before_intent",
    "after_intent",
    "after_send",
    "before_settle",
    "after_settle",
)
TRACKS = 4


class CrashAt:
    """Kills the program when it comes to ``point`` for the ``number``-th time."""

    def __init__(self, point: str, number: int = 2) -> None:
        self.point = point
        self.left = number

    def __call__(self, point: str) -> None:
        if point == self.point:
            self.left -= 1
            if self.left == 0:
                raise Killed


def playlists(engine: Engine, destination: Service) -> tuple[str, str]:
    """Source and destination; the source's tracks have true counterparts."""
    tracks = engine.tracks_with_videos(TRACKS)
    if destination is Service.YOUTUBE:
        return engine.sandbox.world.create_spotify_playlist("alice", "Source", tracks), engine.youtube_playlist()
    videos = [engine.right_video(track) for track in tracks]
    return engine.youtube_playlist(videos, "Source"), engine.sandbox.world.create_spotify_playlist("alice", "T", [])


def held(sandbox: Sandbox, mapping: Mapping) -> list[str]:
    right = mapping.right
    world = sandbox.world
    return (
        world.youtube_items(right.external_id)
        if right.service is Service.YOUTUBE
        else world.spotify_items(right.external_id)
    )


async def start(engine: Engine, destination: Service) -> Mapping:
    await engine.link_both()
    mapping = await engine.map(*playlists(engine, destination))
    await engine.executor.recover()
    await engine.sync.start(mapping.id, ALICE)
    return mapping


async def assert_each_once(engine: Engine, mapping: Mapping) -> None:
    """Every item is done or waits for a person, and the playlist holds each counterpart once."""
    left = await engine.items(mapping, ItemStatus.PENDING, ItemStatus.RUNNING, ItemStatus.UNKNOWN, ItemStatus.ERROR)
    assert left == []
    done = await engine.items(mapping, ItemStatus.DONE)
    assert Counter(held(engine.sandbox, mapping)) == Counter(item.destination_id for item in done)
    assert len(done) >= TRACKS - 1, "the test's tracks should be found"
    assert engine.sandbox.books.duplicates(mapping.right.external_id) == {}
    assert len(await engine.storage.links.of_mapping(mapping.id)) == len(done)


@pytest.mark.parametrize("destination", list(Service))
@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_at_each_point_loses_and_doubles_nothing(
    point: str, destination: Service, sqlite_url: str
) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        crash = CrashAt(point, 1 if destination is Service.SPOTIFY else 2)
        async with engine_room(sqlite_url, sandbox, clock, crash=crash) as engine:
            mapping = await start(engine, destination)
            if point == "after_claim":
                crash.left = 1
            with pytest.raises(Killed):
                await engine.executor.drain(mapping.id)
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.executor.recover()
            runs = await engine.storage.runs.of_mapping(mapping.id)
            assert runs[0].status is RunStatus.FAILED, "the dead run is not left in progress"
            await engine.executor.drain(mapping.id)
            await assert_each_once(engine, mapping)


@pytest.mark.parametrize("destination", list(Service))
async def test_at_start_what_may_have_been_sent_is_read_back_before_anything_new_is_sent(
    destination: Service, sqlite_url: str
) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock, crash=CrashAt("after_send", 1)) as engine:
            mapping = await start(engine, destination)
            with pytest.raises(Killed):
                await engine.executor.drain(mapping.id)
            before = len(sandbox.books.writes(mapping.right.external_id))
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.executor.recover()
            (unknown, *_) = await engine.items(mapping, ItemStatus.UNKNOWN)
            await engine.executor.drain(mapping.id, patience=SETTLE / 2)
            assert len(sandbox.books.writes(mapping.right.external_id)) == before, (
                "nothing is sent before the read-back"
            )
            clock.advance(SETTLE)
            await engine.executor.drain(mapping.id)
            item = await engine.storage.items.get(unknown.id)
            assert item is not None
            assert item.status is ItemStatus.DONE
            await assert_each_once(engine, mapping)


async def test_killed_again_and_again_it_still_gets_there(sqlite_url: str) -> None:
    """A crash at every point in turn, while the crashed program's own recovery may crash too."""
    clock = NotingClock()
    with simulated(clock, settle_lag=20) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await start(engine, Service.YOUTUBE)
        for point in (*POINTS, "after_read_back", *POINTS):
            async with engine_room(sqlite_url, sandbox, clock, crash=CrashAt(point, 1)) as engine:
                await engine.executor.recover()
                try:
                    await engine.executor.drain(mapping.id)
                except Killed:
                    clock.advance(1)
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.executor.recover()
            await engine.executor.drain(mapping.id)
            await assert_each_once(engine, mapping)
