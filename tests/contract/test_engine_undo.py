"""A run that is taken back: its own writes go, people's edits stay, nothing comes back, nothing is half done."""

from collections import Counter
from datetime import timedelta

import pytest

from bot.engine.quota import QuotaLimits
from bot.engine.undo import StartedUndo
from bot.model.errors import UserMistake
from bot.model.item import ItemStatus
from bot.model.mapping import Direction, LinkState, Mapping, Order, Removals
from bot.model.music import Service
from bot.model.plan import GuardKind
from bot.model.run import RunKind, RunStatus
from tests.contract.engine_room import SETTLE, Engine, Killed, engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock
from tests.contract.test_engine_crashes import POINTS, CrashAt

TRACKS = 4
MIDNIGHT_AND_A_BIT = timedelta(hours=25)


def playlists(engine: Engine, destination: Service, count: int = TRACKS) -> tuple[str, str]:
    """Source and destination; the source's tracks have true counterparts."""
    world, tracks = engine.sandbox.world, engine.tracks_with_videos(count)
    if destination is Service.YOUTUBE:
        return world.create_spotify_playlist("alice", "Source", tracks), engine.youtube_playlist()
    videos = [engine.right_video(track) for track in tracks]
    return engine.youtube_playlist(videos, "Source"), world.create_spotify_playlist("alice", "T", [])


def held(engine: Engine, mapping: Mapping) -> list[str]:
    right, world = mapping.right, engine.sandbox.world
    read = world.youtube_items if right.service is Service.YOUTUBE else world.spotify_items
    return read(right.external_id)


async def made(engine: Engine, destination: Service, count: int = TRACKS, **fields: object) -> Mapping:
    """A mapping whose first sync is done."""
    await engine.link_both()
    mapping = await engine.map(*playlists(engine, destination, count), **fields)
    await engine.executor.recover()
    await synced(engine, mapping)
    assert len(held(engine, mapping)) == count
    return mapping


async def synced(engine: Engine, mapping: Mapping) -> None:
    await engine.sync.start(mapping.id, ALICE)
    await engine.executor.drain(mapping.id)
    engine.clock.advance(SETTLE)


async def latest(engine: Engine, mapping: Mapping) -> int:
    """The last run that changed something and is not taken back."""
    return next(one.run.id for one in await engine.undo.runs(GUILD, mapping.id) if one.undone_by is None)


async def undone(engine: Engine, mapping: Mapping, run_id: int | None = None) -> StartedUndo:
    started = await engine.undo.apply(GUILD, run_id or await latest(engine, mapping), ALICE)
    await engine.executor.drain(mapping.id)
    engine.clock.advance(SETTLE)
    return started


@pytest.mark.parametrize("destination", list(Service))
@pytest.mark.parametrize("removals", list(Removals))
async def test_a_run_is_taken_back_and_no_sync_brings_it_back(
    destination: Service, removals: Removals, sqlite_url: str
) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await made(engine, destination, removals=removals)
            run = await latest(engine, mapping)
            started = await undone(engine, mapping)
            assert held(engine, mapping) == []
            assert (started.run.kind, started.run.undoes_run_id) == (RunKind.UNDO, run)
            assert (started.run.status, started.enqueued) == (RunStatus.COMPLETED, TRACKS)
            states = {link.state for link in await engine.storage.links.of_mapping(mapping.id)}
            assert states == {LinkState.HELD}
            for _ in range(2):
                again = await engine.sync.start(mapping.id, ALICE)
                assert again.plan.diffs == 0
                await synced(engine, mapping)
            assert held(engine, mapping) == []


