"""Matching at the wire: what is searched and what is not, what is remembered, and that no look-alike gets through."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.engine.quota import QuotaLimits
from bot.model.item import ItemStatus, SyncItem
from bot.model.mapping import Mapping
from bot.model.matching import MatchPolicy
from bot.model.music import Service
from bot.model.review import BlacklistReason, BlacklistRow
from bot.sandbox.videos import RIGHT, Kind, Video
from tests.contract.engine_room import Engine, engine_room, simulated
from tests.contract.music_room import ALICE, GUILD, NotingClock

PLENTY = QuotaLimits(youtube_units=1_000_000, youtube_searches=10_000, spotify_calls=10_000)
MANY = 300


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Engine]:
    """Both accounts linked, and quota for hundreds of tracks."""
    clock = NotingClock()
    with simulated(clock, youtube_units=PLENTY.youtube_units, youtube_searches=PLENTY.youtube_searches) as sandbox:
        sandbox.world.switches.google_testing = False  # logins that last longer than the tests' months
        async with engine_room(url, sandbox, clock, limits=PLENTY) as engine:
            await engine.link_both()
            yield engine


async def synced(engine: Engine, mapping: Mapping) -> list[SyncItem]:
    """One sync to its end and past the settle time; the mapping's items."""
    await engine.sync.start(mapping.id, ALICE)
    await engine.executor.drain(mapping.id)
    engine.clock.advance(timedelta(minutes=2))
    return await engine.items(mapping)


def searches(engine: Engine) -> int:
    """The paid searches that YouTube has got."""
    return len(engine.sandbox.books.requests("youtube", path="search"))


def done(items: list[SyncItem]) -> list[SyncItem]:
    return [item for item in items if item.status is ItemStatus.DONE]


async def rows_of(engine: Engine, mapping: Mapping) -> list[BlacklistRow]:
    return await engine.storage.blacklist.open_of_mapping(mapping.id)


async def from_spotify(engine: Engine, tracks: list[str], **changed: object) -> Mapping:
    source = engine.sandbox.world.create_spotify_playlist("alice", "S", tracks)
    return await engine.map(source, engine.youtube_playlist(), **changed)


async def from_youtube(engine: Engine, videos: list[str], **changed: object) -> Mapping:
    target = engine.sandbox.world.create_spotify_playlist("alice", "T", [])
    return await engine.map(engine.youtube_playlist(videos, name="V"), target, **changed)


async def test_300_tracks_go_to_youtube_without_one_lookalike(sqlite_url: str) -> None:
    async with opened(sqlite_url) as engine:
        world = engine.sandbox.world
        tracks = [track.id for track in world.tracks[:MANY]]
        added = done(await synced(engine, await from_spotify(engine, tracks)))
        wrong = [one.source_track_title for one in added if one.destination_id in world.lookalikes(one.source_track_id)]
        assert wrong == []
        assert all(item.destination_id in world.right_videos(item.source_track_id) for item in added)
        there = sum(any(map(_is_public(engine), world.right_videos(track))) for track in tracks)
        assert len(added) >= 0.97 * there, "what is there is found"


async def test_300_videos_go_to_spotify_without_one_lookalike(sqlite_url: str) -> None:
    """Of each track the video that is hardest: a lyric video, an official video, and only then the audio release."""
    async with opened(sqlite_url) as engine:
        world = engine.sandbox.world
        order = [Kind.LYRICS, Kind.OFFICIAL_VIDEO, Kind.OFFICIAL_AUDIO, Kind.TOPIC]
        videos = [
            min(
                (video for video in world.videos_of(track.id) if video.kind in RIGHT), key=lambda v: order.index(v.kind)
            )
            for track in world.tracks[:MANY]
            if world.right_videos(track.id)
        ]
        added = done(await synced(engine, await from_youtube(engine, [video.id for video in videos])))
        assert all(item.destination_id in world.right_tracks(item.source_track_id) for item in added)
        assert len(added) >= 0.97 * len(videos)


async def test_covers_live_versions_and_spoilt_copies_bring_no_track_to_spotify(sqlite_url: str) -> None:
    async with opened(sqlite_url) as engine:
        world = engine.sandbox.world
        videos = [min(world.lookalikes(track.id), default="") for track in world.tracks[:MANY]]
        mapping = await from_youtube(engine, [video for video in videos if video])
        assert done(await synced(engine, mapping)) == []


def _is_public(engine: Engine) -> Callable[[str], bool]:
    return lambda video: engine.sandbox.world.video_status(video) == "public"


async def test_a_latin_title_costs_one_search_and_another_script_a_second_only_where_the_first_failed(
    sqlite_url: str,
) -> None:
    async with opened(sqlite_url) as engine:
        world = engine.sandbox.world
        missing = [track for track in world.tracks if not world.right_videos(track.id)]
        latin = next(track.id for track in missing if track.title.isascii())
        other = next(track.id for track in world.tracks if _foreign(track.title) and world.right_videos(track.id))
        unknown = next(track.id for track in missing if _foreign(track.title))
        for track, calls in ((latin, 1), (other, 1), (unknown, 2)):
            before = searches(engine)
            await synced(engine, await from_spotify(engine, [track]))
            assert searches(engine) - before == calls, world.track(track).title


