"""Whatever people, services and the program's deaths do to a mapping, it keeps its promises and comes to rest."""

import pytest

from bot.model.mapping import Direction, Order
from tests.contract.engine_life import Life, shapes
from tests.contract.engine_room import SETTLE, engine_room, simulated
from tests.contract.music_room import ALICE, NotingClock

SHAPES = shapes()
STEPS = 40
LIVES = 10  # each some other shape; more of them find rarer things


@pytest.mark.parametrize("seed", range(1, LIVES + 1))
async def test_a_life_full_of_edits_faults_and_deaths_loses_and_doubles_nothing(seed: int, sqlite_url: str) -> None:
    life = Life(sqlite_url, SHAPES[seed * 13 % len(SHAPES)], seed)
    try:
        await life.live(STEPS)
    except BaseException as error:
        error.add_note("\n".join([str(life.shape), *life.story]))
        raise


async def test_a_life_on_postgresql_is_no_different(postgres_url: str) -> None:
    life = Life(postgres_url, SHAPES[5], 1)
    await life.live(STEPS)


async def test_of_several_copies_on_spotify_the_one_that_the_plan_means_is_moved(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        world = sandbox.world
        a, b, c, d = (track.id for track in world.tracks[:4])
        left = world.create_spotify_playlist("alice", "Left", [a, b, c, d, a])
        right = world.create_spotify_playlist("alice", "Right", [a, b, c, d, a])
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping = await engine.map(left, right, direction=Direction.LEFT_TO_RIGHT, order=Order.KEEP)
            await engine.executor.recover()
            await engine.sync.start(mapping.id, ALICE)
            world.move(left, 4, 1)
            await engine.sync.start(mapping.id, ALICE)
            await engine.executor.drain(mapping.id)
            assert world.spotify_items(right) == [a, a, b, c, d]


async def test_a_copy_that_people_add_after_a_doubtful_write_is_theirs(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            [track] = engine.tracks_with_videos(1)
            target = engine.youtube_playlist()
            mapping = await engine.map(sandbox.world.create_spotify_playlist("alice", "Source", [track]), target)
            await engine.executor.recover()
            await engine.sync.start(mapping.id, ALICE)
            sandbox.faults.next("youtube", "POST", "playlistItems", "reset", "before")
            await engine.executor.drain(mapping.id)
            [video] = sandbox.world.youtube_items(target)
            [link] = await engine.storage.links.of_mapping(mapping.id)
            assert link.suspect, "the write was sent twice"
            clock.advance(SETTLE)
            sandbox.world.add(target, video)
            done = await engine.sync.start(mapping.id, ALICE)
            assert done.plan.removes == ()
            assert not done.unchanged
