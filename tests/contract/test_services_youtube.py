"""What is YouTube's own: gone videos, copies, refusals by reason, prices, and the search that costs nothing."""

import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from bot.model.errors import QuotaSpent, Refused, RetryLater
from bot.model.music import CandidateKind, Service
from bot.model.quota import Bucket
from bot.sandbox import Kind, Sandbox
from bot.services.protocol import MusicService
from tests.contract.music_room import NotingClock, Room, music_room, sandbox_config


@pytest.fixture
def clock() -> NotingClock:
    return NotingClock()


@pytest.fixture
def sandbox(clock: NotingClock) -> Iterator[Sandbox]:
    with Sandbox.open(clock=clock.now) as opened:
        yield opened


@pytest.fixture
async def room(sqlite_url: str, sandbox: Sandbox, clock: NotingClock) -> AsyncIterator[Room]:
    async with music_room(sqlite_url, sandbox_config(sandbox), clock=clock) as opened:
        yield opened


@pytest.fixture
async def youtube(room: Room) -> MusicService:
    return await room.as_alice(Service.YOUTUBE)


@pytest.fixture
def playlist(sandbox: Sandbox) -> str:
    return sandbox.world.create_youtube_playlist("alice", "Mine", videos(sandbox)[:4])


def videos(sandbox: Sandbox) -> list[str]:
    world = sandbox.world
    return [sorted(world.right_videos(track.id))[0] for track in world.tracks if world.right_videos(track.id)]


@pytest.mark.parametrize("status", ["deleted", "private"])
async def test_a_gone_video_keeps_its_place_and_is_not_available(
    youtube: MusicService, sandbox: Sandbox, playlist: str, status: str
) -> None:
    held = sandbox.world.youtube_items(playlist)
    sandbox.world.set_video(held[1], status)
    content = await youtube.content(playlist)
    assert [track.available for track in content.tracks] == [True, False, True, True]
    assert content.entries[1].track.external_id == held[1]


@pytest.mark.parametrize("status", ["deleted", "private"])
async def test_a_gone_video_cannot_be_added(
    youtube: MusicService, sandbox: Sandbox, playlist: str, status: str
) -> None:
    gone = videos(sandbox)[9]
    sandbox.world.set_video(gone, status)
    with pytest.raises(Refused) as caught:
        await youtube.add(playlist, [gone])
    assert caught.value.code in {"videoNotFound", "failedPrecondition"}
    assert [track.available for track in await youtube.tracks([gone])] in ([], [False])


async def test_copies_are_kept_apart_by_their_entries(youtube: MusicService, sandbox: Sandbox, playlist: str) -> None:
    first = sandbox.world.youtube_items(playlist)[0]
    await youtube.add(playlist, [first])
    content = await youtube.content(playlist)
    both = [entry for entry in content.entries if entry.track.external_id == first]
    assert len({entry.entry_id for entry in both}) == 2
    await youtube.remove(playlist, first, both[0].entry_id)
    assert sandbox.world.youtube_items(playlist)[-1] == first
    await youtube.remove(playlist, first)
    assert first not in sandbox.world.youtube_items(playlist)


async def test_a_playlist_that_refuses_copies_counts_as_having_it(
    youtube: MusicService, sandbox: Sandbox, playlist: str
) -> None:
    sandbox.world.adjust(playlist, refuses_duplicates=True)
    before = sandbox.world.youtube_items(playlist)
    await youtube.add(playlist, before[:1])
    assert sandbox.world.youtube_items(playlist) == before


async def test_a_playlist_that_is_not_sorted_by_hand_takes_the_video_at_its_own_place(
    youtube: MusicService, sandbox: Sandbox, playlist: str, room: Room
) -> None:
    sandbox.world.adjust(playlist, sorted_by_service=True)
    await youtube.add(playlist, [videos(sandbox)[8]], position=1)
    assert videos(sandbox)[8] in sandbox.world.youtube_items(playlist)
    assert (await room.ledger())["youtube.units", "playlistItems.insert"] == 100
    assert sandbox.books.units() == sum(
        units for (bucket, _), units in (await room.ledger()).items() if bucket == "youtube.units"
    )


async def test_a_position_beyond_the_end_becomes_the_end(
    youtube: MusicService, sandbox: Sandbox, playlist: str
) -> None:
    await youtube.add(playlist, [videos(sandbox)[8]], position=40)
    assert sandbox.world.youtube_items(playlist)[-1] == videos(sandbox)[8]


async def test_watch_later_cannot_be_written_to(youtube: MusicService, sandbox: Sandbox) -> None:
    with pytest.raises(Refused) as caught:
        await youtube.add("WL", videos(sandbox)[:1])
    assert caught.value.code == "playlistOperationUnsupported"