@pytest.mark.parametrize("destination", list(Service))
async def test_an_undo_is_undone_and_everything_is_as_after_the_run(destination: Service, each_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(each_url, sandbox, clock) as engine:
            mapping = await made(engine, destination)
            after, run = held(engine, mapping), await latest(engine, mapping)
            first = await undone(engine, mapping)
            [undo, sync] = await engine.undo.runs(GUILD, mapping.id)
            assert (undo.run.id, undo.removed, undo.undone_by) == (first.run.id, TRACKS, None)
            assert (sync.run.id, sync.added, sync.undone_by) == (run, TRACKS, first.run.id)
            await undone(engine, mapping)
            assert held(engine, mapping) == after
            states = {link.state for link in await engine.storage.links.of_mapping(mapping.id)}
            assert states == {LinkState.ACTIVE}
            with pytest.raises(UserMistake, match=f"undo run {first.run.id}"):
                await engine.undo.apply(GUILD, run, ALICE)
            await undone(engine, mapping)
            assert held(engine, mapping) == [], "the newest one is undone in its turn"


@pytest.mark.parametrize("destination", list(Service))
async def test_what_the_source_itself_changes_ends_the_hold(destination: Service, sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await made(engine, destination)
            after = held(engine, mapping)
            await undone(engine, mapping)
            source = mapping.left.external_id
            world = sandbox.world
            read = world.spotify_items if mapping.left.service is Service.SPOTIFY else world.youtube_items
            media = read(source)[1]
            world.remove(source, media)
            await synced(engine, mapping)
            world.add(source, media)
            await synced(engine, mapping)
            assert held(engine, mapping) == [after[1]]


@pytest.mark.parametrize("destination", list(Service))
@pytest.mark.parametrize("removals", [Removals.MIRROR, Removals.EXACT])
async def test_removals_come_back_to_their_places_and_stay(
    destination: Service, removals: Removals, each_url: str
) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(each_url, sandbox, clock) as engine:
            mapping = await made(engine, destination, removals=removals, order=Order.KEEP)
            before = held(engine, mapping)
            world, source = sandbox.world, mapping.left.external_id
            read = world.spotify_items if mapping.left.service is Service.SPOTIFY else world.youtube_items
            gone = read(source)[1]
            world.remove(source, gone)
            await synced(engine, mapping)
            assert held(engine, mapping) == [before[0], *before[2:]]
            await undone(engine, mapping)
            assert held(engine, mapping) == before
            await synced(engine, mapping)
            assert held(engine, mapping) == before, "the next sync does not remove it again"
            world.add(source, gone, 1)
            await synced(engine, mapping)
            assert held(engine, mapping) == before
            world.remove(source, gone)
            await synced(engine, mapping)
            assert held(engine, mapping) == [before[0], *before[2:]], "the source has changed it: the rule holds again"


async def test_strangers_that_an_exact_sync_removed_come_back_and_stay(each_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(each_url, sandbox, clock) as engine:
            mapping = await made(engine, Service.YOUTUBE, removals=Removals.EXACT)
            stranger = next(one for one in sorted(sandbox.world.right_videos(engine.tracks_with_videos(9)[-1])) if one)
            sandbox.world.add(mapping.right.external_id, stranger, 2)
            before = held(engine, mapping)
            await synced(engine, mapping)
            assert stranger not in held(engine, mapping)
            await undone(engine, mapping)
            assert held(engine, mapping) == before
            await synced(engine, mapping)
            assert held(engine, mapping) == before
            await undone(engine, mapping)
            assert stranger not in held(engine, mapping)


async def test_moves_are_taken_back_and_left_until_the_source_moves_them(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await made(engine, Service.YOUTUBE, order=Order.KEEP)
            before = held(engine, mapping)
            sandbox.world.move(mapping.left.external_id, 3, 0)
            await synced(engine, mapping)
            assert held(engine, mapping) == [before[3], *before[:3]]
            await undone(engine, mapping)
            assert held(engine, mapping) == before
            await synced(engine, mapping)
            assert held(engine, mapping) == before
            sandbox.world.move(mapping.left.external_id, 0, 2)
            await synced(engine, mapping)
            songs = [
                sandbox.world.track(media).number for media in sandbox.world.spotify_items(mapping.left.external_id)
            ]
            assert [sandbox.world.video(video).number for video in held(engine, mapping)] == songs


@pytest.mark.parametrize("destination", list(Service))
async def test_what_people_did_since_stays(destination: Service, each_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(each_url, sandbox, clock) as engine:
            mapping = await made(engine, destination, count=5)
            ours = held(engine, mapping)
            world, target = sandbox.world, mapping.right.external_id
            clock.advance(30)
            own = _other_media(engine, destination)
            world.add(target, own, 0)
            world.remove(target, ours[1])  # taken out
            world.remove(target, ours[2])  # taken out, and put back as one's own
            world.add(target, ours[2])
            offer = await engine.undo.preview(GUILD, await latest(engine, mapping), ALICE)
            assert [one.track.external_id for one in offer.plan.conflicts if one.track] == [ours[2]]
            assert Counter(one.track.external_id for one in offer.plan.removes) == Counter([ours[0], *ours[3:]])
            await undone(engine, mapping)
            assert held(engine, mapping) == [own, ours[2]]
            await synced(engine, mapping)
            assert held(engine, mapping) == [own, ours[2]]


def _other_media(engine: Engine, destination: Service) -> str:
    """A track of the destination's service that is in none of the playlists."""
    track = engine.tracks_with_videos(12)[-1]
    return engine.right_video(track) if destination is Service.YOUTUBE else track


async def test_spotify_copies_of_people_are_not_swept_away(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await made(engine, Service.SPOTIFY)
            ours = held(engine, mapping)
            clock.advance(30)
            sandbox.world.add(mapping.right.external_id, ours[0])
            started = await undone(engine, mapping)
            assert "every copy" in started.plan.conflicts[0].sentence
            assert held(engine, mapping) == [ours[0], ours[0]]


async def test_a_copy_that_people_add_while_the_undo_waits_stays(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await made(engine, Service.SPOTIFY)
            ours = held(engine, mapping)
            await engine.undo.apply(GUILD, await latest(engine, mapping), ALICE)
            clock.advance(timedelta(hours=2))
            sandbox.world.add(mapping.right.external_id, ours[0])
            await engine.executor.drain(mapping.id)
            assert held(engine, mapping) == [ours[0], ours[0]]
            [skipped] = await engine.items(mapping, ItemStatus.SKIPPED)
            assert "every one" in skipped.last_error


async def test_right_after_the_sync_an_undo_knows_what_the_service_does_not_show_yet(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock, settle_lag=20) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping = await engine.map(*playlists(engine, Service.YOUTUBE))
            await engine.executor.recover()
            await engine.sync.start(mapping.id, ALICE)
            await engine.executor.drain(mapping.id)
            started = await engine.undo.apply(GUILD, await latest(engine, mapping), ALICE)
            assert len(started.plan.removes) == TRACKS
            await engine.executor.drain(mapping.id)
            clock.advance(SETTLE)
            await engine.executor.drain(mapping.id)
            assert held(engine, mapping) == []
            again = await engine.sync.start(mapping.id, ALICE)
            assert again.plan.diffs == 0
            assert held(engine, mapping) == []


async def test_a_sync_while_the_undo_waits_neither_cancels_nor_contradicts_it(sqlite_url: str) -> None:
    clock = NotingClock()
    limits = QuotaLimits(youtube_units=330)
    with simulated(clock, youtube_units=330) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock, limits=limits) as engine:
            mapping = await made(engine, Service.YOUTUBE, removals=Removals.EXACT)
            started = await engine.undo.apply(GUILD, await latest(engine, mapping), ALICE)
            await engine.executor.drain(mapping.id)
            waiting = await engine.items(mapping, ItemStatus.PENDING)
            assert 0 < len(waiting) < TRACKS, "the quota ran out in the middle"
            clock.advance(SETTLE)
            clock.advance(MIDNIGHT_AND_A_BIT)
            between = await engine.sync.start(mapping.id, ALICE)
            assert (between.plan.diffs, between.plan.cancels) == (0, ())
            await engine.executor.drain(mapping.id)
            assert held(engine, mapping) == []
            assert sandbox.books.duplicates() == {}
            done = await engine.storage.effects.items(GUILD, started.run)
            assert {item.status for item in done} == {ItemStatus.DONE}


async def test_work_of_the_run_that_still_waits_is_cancelled_and_not_wanted_again(sqlite_url: str) -> None:
    clock = NotingClock()
    limits = QuotaLimits(youtube_units=220)
    with simulated(clock, youtube_units=220) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock, limits=limits) as engine:
            await engine.link_both()
            mapping = await engine.map(*playlists(engine, Service.YOUTUBE, 6))
            await engine.sync.start(mapping.id, ALICE)
            await engine.executor.drain(mapping.id)
            done = len(held(engine, mapping))
            assert 0 < done < 6
            clock.advance(MIDNIGHT_AND_A_BIT)
            started = await undone(engine, mapping)
            assert len(started.plan.cancels) == 6 - done
            assert held(engine, mapping) == []
            clock.advance(MIDNIGHT_AND_A_BIT)
            await synced(engine, mapping)
            assert held(engine, mapping) == []


@pytest.mark.parametrize("destination", list(Service))
@pytest.mark.parametrize("point", [*POINTS, "undo_planned", "undo_enqueued"])
async def test_a_kill_at_each_point_leaves_nothing_half_done(point: str, destination: Service, sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await made(engine, destination)
            run = await latest(engine, mapping)
        async with engine_room(sqlite_url, sandbox, clock, crash=CrashAt(point, 1)) as engine:
            await engine.executor.recover()
            if point == "after_resolve":  # only adds are resolved
                return
            with pytest.raises(Killed):
                await undone(engine, mapping)
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.executor.recover()
            await engine.executor.drain(mapping.id)
            clock.advance(SETTLE)
            if point == "undo_planned":
                assert len(held(engine, mapping)) == TRACKS, "nothing was asked for"
                await undone(engine, mapping)
            assert held(engine, mapping) == []
            with pytest.raises(UserMistake, match="already"):
                await engine.undo.apply(GUILD, run, ALICE)
            again = await engine.sync.start(mapping.id, ALICE)
            assert again.plan.diffs == 0
            await undone(engine, mapping)
            assert len(held(engine, mapping)) == TRACKS


async def test_too_many_removals_are_stopped_until_an_admin_forces_them(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await made(engine, Service.YOUTUBE, max_removals=2)
            run = await latest(engine, mapping)
            offer = await engine.undo.preview(GUILD, run, ALICE)
            assert offer.plan.guard is not None
            started = await undone(engine, mapping, run)
            assert started.plan.guard is not None
            assert started.plan.guard.kind is GuardKind.TOO_MANY_REMOVALS
            assert started.run.status is RunStatus.CANCELLED
            assert len(held(engine, mapping)) == TRACKS
            assert await latest(engine, mapping) == run, "a stopped undo is none"
            await engine.undo.apply(GUILD, run, ALICE, force=True)
            await engine.executor.drain(mapping.id)
            assert held(engine, mapping) == []


async def test_a_collapsed_read_is_stopped(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await made(engine, Service.YOUTUBE, count=8)
            await engine.sync.start(mapping.id, ALICE)
            for video in held(engine, mapping)[:7]:
                sandbox.world.remove(mapping.right.external_id, video)
            started = await undone(engine, mapping)
            assert started.plan.guard is not None
            assert started.plan.guard.kind is GuardKind.COLLAPSED_READ
            assert len(held(engine, mapping)) == 1


async def test_refusals_say_what_is_the_matter(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await made(engine, Service.YOUTUBE)
            run = await latest(engine, mapping)
            with pytest.raises(UserMistake, match="another server"):
                await engine.undo.preview(GUILD + 1, run, ALICE)
            assert await engine.undo.runs(GUILD + 1, mapping.id) == []
            await engine.sync.start(mapping.id, ALICE)
            nothing = (await engine.last_run(mapping)).id
            with pytest.raises(UserMistake, match="changed nothing"):
                await engine.undo.apply(GUILD, nothing, ALICE)
            await engine.storage.mappings.update(mapping.id, enabled=False, pause_reason="why not")
            with pytest.raises(UserMistake, match=r"paused \(why not\)"):
                await engine.undo.apply(GUILD, run, ALICE)
            await engine.storage.mappings.update(mapping.id, enabled=True)
            busy = await engine.storage.runs.start(
                RunKind.ANALYSIS, mapping.id, (await engine.last_run(mapping)).trigger, ALICE, clock.now()
            )
            assert busy is not None
            with pytest.raises(UserMistake, match="being worked on"):
                await engine.undo.apply(GUILD, run, ALICE)


async def test_two_ways_are_taken_back_on_both_sides(each_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(each_url, sandbox, clock) as engine:
            await engine.link_both()
            one, two, *_ = tracks = engine.tracks_with_videos(4)
            left = sandbox.world.create_spotify_playlist("alice", "L", [one, two])
            right = engine.youtube_playlist([engine.right_video(track) for track in tracks[2:]])
            mapping = await engine.map(left, right, direction=Direction.TWO_WAY, removals=Removals.MIRROR)
            before = (sandbox.world.spotify_items(left), sandbox.world.youtube_items(right))
            await synced(engine, mapping)
            assert len(sandbox.world.spotify_items(left)) == 4
            await undone(engine, mapping)
            assert (sandbox.world.spotify_items(left), sandbox.world.youtube_items(right)) == before
            await synced(engine, mapping)
            assert (sandbox.world.spotify_items(left), sandbox.world.youtube_items(right)) == before


async def test_the_burst_of_an_undo_names_the_run_that_it_takes_back(sqlite_url: str) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            mapping = await made(engine, Service.YOUTUBE)
            run = await latest(engine, mapping)
            await undone(engine, mapping)
            burst = await engine.last_run(mapping)
            assert (burst.kind, burst.undoes_run_id) == (RunKind.EXECUTION, run)


@pytest.mark.parametrize("again", [False, True], ids=["left as it failed", "added by a later run"])
async def test_what_the_run_failed_to_do_is_not_done_by_the_next_sync_either(sqlite_url: str, *, again: bool) -> None:
    clock = NotingClock()
    with simulated(clock) as sandbox:
        async with engine_room(sqlite_url, sandbox, clock) as engine:
            await engine.link_both()
            mapping = await engine.map(*playlists(engine, Service.YOUTUBE))
            await engine.sync.start(mapping.id, ALICE)
            now, items = clock.now(), engine.storage.items
            (_, failed, *_) = await engine.items(mapping)
            until = now + timedelta(minutes=1)
            await items.claim_due(now, until, "t", limit=4, mapping_id=mapping.id, service=Service.YOUTUBE)
            await items.settle(failed.id, "t", ItemStatus.ERROR, now=now, last_error="the service answered 503")
            await items.release("t")
            await engine.executor.drain(mapping.id)
            clock.advance(SETTLE)
            assert len(held(engine, mapping)) == TRACKS - 1
            run = await latest(engine, mapping)
            if again:
                await engine.sync.start(mapping.id, ALICE, force=True)
                await engine.executor.drain(mapping.id)
                clock.advance(SETTLE)
                assert len(held(engine, mapping)) == TRACKS
            await undone(engine, mapping, run)
            clock.advance(SETTLE)
            left = held(engine, mapping)
            assert len(left) == (1 if again else 0), "a later run's song is that run's"
            await engine.sync.start(mapping.id, ALICE, force=True)
            await engine.executor.drain(mapping.id)
            assert held(engine, mapping) == left