def _foreign(title: str) -> bool:
    return all(ord(letter) > 0x370 for letter in title if letter.isalpha())


async def test_what_one_mapping_found_costs_no_other_mapping_a_search(sqlite_url: str) -> None:
    async with opened(sqlite_url) as engine:
        tracks = engine.tracks_with_videos(5)
        first = done(await synced(engine, await from_spotify(engine, tracks)))
        before = searches(engine)
        again = done(await synced(engine, await from_spotify(engine, tracks)))
        assert [item.destination_id for item in again] == [item.destination_id for item in first]
        assert searches(engine) == before
        kept = await engine.storage.matches.find(Service.SPOTIFY, tracks, GUILD)
        assert all(row.score and row.parts["gates"] == [] and row.explanation for row in kept.values())


async def test_a_persons_choice_holds_in_every_mapping_of_the_guild_and_outranks_memory(sqlite_url: str) -> None:
    async with opened(sqlite_url) as engine:
        track, video = _only_lookalikes(engine)
        waiting = await from_spotify(engine, [track])
        await synced(engine, waiting)
        (row,) = await rows_of(engine, waiting)
        await engine.reviews.choose(GUILD, row.id, video.id, ALICE)
        await engine.executor.drain(waiting.id)
        before = searches(engine)
        (item,) = await synced(engine, await from_spotify(engine, [track], policy=MatchPolicy.EXACT))
        assert (item.status, item.destination_id) == (ItemStatus.DONE, video.id)
        assert engine.sandbox.world.youtube_items(waiting.right.external_id) == [video.id]
        assert searches(engine) == before


async def test_not_on_that_service_holds_in_every_mapping_of_the_guild_without_a_search(sqlite_url: str) -> None:
    async with opened(sqlite_url) as engine:
        track, _ = _only_lookalikes(engine)
        waiting = await from_spotify(engine, [track])
        await synced(engine, waiting)
        (row,) = await rows_of(engine, waiting)
        await engine.reviews.never(GUILD, row.id, ALICE)
        before = searches(engine)
        other = await from_spotify(engine, [track])
        assert done(await synced(engine, other)) == []
        engine.clock.advance(timedelta(days=40))
        await synced(engine, other)
        assert searches(engine) == before


def _only_lookalikes(engine: Engine) -> tuple[str, Video]:
    """A track without a right video, and the first video that a search for it shows."""
    world = engine.sandbox.world
    track = next(one for one in world.tracks if not world.right_videos(one.id) and world.lookalikes(one.id))
    cover = next(video for video in world.videos_of(track.id) if video.kind is Kind.COVER)
    return track.id, cover


async def test_what_was_not_found_is_looked_for_again_after_1_7_and_30_days(sqlite_url: str) -> None:
    async with opened(sqlite_url) as engine:
        track, _ = _only_lookalikes(engine)
        mapping = await from_spotify(engine, [track])
        began, looked, before = engine.clock.now(), [], 0
        while (day := (engine.clock.now() - began).days) < 80:
            engine.sandbox.world.touch(mapping.left.external_id)
            await engine.sync.start(mapping.id, ALICE)
            await engine.executor.drain(mapping.id)
            if searches(engine) != before:
                before = searches(engine)
                looked.append(day)
            engine.clock.advance(began + timedelta(days=day + 1) - engine.clock.now())
        assert looked == [0, 1, 8, 38, 68]


async def test_each_mapping_has_its_own_policy_and_a_strict_one_takes_no_lenient_memory(sqlite_url: str) -> None:
    """A video with 20 seconds more than the track: likely enough for best effort, a question for the others."""
    async with opened(sqlite_url) as engine:
        track = next(one for one in engine.sandbox.world.tracks if one.title == "Don't Look Back in Anger - Remastered")
        asked = await from_spotify(engine, [track.id])
        lenient = await from_spotify(engine, [track.id], policy=MatchPolicy.BEST_EFFORT)
        strict = await from_spotify(engine, [track.id], policy=MatchPolicy.EXACT)
        assert done(await synced(engine, asked)) == []
        assert len(done(await synced(engine, lenient))) == 1
        assert done(await synced(engine, strict)) == []
        (row,) = await rows_of(engine, strict)
        assert row.reason is BlacklistReason.LOW_CONFIDENCE
        assert "length differs: to be reviewed" in row.explanation


@pytest.mark.parametrize("policy", [MatchPolicy.EXACT, MatchPolicy.BEST_EFFORT])
async def test_what_the_destination_holds_is_linked_only_as_the_policy_allows(
    policy: MatchPolicy, sqlite_url: str
) -> None:
    async with opened(sqlite_url) as engine:
        world = engine.sandbox.world
        track = next(one for one in world.tracks if one.title == "Don't Look Back in Anger - Remastered")
        source = world.create_spotify_playlist("alice", "S", [track.id])
        target = engine.youtube_playlist(sorted(world.right_videos(track.id)))
        mapping = await engine.map(source, target, policy=policy)
        started = await engine.sync.start(mapping.id, ALICE)
        assert len(started.plan.adds) == (0 if policy is MatchPolicy.BEST_EFFORT else 1)