async def test_a_new_name_leaves_the_description_alone(youtube: MusicService, sandbox: Sandbox) -> None:
    made = await youtube.create("Old name", "Songs for the road")
    await youtube.rename(made.external_id, "New name")
    kept = sandbox.world.playlist(made.external_id)
    assert kept is not None
    assert (kept.name, kept.description, kept.privacy) == ("New name", "Songs for the road", "private")


async def test_a_long_playlist_costs_two_units_for_fifty_and_one_for_its_name(
    youtube: MusicService, sandbox: Sandbox
) -> None:
    long = sandbox.world.create_youtube_playlist("alice", "Long", videos(sandbox)[:120])
    before = sandbox.books.units()
    content = await youtube.content(long)
    assert [track.external_id for track in content.tracks] == videos(sandbox)[:120]
    assert [entry.position for entry in content.entries] == list(range(120))
    assert sandbox.books.units() - before == 1 + 3 + 3


async def test_a_read_back_costs_one_unit(youtube: MusicService, sandbox: Sandbox, playlist: str) -> None:
    before = sandbox.books.units()
    await youtube.copies(playlist, sandbox.world.youtube_items(playlist)[:1])
    assert sandbox.books.units() - before == 1


async def test_a_search_costs_one_search_and_one_unit_and_is_unescaped(youtube: MusicService, sandbox: Sandbox) -> None:
    track = next(track for track in sandbox.world.tracks if "'" in track.title or "&" in track.title)
    units, searches = sandbox.books.units(), sandbox.books.searches()
    found = await youtube.search(f"{track.artists[0]} {track.title}")
    assert (sandbox.books.units() - units, sandbox.books.searches() - searches) == (1, 1)
    assert found
    assert not any("&#39;" in one.title or "&amp;" in one.title or "&quot;" in one.title for one in found)


async def test_topic_uploads_are_songs_by_their_artist(youtube: MusicService, sandbox: Sandbox) -> None:
    topics = [
        (track, video)
        for track in sandbox.world.tracks[:40]
        for video in sandbox.world.videos_of(track.id)
        if video.kind is Kind.TOPIC
    ]
    track, video = topics[0]
    (found,) = await youtube.tracks([video.id])
    assert found.kind is CandidateKind.SONG
    assert found.artists == (track.artists[0],)


async def test_the_searches_of_the_day_are_not_overspent(youtube: MusicService, sandbox: Sandbox) -> None:
    for _ in range(100):
        await youtube.search("x")
    with pytest.raises(QuotaSpent) as caught:
        await youtube.search("x")
    assert caught.value.bucket == Bucket.YOUTUBE_SEARCH
    assert sandbox.books.searches() == 100


async def test_the_free_search_costs_nothing_and_knows_artists_and_lengths(
    sqlite_url: str, sandbox: Sandbox, clock: NotingClock
) -> None:
    pytest.importorskip("ytmusicapi", reason="the extra ytmusic is not installed")
    config = sandbox_config(sandbox, youtube_search="ytmusic")
    async with music_room(sqlite_url, config, clock=clock) as room:
        youtube = await room.as_alice(Service.YOUTUBE)
        assert youtube.capabilities.search_cost == {}
        assert youtube.capabilities.searches_isrc
        units = sandbox.books.units()
        track = next(track for track in sandbox.world.tracks if track.isrc and sandbox.world.right_videos(track.id))
        found = await youtube.search(f"{track.artists[0]} {track.title}")
        assert sandbox.world.right_videos(track.id) & {one.external_id for one in found}
        assert len({one.external_id for one in found}) == len(found)
        songs = [one for one in found if one.kind is CandidateKind.SONG]
        assert songs
        assert all(one.artists and one.duration for one in songs)
        by_isrc = await youtube.search(track.isrc, isrc=True)
        assert all(one.from_isrc for one in by_isrc)
        assert (sandbox.books.units(), sandbox.books.searches()) == (units, 0)


@pytest.mark.parametrize("kind", ["503", "close", "garbage", "truncated", "429", "reset"])
async def test_a_free_search_that_fails_never_becomes_one_that_costs(
    sqlite_url: str, sandbox: Sandbox, clock: NotingClock, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("ytmusicapi", reason="the extra ytmusic is not installed")
    caplog.set_level(logging.INFO)
    config = sandbox_config(sandbox, youtube_search="ytmusic")
    async with music_room(sqlite_url, config, clock=clock) as room:
        youtube = await room.as_alice(Service.YOUTUBE)
        sandbox.faults.next("ytmusic", "*", "search", kind)
        with pytest.raises(RetryLater):
            await youtube.search("a song")
        assert sandbox.books.searches() == 0
